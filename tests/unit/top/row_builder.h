// Rows for tests: a plain one to begin with, and what a test is about said by name.
#pragma once

#include "support/event_builder.h"
#include "top/row.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace tcpflight::test {

constexpr std::uint64_t row_s = 1'000'000'000;

class RowBuilder {
public:
    // telnet[2231] from 127.0.0.1.57374 to 127.0.0.1.12345, ESTABLISHED since the first second.
    explicit RowBuilder(std::uint64_t connection = 4711)
    {
        row_.connection = connection;
        row_.identity = *EventBuilder().build().identity;
        row_.state = TcpState::Established;
        row_.since_ns = row_.begun_ns = row_.last_ns = row_s;
        row_.since_seen = row_.begin_seen = true;
    }
    RowBuilder &local(const std::string &address, std::uint16_t port)
    {
        row_.identity.local = {parse_address(address), port};
        return *this;
    }
    RowBuilder &remote(const std::string &address, std::uint16_t port)
    {
        row_.identity.remote = {parse_address(address), port};
        return *this;
    }
    RowBuilder &owner(std::string_view comm, std::uint32_t pid)
    {
        row_.identity.owner = EventBuilder().owner(comm, pid, OwnerSource::Connect).build().identity->owner;
        return *this;
    }
    RowBuilder &unknown_owner()
    {
        row_.identity.owner = {};
        return *this;
    }
    RowBuilder &in(TcpState state, std::uint64_t since_ns = row_s)
    {
        row_.state = state;
        row_.since_ns = since_ns;
        return *this;
    }
    RowBuilder &begun(std::uint64_t time_ns, bool seen = true)
    {
        row_.begun_ns = time_ns;
        row_.begin_seen = seen;
        return *this;
    }
    RowBuilder &last(std::uint64_t time_ns, std::string_view text = {})
    {
        row_.last_ns = time_ns;
        std::copy_n(text.begin(), std::min(text.size(), row_.last.size() - 1), row_.last.begin());
        return *this;
    }
    RowBuilder &judged(VerdictKind kind)
    {
        row_.verdict = kind;
        return *this;
    }
    RowBuilder &ended(std::uint64_t time_ns)
    {
        row_.ended_ns = time_ns;
        row_.state = TcpState::Close;
        return *this;
    }
    RowBuilder &retransmits(std::uint32_t count)
    {
        row_.retransmits = count;
        return *this;
    }
    RowBuilder &rtt(std::uint32_t rtt_us)
    {
        row_.rtt_us = rtt_us;
        return *this;
    }
    operator Row() const { return row_; } // NOLINT(google-explicit-constructor): to be put into a list of rows

private:
    Row row_;
};

} // namespace tcpflight::test

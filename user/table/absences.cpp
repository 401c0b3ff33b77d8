#include "table/absences.h"

#include "decode/decode.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t time_wait_ns = 60'000'000'000; // TCP_TIMEWAIT_LEN, include/net/tcp.h
constexpr std::uint64_t ns_per_us = 1000;

struct Sighting {
    std::uint64_t time_ns = 0;
    std::uint64_t since_ns = 0;
    std::uint64_t timer_left_us = 0;
    TcpState state = TcpState::Close;
    bool time_wait_socket = false;
};

using Sightings = tsl::robin_map<std::uint64_t, Sighting>;

Sightings read_records(std::span<const std::byte> bytes, Meanwhile &meanwhile)
{
    Sightings sightings;
    sightings.reserve(bytes.size() / (sizeof(tf_header) + sizeof(tf_socket) + sizeof(tf_identity)));
    Record record{};
    for (std::size_t size = 0; (size = first_record_size(bytes)) != 0; bytes = bytes.subspan(size)) {
        meanwhile.step();
        if (decode(bytes.first(size), record) != DecodeError::None || record.header.type != TF_RECORD_FOUND)
            continue;
        const auto &header = record.header;
        sightings[header.cookie] = {.time_ns = header.time_ns,
                                    .since_ns = record.socket.since_ns,
                                    .timer_left_us = record.socket.timer_left_us,
                                    .state = TcpState{header.new_state},
                                    .time_wait_socket = record.has(TF_FLAG_TIME_WAIT_SOCKET)};
    }
    return sightings;
}

bool contains(const std::vector<std::uint32_t> &sorted, std::uint32_t number)
{
    return std::binary_search(sorted.begin(), sorted.end(), number);
}

template <typename T> void append(std::vector<std::byte> &out, const T &block)
{
    auto at = out.size();
    out.resize(at + sizeof(T));
    std::memcpy(out.data() + at, &block, sizeof(T));
}

tf_header header_of(const KnownConnection &connection, std::uint64_t time_ns, std::uint8_t type, TcpState to)
{
    tf_header header{};
    header.time_ns = time_ns;
    header.cookie = connection.cookie;
    header.type = type;
    header.flags = connection.time_wait_socket ? TF_FLAG_TIME_WAIT_SOCKET : 0;
    header.old_state = static_cast<std::uint8_t>(connection.state);
    header.new_state = static_cast<std::uint8_t>(to);
    return header;
}

} // namespace

struct Absences::Comparison {
    const Absences &before;
    const Look &look;
    std::uint64_t now_ns;
    Sightings sightings;
    tsl::robin_map<std::uint64_t, Sign> signs = {};
    tsl::robin_map<std::uint64_t, std::uint64_t> missing = {};
    std::vector<std::byte> out = {};
    std::vector<const KnownConnection *> changed = {}; // for what may have to be told of

    // Of most there is nothing to tell. What happened meanwhile, or is nowhere, cannot be judged.
    [[nodiscard]] bool is_as_known(const KnownConnection &connection) const
    {
        if (connection.last_seen_ns >= look.begin_ns || !connection.identity_known)
            return true;
        return !connection.time_wait_socket && sightings.contains(connection.cookie);
    }

    void look_for(const KnownConnection &connection)
    {
        auto sighting = sightings.find(connection.cookie);
        if (sighting != sightings.end())
            see(connection, sighting->second);
        else if (contains(look.visited, connection.identity.netns))
            miss(connection, TF_GONE_UNKNOWN);
        else if (!contains(look.present, connection.identity.netns))
            miss(connection, TF_GONE_NETNS);
    }

    void see(const KnownConnection &connection, const Sighting &sighting)
    {
        if (!connection.time_wait_socket || !sighting.time_wait_socket)
            return;
        signs[connection.cookie] = {.seen_ns = sighting.time_ns,
                                    .expires_ns = sighting.time_ns + sighting.timer_left_us * ns_per_us};
        if (connection.state != TcpState::FinWait2 || sighting.state != TcpState::TimeWait)
            return;
        // The timer began anew with the FIN; with the last one, if there were several.
        auto since = std::clamp(sighting.since_ns, connection.last_seen_ns, sighting.time_ns);
        append(out, header_of(connection, since, TF_RECORD_STATE, TcpState::TimeWait));
    }

    void miss(const KnownConnection &connection, tf_gone_reason reason)
    {
        auto sign = before.signs_.find(connection.cookie);
        bool has_sign = sign != before.signs_.end();
        auto last_ns = std::max(connection.last_seen_ns, has_sign ? sign->second.seen_ns : 0);
        std::optional<std::uint64_t> expires_ns;
        if (has_sign)
            expires_ns = sign->second.expires_ns;
        else if (connection.time_wait_socket && connection.state == TcpState::TimeWait && connection.entry_seen)
            expires_ns = connection.changed_ns + time_wait_ns;

        if (reason == TF_GONE_UNKNOWN && expires_ns && *expires_ns <= look.begin_ns) {
            tell(connection, TF_GONE_TIMER, std::max(last_ns, *expires_ns), look.end_ns);
            return;
        }
        if (auto first = before.missing_.find(connection.cookie); first != before.missing_.end()) {
            tell(connection, reason, last_ns, first->second);
            return;
        }
        missing[connection.cookie] = look.end_ns;
        if (has_sign)
            signs[connection.cookie] = sign->second;
    }

    void tell(const KnownConnection &connection, tf_gone_reason reason, std::uint64_t after_ns, std::uint64_t by_ns)
    {
        tf_gone gone{};
        gone.after_ns = after_ns;
        gone.by_ns = by_ns;
        gone.reason = static_cast<std::uint8_t>(reason);
        append(out, header_of(connection, now_ns, TF_RECORD_GONE, TcpState::Close));
        append(out, gone);
    }
};

std::vector<std::byte> Absences::compare(const Table &table, const Look &look, std::uint64_t now_ns,
                                         Meanwhile &meanwhile)
{
    Comparison comparison{*this, look, now_ns, read_records(look.records, meanwhile)};
    table.for_each_unordered([&](const KnownConnection &connection) {
        meanwhile.step();
        if (!comparison.is_as_known(connection))
            comparison.changed.push_back(&connection);
    });
    std::sort(comparison.changed.begin(), comparison.changed.end(),
              [](const auto *a, const auto *b) { return a->cookie < b->cookie; });
    for (const auto *connection : comparison.changed) {
        meanwhile.step();
        comparison.look_for(*connection);
    }
    signs_ = std::move(comparison.signs);
    missing_ = std::move(comparison.missing);
    return std::move(comparison.out);
}

} // namespace tcpflight

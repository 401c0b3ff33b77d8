// Events for tests: a plain one to begin with, and what a test is about said by name.
//
//     auto event = EventBuilder().local("10.0.0.1", 443).changes(TcpState::SynRecv, TcpState::Established).build();
//     sink.write(event.view(), out);
#pragma once

#include "model/event.h"

#include <arpa/inet.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace tcpflight::test {

// "192.0.2.1" (stored v4-mapped, as everywhere) or "2001:db8::1".
inline Address parse_address(const std::string &text)
{
    Address address;
    if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1)
        return address;
    address.bytes[10] = address.bytes[11] = 0xff;
    if (inet_pton(AF_INET, text.c_str(), &address.bytes[12]) != 1)
        throw std::invalid_argument("no address: " + text);
    return address;
}

// An event together with the identity that it points to.
struct OwnedEvent {
    Event event;
    std::optional<Identity> identity;

    // Valid as long as this object, and until it changes.
    [[nodiscard]] Event view() const
    {
        Event out = event;
        out.identity = identity ? &*identity : nullptr;
        return out;
    }
};

class EventBuilder {
public:
    // A connect of telnet[2231] from 127.0.0.1.57374 to 127.0.0.1.12345.
    EventBuilder()
    {
        event_.connection = 4711;
        identity_.local = {parse_address("127.0.0.1"), 57374};
        identity_.remote = {parse_address("127.0.0.1"), 12345};
        identity_.netns = 4026531840;
        identity_.uid = 1000;
        owner("telnet", 2231, OwnerSource::Connect);
        changes(TcpState::Close, TcpState::SynSent);
    }

    EventBuilder &at(std::uint64_t time_ns)
    {
        event_.time_ns = time_ns;
        return *this;
    }
    EventBuilder &connection(std::uint64_t cookie)
    {
        event_.connection = cookie;
        return *this;
    }
    // The family follows the address.
    EventBuilder &local(const std::string &address, std::uint16_t port)
    {
        identity_.local = {parse_address(address), port};
        identity_.family = identity_.local.address.is_v4() ? Family::IPv4 : Family::IPv6;
        return *this;
    }
    EventBuilder &remote(const std::string &address, std::uint16_t port)
    {
        identity_.remote = {parse_address(address), port};
        return *this;
    }
    // Longer names are cut to the 16 bytes that there are, and then have no NUL.
    EventBuilder &owner(std::string_view comm, std::uint32_t pid, OwnerSource source, std::uint32_t tid = 0)
    {
        Owner owner;
        owner.pid = pid;
        owner.tid = tid != 0 ? tid : pid;
        owner.source = source;
        std::copy_n(comm.begin(), std::min(comm.size(), owner.comm.size()), owner.comm.begin());
        identity_.owner = owner;
        return *this;
    }
    EventBuilder &unknown_owner()
    {
        identity_.owner = {};
        return *this;
    }
    EventBuilder &unknown_identity()
    {
        identity_known_ = false;
        return *this;
    }
    EventBuilder &netns(std::uint32_t inode)
    {
        identity_.netns = inode;
        return *this;
    }
    EventBuilder &uid(std::uint32_t uid)
    {
        identity_.uid = uid;
        return *this;
    }
    EventBuilder &cgroup(std::uint64_t id)
    {
        identity_.cgroup = id;
        return *this;
    }
    // Where the owner is: what a Cgroup has is worked out from the path.
    EventBuilder &in_cgroup(std::string_view path)
    {
        identity_.where =
            Shared<Cgroup>::make(Cgroup{.path = std::string(path), .container = std::string(container_of(path))});
        return *this;
    }
    EventBuilder &inner_pid(std::uint32_t pid)
    {
        identity_.owner.inner_pid = pid;
        return *this;
    }
    EventBuilder &incomplete()
    {
        event_.incomplete = true;
        return *this;
    }
    EventBuilder &after_gap()
    {
        event_.after_gap = true;
        return incomplete();
    }
    EventBuilder &unwanted()
    {
        event_.wanted = false;
        return *this;
    }

    EventBuilder &changes(TcpState from, TcpState to, std::optional<std::uint64_t> duration_ns = {},
                          std::uint16_t error = 0)
    {
        StateChange change;
        change.from = from;
        change.to = to;
        change.duration_ns = duration_ns;
        change.error = error;
        event_.what = change;
        return *this;
    }
    // It ended with ETIMEDOUT, because of this.
    EventBuilder &times_out(TcpState from, TimedOut what, std::optional<bool> by_user_timeout = false)
    {
        constexpr std::uint16_t etimedout = 110;
        changes(from, TcpState::Close, 1'000'000'000, etimedout);
        auto &change = std::get<StateChange>(event_.what);
        change.timed_out = what;
        change.by_user_timeout = by_user_timeout;
        return *this;
    }
    // A change of state of a socket that was found so long before.
    EventBuilder &at_least(std::uint64_t duration_ns)
    {
        std::get<StateChange>(event_.what).at_least_ns = duration_ns;
        return *this;
    }
    EventBuilder &finds(const Found &found)
    {
        event_.what = found;
        return *this;
    }
    // The socket goes, and what the kernel keeps in its place is in `to`.
    EventBuilder &leaves(TcpState from, TcpState to)
    {
        changes(from, to);
        std::get<StateChange>(event_.what).time_wait_socket = true;
        return *this;
    }
    // What the kernel kept ends, seen after `length_ns`.
    EventBuilder &ends(TcpState from, EndReason reason, std::optional<std::uint64_t> length_ns = {})
    {
        changes(from, TcpState::Close, length_ns);
        std::get<StateChange>(event_.what).time_wait_socket = true;
        std::get<StateChange>(event_.what).end = TimeWaitEnd{.reason = reason, .at_most_ns = {}};
        return *this;
    }
    // The same, found out.
    EventBuilder &ends_between(TcpState from, EndReason reason, std::optional<std::uint64_t> at_least_ns,
                               std::uint64_t at_most_ns)
    {
        ends(from, reason);
        std::get<StateChange>(event_.what).at_least_ns = at_least_ns;
        std::get<StateChange>(event_.what).end->at_most_ns = at_most_ns;
        return *this;
    }
    // It was the end of what had taken the socket's place.
    EventBuilder &afterwards()
    {
        std::get<StateChange>(event_.what).afterwards = true;
        return *this;
    }
    EventBuilder &goes(const Gone &gone)
    {
        event_.what = gone;
        return *this;
    }
    EventBuilder &retransmits(const Retransmit &retransmit)
    {
        event_.what = retransmit;
        return *this;
    }
    EventBuilder &accepted(const Accept &accept)
    {
        event_.what = accept;
        return *this;
    }
    EventBuilder &queued_syn(std::uint64_t duration_ns)
    {
        std::get<StateChange>(event_.what).syn_queue_ns = duration_ns;
        return *this;
    }
    EventBuilder &shakes_hands(const Handshake &handshake)
    {
        event_.what = handshake;
        return *this;
    }
    EventBuilder &crowds(const ListenQueue &queue)
    {
        event_.what = queue;
        return *this;
    }
    EventBuilder &resets(const Reset &reset)
    {
        event_.what = reset;
        return *this;
    }
    EventBuilder &judged(const Verdict &verdict)
    {
        event_.what = verdict;
        return *this;
    }
    EventBuilder &changes_mind(const CongestionChange &change)
    {
        event_.what = change;
        return *this;
    }
    EventBuilder &probes(const Probe &probe)
    {
        event_.what = probe;
        return *this;
    }
    // For what has any, after it was set.
    EventBuilder &metrics(const Metrics &metrics)
    {
        if (auto *change = std::get_if<StateChange>(&event_.what))
            change->metrics = metrics;
        else if (auto *found = std::get_if<Found>(&event_.what))
            found->metrics = metrics;
        else
            std::get<Retransmit>(event_.what).metrics = metrics;
        return *this;
    }
    // Of a change, after it was set.
    EventBuilder &carried(std::uint64_t acked, std::uint64_t received)
    {
        std::get<StateChange>(event_.what).bytes = ByteCounts{.acked = acked, .received = received};
        return *this;
    }
    EventBuilder &took(const Traffic &traffic)
    {
        std::get<StateChange>(event_.what).traffic = traffic;
        return *this;
    }
    EventBuilder &loses(std::uint64_t count, LossReason reason, std::optional<std::uint32_t> cpu)
    {
        event_.what = Lost{.count = count, .reason = reason, .cpu = cpu};
        event_.connection = 0;
        return unknown_identity();
    }

    [[nodiscard]] OwnedEvent build() const
    {
        return {event_, identity_known_ ? std::optional(identity_) : std::nullopt};
    }

private:
    Event event_;
    Identity identity_;
    bool identity_known_ = true;
};

} // namespace tcpflight::test

#include "table/convert.h"

#include <sys/socket.h>

#include <cstring>
#include <optional>

namespace tcpflight {
namespace {

std::optional<std::uint64_t> age(std::uint64_t since_ns, std::uint64_t time_ns)
{
    if (since_ns == 0 || since_ns > time_ns)
        return std::nullopt;
    return time_ns - since_ns;
}

} // namespace

Owner to_owner(const tf_accept &raw)
{
    Owner owner;
    owner.pid = raw.pid;
    owner.tid = raw.tid;
    owner.source = OwnerSource::Accept;
    static_assert(sizeof(owner.comm) == sizeof(raw.comm));
    std::memcpy(owner.comm.data(), raw.comm, sizeof(raw.comm));
    return owner;
}

void set_place(Owner &owner, const tf_owner_place &place)
{
    owner.inner_pid = place.pid;
    owner.cgroup = {.id = place.cgroup, .hierarchy = place.hierarchy};
}

tf_owner_place place_of(const Owner &owner)
{
    return {.cgroup = owner.cgroup.id, .hierarchy = owner.cgroup.hierarchy, .pid = owner.inner_pid};
}

Identity to_identity(const Record &record)
{
    if (!record.has(TF_FLAG_IDENTITY))
        return {};
    auto identity = to_identity(record.identity);
    if (record.has(TF_FLAG_OWNER_PLACE))
        set_place(identity.owner, record.place);
    return identity;
}

Metrics to_metrics(const tf_metrics &raw)
{
    return {.rtt_us = raw.rtt_us,
            .rttvar_us = raw.rttvar_us,
            .rto_us = raw.rto_us,
            .cwnd = raw.cwnd,
            .ssthresh = raw.ssthresh,
            .send_queue = raw.send_queue,
            .recv_queue = raw.recv_queue,
            .in_flight = raw.in_flight};
}

Traffic to_traffic(const tf_traffic &raw)
{
    return {.sent = raw.segments_sent,
            .received = raw.segments_received,
            .data_sent = raw.data_segments_sent,
            .data_received = raw.data_segments_received,
            .retransmitted = raw.retransmitted,
            .bytes_retransmitted = raw.bytes_retransmitted,
            .rtt_us = raw.rtt_us,
            .min_rtt_us = raw.min_rtt_us,
            .cwnd = raw.cwnd};
}

Identity to_identity(const tf_identity &raw)
{
    Identity identity;
    static_assert(sizeof(identity.local.address.bytes) == sizeof(raw.local_addr));
    std::memcpy(identity.local.address.bytes.data(), raw.local_addr, sizeof(raw.local_addr));
    std::memcpy(identity.remote.address.bytes.data(), raw.remote_addr, sizeof(raw.remote_addr));
    identity.local.port = raw.local_port;
    identity.remote.port = raw.remote_port;
    // A dual-stack listener (::) is IPv6; its v4-mapped children are IPv4 on the wire.
    identity.family = identity.local.address.is_v4() ? Family::IPv4 : Family::IPv6;
    identity.netns = raw.netns;
    identity.uid = raw.uid;
    identity.cgroup = raw.cgroup;
    identity.owner.pid = raw.pid;
    identity.owner.tid = raw.tid;
    identity.owner.source = static_cast<OwnerSource>(raw.owner_source);
    static_assert(sizeof(identity.owner.comm) == sizeof(raw.comm));
    std::memcpy(identity.owner.comm.data(), raw.comm, sizeof(raw.comm));
    return identity;
}

tf_identity to_raw(const Identity &identity)
{
    // All fields by name: a new one does not compile until it is here.
    const auto &[local, remote, family, netns, uid, cgroup, owner, where] = identity;
    // Where the owner is stands beside it: place_of(), and the names of the cgroups.
    const auto &[pid, tid, source, comm, inner_pid, owners_cgroup] = owner;
    tf_identity raw{};
    std::memcpy(raw.local_addr, local.address.bytes.data(), sizeof(raw.local_addr));
    std::memcpy(raw.remote_addr, remote.address.bytes.data(), sizeof(raw.remote_addr));
    raw.local_port = local.port;
    raw.remote_port = remote.port;
    // The socket's own family is not in the model; the addresses say what is.
    raw.family = family == Family::IPv4 ? AF_INET : AF_INET6;
    raw.netns = netns;
    raw.uid = uid;
    raw.cgroup = cgroup;
    raw.pid = pid;
    raw.tid = tid;
    raw.owner_source = static_cast<std::uint8_t>(source);
    std::memcpy(raw.comm, comm.data(), sizeof(raw.comm));
    return raw;
}

SocketStatus to_status(const tf_socket &raw, std::uint64_t time_ns)
{
    return {.inode = raw.inode,
            .in_state_ns = age(raw.since_ns, time_ns),
            .established_ns = age(raw.established_ns, time_ns),
            .recv_queue = raw.recv_queue,
            .send_queue = raw.send_queue,
            .timer_left_us = raw.timer_left_us,
            .drops = raw.drops,
            .mark = raw.mark,
            .timer = static_cast<Timer>(raw.timer),
            .retries = raw.retries,
            .ipv6_only = (raw.bits & TF_SOCKET_IPV6_ONLY) != 0,
            .shut_read = (raw.bits & TF_SOCKET_SHUT_READ) != 0,
            .shut_write = (raw.bits & TF_SOCKET_SHUT_WRITE) != 0};
}

Found to_found(const Record &record)
{
    Found found{.state = TcpState{record.header.new_state},
                .time_wait_socket = record.has(TF_FLAG_TIME_WAIT_SOCKET),
                .waits = (record.socket.bits & TF_SOCKET_WAITS) != 0,
                .error = record.header.error,
                .status = to_status(record.socket, record.header.time_ns),
                .metrics = {},
                .holders = {}};
    if (record.has(TF_FLAG_METRICS))
        found.metrics = to_metrics(record.metrics);
    return found;
}

} // namespace tcpflight

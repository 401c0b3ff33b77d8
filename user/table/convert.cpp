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

NetnsSettings to_settings(const tf_settings &raw)
{
    return {.netns = raw.netns,
            .ports = raw.ports,
            .time_waits = raw.time_waits,
            .fin_timeout_s = raw.fin_timeout_s,
            .keepalive_time_s = raw.keepalive_time_s,
            .keepalive_intvl_s = raw.keepalive_intvl_s,
            .keepalive_probes = raw.keepalive_probes,
            .somaxconn = raw.somaxconn,
            .syn_backlog = raw.syn_backlog,
            .retries1 = raw.retries1};
}

tf_settings to_raw(const NetnsSettings &settings)
{
    tf_settings raw{};
    raw.netns = settings.netns;
    raw.ports = settings.ports;
    raw.time_waits = settings.time_waits;
    raw.fin_timeout_s = settings.fin_timeout_s;
    raw.keepalive_time_s = settings.keepalive_time_s;
    raw.keepalive_intvl_s = settings.keepalive_intvl_s;
    raw.somaxconn = settings.somaxconn;
    raw.syn_backlog = settings.syn_backlog;
    raw.retries1 = static_cast<std::uint8_t>(settings.retries1); // the kernel keeps them in a byte, too
    raw.keepalive_probes = static_cast<std::uint8_t>(settings.keepalive_probes);
    return raw;
}

Usage to_usage(const Record &record)
{
    return {.kind = record.usage.kind == TF_USAGE_PORTS ? Usage::Kind::Ports : Usage::Kind::TimeWaits,
            .connection = record.header.cookie,
            .identity = to_identity(record),
            .taken = record.usage.taken,
            .at_most = record.usage.at_most};
}

tf_identity identity_in(std::span<const std::byte> record, const tf_header &header)
{
    const auto behind = sizeof(tf_identity) + ((header.flags & TF_FLAG_OWNER_PLACE) != 0 ? sizeof(tf_owner_place) : 0);
    tf_identity identity{};
    std::memcpy(&identity, record.data() + record.size() - behind, sizeof(identity));
    return identity;
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

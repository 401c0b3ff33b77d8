#include "table/identity.h"

#include <sys/socket.h>

#include <cstring>

namespace tcpflight {

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
    const auto &[local, remote, family, netns, uid, cgroup, owner] = identity;
    const auto &[pid, tid, source, comm] = owner;
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

} // namespace tcpflight

#include "probe/snapshot.h"

#include "decode/decode.h"
#include "model/clock.h"
#include "probe/namespaces.h"
#include "tcpflight/looker.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <tsl/robin_map.h>

#include <cstring>
#include <fstream>
#include <future>
#include <set>
#include <span>
#include <string>
#include <unordered_set>

namespace tcpflight {
namespace {

// Socket > of those that have it open, who began first: a server before its workers, a parent before the child that
// got its sockets.
using Owners = tsl::robin_map<std::uint64_t, const tf_holder *>;

Owners choose_owners(std::span<const tf_holder> holders)
{
    Owners owners;
    owners.reserve(holders.size());
    for (const auto &holder : holders) {
        auto [owner, is_first] = owners.try_emplace(holder.cookie, &holder);
        if (!is_first && holder.since < owner->second->since)
            owner.value() = &holder;
    }
    return owners;
}

void set_owner(std::span<std::byte> record, const tf_holder &holder)
{
    // They end the record (records.h).
    auto *place = record.data() + record.size() - sizeof(tf_owner_place);
    auto *at = place - sizeof(tf_identity);
    tf_identity identity{};
    std::memcpy(&identity, at, sizeof(identity));
    identity.pid = holder.pid;
    identity.tid = holder.tid;
    identity.owner_source = TF_OWNER_SNAPSHOT;
    static_assert(sizeof(identity.comm) == sizeof(holder.comm));
    std::memcpy(identity.comm, holder.comm, sizeof(identity.comm));
    std::memcpy(at, &identity, sizeof(identity));
    std::memcpy(place, &holder.place, sizeof(holder.place));
}

void set_owners(std::span<std::byte> records, const Owners &owners)
{
    for (std::size_t size = 0; (size = first_record_size(records)) != 0; records = records.subspan(size)) {
        tf_header header{};
        std::memcpy(&header, records.data(), sizeof(header));
        if (auto owner = owners.find(header.cookie); owner != owners.end())
            set_owner(records.first(size), *owner->second);
    }
}

std::size_t count_out_of_reach(std::span<const tf_holder> holders, const std::set<std::uint32_t> &visited)
{
    std::unordered_set<std::uint64_t> cookies;
    for (const auto &holder : holders) {
        if (!visited.contains(holder.netns))
            cookies.insert(holder.cookie);
    }
    return cookies.size();
}

// 0: there is no such setting.
std::uint32_t read_setting(const char *name)
{
    std::ifstream file(std::string("/proc/sys/net/") + name);
    std::uint32_t value = 0;
    return file >> value ? value : 0;
}

PortRange read_ports()
{
    std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    if (!(file >> low >> high))
        return {};
    PortRange ports(low, high);
    std::string reserved;
    std::getline(std::ifstream("/proc/sys/net/ipv4/ip_local_reserved_ports"), reserved);
    return ports.reserve(reserved) ? ports : PortRange(low, high);
}

// Of the namespace that this thread is in: /proc/sys/net shows those of whoever opens its files.
NetnsLimits read_limits()
{
    NetnsLimits limits;
    limits.ports = read_ports();
    auto &settings = limits.settings;
    struct stat own {};
    if (stat("/proc/thread-self/ns/net", &own) == 0)
        settings.netns = static_cast<std::uint32_t>(own.st_ino);
    settings.ports = limits.ports.count();
    settings.time_waits = read_setting("ipv4/tcp_max_tw_buckets");
    settings.fin_timeout_s = read_setting("ipv4/tcp_fin_timeout");
    settings.keepalive_time_s = read_setting("ipv4/tcp_keepalive_time");
    settings.keepalive_intvl_s = read_setting("ipv4/tcp_keepalive_intvl");
    settings.keepalive_probes = read_setting("ipv4/tcp_keepalive_probes");
    settings.somaxconn = read_setting("core/somaxconn");
    settings.syn_backlog = read_setting("ipv4/tcp_max_syn_backlog");
    settings.retries1 = read_setting("ipv4/tcp_retries1");
    return limits;
}

Result<void> read_everywhere(const SocketIterators &iterators, Snapshot &snapshot)
{
    prctl(PR_SET_NAME, TF_LOOKER_NAME, 0, 0, 0);
    auto inhabitants = iterators.inhabitants();
    if (!inhabitants)
        return tl::unexpected(inhabitants.error());
    snapshot.begin_ns = boot_now_ns();
    auto namespaces = visit_namespaces(*inhabitants, [&] {
        snapshot.limits.push_back(read_limits());
        return iterators.read_sockets(snapshot.records);
    });
    if (!namespaces)
        return tl::unexpected(namespaces.error());
    snapshot.end_ns = boot_now_ns();
    snapshot.namespaces = std::move(*namespaces);
    return {};
}

} // namespace

// Beside each other, for either takes long where there is much, and tracing waits: whoever opens a socket meanwhile is
// seen doing so.
Result<Snapshot> take_snapshot(const SocketIterators &iterators)
{
    prctl(PR_SET_NAME, TF_LOOKER_NAME, 0, 0, 0);
    Snapshot snapshot;
    auto reading = std::async(std::launch::async | std::launch::deferred, [&] { return iterators.holders(); });
    auto read = read_everywhere(iterators, snapshot);
    auto holders = reading.get();
    if (!holders)
        return tl::unexpected(holders.error());
    if (!read)
        return tl::unexpected(read.error());
    snapshot.holders = std::move(*holders);
    set_owners(snapshot.records, choose_owners(snapshot.holders));
    snapshot.out_of_reach = count_out_of_reach(snapshot.holders, snapshot.namespaces.visited);
    return snapshot;
}

Result<Snapshot> look_at_sockets(const SocketIterators &iterators)
{
    Snapshot snapshot;
    if (auto read = read_everywhere(iterators, snapshot); !read)
        return tl::unexpected(read.error());
    return snapshot;
}

} // namespace tcpflight

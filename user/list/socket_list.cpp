#include "list/socket_list.h"

#include "decode/decode.h"
#include "table/convert.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace tcpflight {
namespace {

bool is_wanted(const Filter &filter, const ListedSocket &socket)
{
    if (filter.is_open())
        return true;
    Event event;
    event.time_ns = socket.time_ns;
    event.identity = &socket.identity;
    event.what = socket.found;
    const auto &status = socket.found.status;
    auto age = status.established_ns ? status.established_ns : status.in_state_ns;
    // As it is now: nothing of that will change.
    Numbers numbers;
    numbers.duration_ns = age.value_or(0);
    numbers.from_begin = age.has_value();
    numbers.is_over = true;
    if (socket.found.metrics && socket.found.metrics->rtt_us != 0)
        numbers.min_rtt_ns = numbers.max_rtt_ns = std::uint64_t{socket.found.metrics->rtt_us} * 1000;
    return filter.judge({.identity = &socket.identity,
                         .direction = Direction::Unknown,
                         .event = &event,
                         .numbers = &numbers,
                         .holders = socket.holders}) == Answer::Yes;
}

ListedSocket to_socket(const Record &record)
{
    ListedSocket socket;
    socket.cookie = record.header.cookie;
    socket.time_ns = record.header.time_ns;
    socket.identity = to_identity(record);
    socket.found = to_found(record);
    return socket;
}

auto local_order(const ListedSocket &s)
{
    const auto &id = s.identity;
    return std::tie(id.local.port, id.local.address.bytes, id.remote.address.bytes, id.remote.port, id.netns);
}

auto remote_order(const ListedSocket &s)
{
    const auto &id = s.identity;
    return std::tie(id.remote.address.bytes, id.remote.port);
}

bool before(SortKey key, const ListedSocket &a, const ListedSocket &b)
{
    const auto &as = a.found.status;
    const auto &bs = b.found.status;
    switch (key) {
    case SortKey::State: return a.found.state < b.found.state;
    case SortKey::RecvQueue: return as.recv_queue > bs.recv_queue;
    case SortKey::SendQueue: return as.send_queue > bs.send_queue;
    case SortKey::Local: return false;
    case SortKey::Remote: return remote_order(a) < remote_order(b);
    case SortKey::Process:
        return std::tuple(!a.identity.owner.is_known(), a.identity.owner.comm_view(), a.identity.owner.pid) <
               std::tuple(!b.identity.owner.is_known(), b.identity.owner.comm_view(), b.identity.owner.pid);
    case SortKey::Timer:
        return std::tuple(as.timer == Timer::None, -as.retries, as.timer_left_us) <
               std::tuple(bs.timer == Timer::None, -bs.retries, bs.timer_left_us);
    case SortKey::Age: return as.in_state_ns > bs.in_state_ns; // none is the least
    case SortKey::Default: break;
    }
    return a.found.state == TcpState::Listen && b.found.state != TcpState::Listen;
}

} // namespace

SocketList::SocketList(std::span<const std::byte> records, std::span<const tf_holder> holders, const Filter &filter,
                       const Cgroups &cgroups)
{
    group(holders);
    tsl::robin_map<std::uint64_t, std::size_t> places;
    sockets_.reserve(records.size() / (sizeof(tf_header) + sizeof(tf_socket) + sizeof(tf_identity)));
    places.reserve(sockets_.capacity());
    Record record{};
    for (std::size_t size = 0; (size = first_record_size(records)) != 0; records = records.subspan(size)) {
        if (decode(records.first(size), record) != DecodeError::None)
            return; // never: the kernel hands over whole records only
        auto socket = to_socket(record);
        cgroups.locate(socket.identity);
        socket.holders = holders_of(socket.cookie);
        if (!is_wanted(filter, socket))
            continue;
        auto [place, is_new] = places.try_emplace(socket.cookie, sockets_.size());
        if (is_new)
            sockets_.push_back(socket);
        else
            sockets_[place->second] = socket;
    }
}

// Counted first and then put in place: sorting them would take longer than reading them.
void SocketList::group(std::span<const tf_holder> holders)
{
    groups_.reserve(holders.size());
    for (const auto &holder : holders)
        groups_[holder.cookie].second++;
    std::uint32_t begin = 0;
    for (auto group = groups_.begin(); group != groups_.end(); ++group) {
        auto count = group->second.second;
        group.value() = {begin, begin};
        begin += count;
    }
    holders_.resize(holders.size());
    for (const auto &raw : holders) {
        auto group = groups_.find(raw.cookie);
        auto &holder = holders_[group.value().second++];
        holder.pid = raw.pid;
        holder.tid = raw.tid;
        holder.fd = raw.fd;
        static_assert(sizeof(holder.comm) == sizeof(raw.comm));
        std::memcpy(holder.comm.data(), raw.comm, sizeof(raw.comm));
    }
}

std::span<const Holder> SocketList::holders_of(std::uint64_t cookie) const
{
    auto group = groups_.find(cookie);
    if (group == groups_.end())
        return {};
    return std::span(holders_).subspan(group->second.first, group->second.second - group->second.first);
}

void SocketList::sort(SortKey key)
{
    // By number: a socket is large. What is equal stays in the order of the local ends.
    std::vector<std::uint32_t> order(sockets_.size());
    for (std::uint32_t i = 0; i < order.size(); i++)
        order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
        const auto &a = sockets_[left];
        const auto &b = sockets_[right];
        if (before(key, a, b))
            return true;
        return !before(key, b, a) && local_order(a) < local_order(b);
    });
    std::vector<ListedSocket> sorted;
    sorted.reserve(sockets_.size());
    for (auto i : order)
        sorted.push_back(sockets_[i]);
    sockets_.swap(sorted);
}

} // namespace tcpflight

#include "diagnose/pairs.h"

#include <algorithm>
#include <array>

namespace tcpflight {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
    hash = (hash ^ value) * odd;
    return hash ^ (hash >> 29);
}

std::uint64_t mix(std::uint64_t hash, const Address &address)
{
    const auto [high, low] = address.words();
    return mix(mix(hash, high), low);
}

std::uint64_t mix(std::uint64_t hash, const Endpoint &endpoint)
{
    return mix(mix(hash, endpoint.address), endpoint.port);
}

// 127.0.0.0/8 and ::1 are another host in each network namespace.
bool is_loopback(const Address &address)
{
    static constexpr std::array<std::uint8_t, 16> v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return address.is_v4() ? address.bytes[12] == 127 : address.bytes == v6;
}

std::uint64_t ends_of(const Endpoint &from, const Endpoint &to, const Identity &identity)
{
    return mix(mix(is_loopback(identity.remote.address) ? identity.netns : 0, from), to);
}

// Never 0. Two addresses can have the same: then one gets entries that nobody looks for.
std::uint32_t short_of(std::uint64_t address)
{
    return static_cast<std::uint32_t>(address >> 32) | 1U;
}

} // namespace

bool Pairs::add(End end, const Identity &identity)
{
    if (identity.local.port == 0 || identity.remote.port == 0)
        return false;
    learn_address(mix(0, identity.local.address));
    if (end.slot >= slots_.size())
        slots_.resize(end.slot + std::size_t{1});
    const auto ends = ends_of(identity.local, identity.remote, identity);
    const auto remote = mix(0, identity.remote.address);
    slots_[end.slot] = {.ends = ends, .remote = short_of(remote)};
    if (is_here(remote))
        by_ends_[ends] = end;
    return true;
}

std::uint64_t Pairs::leave(std::uint32_t slot)
{
    slots_[slot].remote = 0;
    return slots_[slot].ends;
}

// A later connection can have the same ends.
void Pairs::forget(std::uint64_t connection, std::uint64_t ends)
{
    if (auto found = by_ends_.find(ends); found != by_ends_.end() && found->second.connection == connection)
        by_ends_.erase(found);
}

std::optional<Pairs::End> Pairs::other_end_of(const Identity &identity) const
{
    auto found = by_ends_.find(ends_of(identity.remote, identity.local, identity));
    return found != by_ends_.end() ? std::optional(found->second) : std::nullopt;
}

void Pairs::clear()
{
    slots_.clear();
    by_ends_.clear();
    addresses_.clear();
}

bool Pairs::is_here(std::uint64_t address) const
{
    return addresses_.size() >= max_addresses || addresses_.contains(address);
}

// Rare: an address is new once.
void Pairs::learn_address(std::uint64_t address)
{
    if (is_here(address))
        return;
    addresses_.insert(address);
    const bool are_all = addresses_.size() >= max_addresses;
    for (std::uint32_t slot = 0; slot < slots_.size(); slot++) {
        const auto &known = slots_[slot];
        if (known.remote != 0 && (are_all || known.remote == short_of(address)))
            by_ends_[known.ends] = {.connection = connection_in_(slot), .slot = slot};
    }
}

} // namespace tcpflight

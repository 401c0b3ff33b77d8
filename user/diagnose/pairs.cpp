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
    learn_address(identity.local.address);
    slots_.reach(end.slot);
    const auto remote = mix(0, identity.remote.address);
    const auto ends = ends_of(identity.local, identity.remote, identity);
    slots_[end.slot] = {.high = static_cast<std::uint32_t>(ends >> 32),
                        .low = static_cast<std::uint32_t>(ends),
                        .remote = short_of(remote)};
    added_++;
    if (is_here(identity.remote.address, remote))
        enter(end.slot);
    return true;
}

// Of two with the same ends, which only a gap or other namespaces can make, the last one counts.
void Pairs::enter(std::uint32_t slot)
{
    const auto ends = slots_[slot].ends();
    if (const auto before = find(ends); before != no_slot)
        by_ends_.remove(ends, before);
    by_ends_.add(ends, slot);
}

std::uint64_t Pairs::leave(const End &end)
{
    const auto ends = slots_[end.slot].ends();
    if (drop(end.slot))
        left_[ends] = end.connection;
    return ends;
}

bool Pairs::drop(std::uint32_t slot)
{
    auto &known = slots_[slot];
    known.remote = 0;
    const auto ends = known.ends();
    if (find(ends) != slot)
        return false;
    by_ends_.remove(ends, slot);
    return true;
}

// A later connection can have the same ends.
void Pairs::forget(std::uint64_t connection, std::uint64_t ends)
{
    if (auto found = left_.find(ends); found != left_.end() && found->second == connection)
        left_.erase(found);
}

std::optional<Pairs::End> Pairs::other_end_of(const Identity &identity) const
{
    const auto ends = ends_of(identity.remote, identity.local, identity);
    if (const auto slot = find(ends); slot != no_slot)
        return End{.connection = connection_in_(slot), .slot = slot};
    if (auto found = left_.find(ends); found != left_.end())
        return End{.connection = found->second};
    return std::nullopt;
}

void Pairs::clear()
{
    slots_.clear();
    by_ends_.clear();
    left_.clear();
    addresses_.clear();
    added_ = scanned_ = 0;
    all_here_ = false;
}

// Loopback is, wherever one looks.
bool Pairs::is_here(const Address &address, std::uint64_t hash) const
{
    return all_here_ || is_loopback(address) || addresses_.contains(hash);
}

// An address is new once; but a host can have thousands, and each is looked for among all that is alive.
void Pairs::learn_address(const Address &address)
{
    // A slot takes a nanosecond, and an entry some tens; the base is less than a start takes.
    constexpr std::uint64_t slots_an_entry = 16;
    constexpr std::uint64_t base = 1'000'000;
    const auto hash = mix(0, address);
    if (is_here(address, hash))
        return;
    addresses_.insert(hash);
    scanned_ += slots_.size();
    all_here_ = addresses_.size() >= max_addresses || scanned_ > base + slots_an_entry * added_;
    for (std::uint32_t slot = 0; slot < slots_.size(); slot++) {
        const auto &known = slots_[slot];
        if (known.remote != 0 && (all_here_ || known.remote == short_of(hash)) && find(known.ends()) != slot)
            enter(slot);
    }
}

} // namespace tcpflight

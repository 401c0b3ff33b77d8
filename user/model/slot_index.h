// Where each thing lives: key > slot. Open addressing with eight bytes a place, for at a million connections nearly
// every look is a cache miss, here and in the slot, which has the key itself. It grows by a half and by a third in
// turns, so that at least half of the places are taken; a power of two would leave up to five eighths of them free.
#pragma once

#include "model/event.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace tcpflight {

class SlotIndex {
public:
    SlotIndex() { clear(); }

    [[nodiscard]] std::size_t size() const { return size_; }

    // no_slot: it is not there. `key_in(slot)` is the key of what lives there.
    template <typename KeyIn> [[nodiscard]] std::uint32_t find(std::uint64_t key, const KeyIn &key_in) const
    {
        const auto tag = tag_of(key);
        for (std::size_t at = home_of(tag);; at = next(at)) {
            const auto &place = places_[at];
            if (place.slot == no_slot || (place.tag == tag && key_in(place.slot) == key))
                return place.slot;
        }
    }

    // It must not be there.
    void add(std::uint64_t key, std::uint32_t slot)
    {
        if (4 * (size_ + 1) > 3 * places_.size())
            grow();
        put({.tag = tag_of(key), .slot = slot});
        size_++;
    }

    // It must be there.
    void remove(std::uint64_t key, std::uint32_t slot)
    {
        std::size_t hole = home_of(tag_of(key));
        while (places_[hole].slot != slot)
            hole = next(hole);
        // What stands behind it moves up, unless it is at home already.
        for (std::size_t at = next(hole); places_[at].slot != no_slot; at = next(at)) {
            const auto from_home = distance(home_of(places_[at].tag), at);
            if (from_home >= distance(hole, at)) {
                places_[hole] = places_[at];
                hole = at;
            }
        }
        places_[hole].slot = no_slot;
        size_--;
    }

    void clear()
    {
        places_.assign(smallest, {});
        size_ = 0;
    }

private:
    struct Place {
        std::uint32_t tag = 0;
        std::uint32_t slot = no_slot;
    };
    static constexpr std::size_t smallest = 64;

    // Cookies are numbered one after the other. The seed: a hostile recording cannot choose them so that they collide.
    [[nodiscard]] std::uint32_t tag_of(std::uint64_t key) const
    {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = (key ^ seed_) * odd;
        mixed = (mixed ^ mixed >> 32) * odd;
        return static_cast<std::uint32_t>(mixed >> 32);
    }
    // In the order of tags, whatever the size, so that growing goes through the places old and new from first to last.
    [[nodiscard]] std::size_t home_of(std::uint32_t tag) const
    {
        return static_cast<std::size_t>(std::uint64_t{tag} * places_.size() >> 32);
    }
    [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 < places_.size() ? at + 1 : 0; }
    [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const
    {
        return to >= from ? to - from : to + places_.size() - from;
    }

    void put(const Place &place)
    {
        std::size_t at = home_of(place.tag);
        while (places_[at].slot != no_slot)
            at = next(at);
        places_[at] = place;
    }

    void grow()
    {
        const auto size = places_.size();
        std::vector<Place> before(std::has_single_bit(size) ? size / 2 * 3 : size / 3 * 4);
        before.swap(places_);
        for (const auto &place : before) {
            if (place.slot != no_slot)
                put(place);
        }
    }

    static std::uint64_t make_seed()
    {
        std::random_device random;
        return std::uint64_t{random()} << 32 | random();
    }

    std::vector<Place> places_; // a power of two, or one and a half; a quarter of them free at least
    std::size_t size_ = 0;
    std::uint64_t seed_ = make_seed();
};

} // namespace tcpflight

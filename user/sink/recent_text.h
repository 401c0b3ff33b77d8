// Text that was put lately, by what it says. A connection is told of several times within microseconds, when it opens
// and when it closes: then its addresses and its owner need not be written anew.
#pragma once

#include "sink/line_writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace tcpflight {

// Text of more than `Size` bytes (a multiple of 16) is not kept.
template <typename Key, std::size_t Size> class RecentText {
public:
    // `write(line)` puts the text, which depends on `key` alone: a Key, or what can be compared with one and assigned
    // to it. `number` picks the place: different ones for keys that are told of at the same time.
    template <typename KeyLike, typename Write>
    void put(LineWriter &line, const KeyLike &key, std::uint64_t number, const Write &write)
    {
        auto &place = (*places_)[number % places];
        if (place.size != 0 && place.key == key) {
            line.put_rounded(place.text.data(), place.size);
            return;
        }
        // Enough for all of it: what is asked for in between does not hand the line over.
        const char *begin = line.room(Size + LineWriter::max_room);
        write(line);
        const auto size = static_cast<std::size_t>(line.here() - begin);
        place.size = 0;
        if (line.here() < begin || size > Size)
            return;
        place.key = key;
        std::memcpy(place.text.data(), begin, size);
        place.size = size;
    }

private:
    static_assert(Size % 16 == 0);
    static constexpr std::size_t places = 256;
    struct Place {
        std::size_t size = 0; // 0: it is free
        Key key{};
        std::array<char, Size> text{};
    };

    std::unique_ptr<std::array<Place, places>> places_ = std::make_unique<std::array<Place, places>>();
};

} // namespace tcpflight

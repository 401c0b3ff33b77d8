// What can be told of a recording whose begin is damaged or missing.
#pragma once

#include "model/clock.h"
#include "recording/block.h"
#include "recording/format.h"

#include <cstddef>
#include <optional>
#include <span>

namespace tcpflight {

struct Ahead {
    bool has_block = false;           // it is a recording
    std::optional<StartInfo> start;   // of the Start block, if that is the first one that is sound
    std::optional<ClockAnchor> clock; // otherwise that of the first entry point; none: there is none
};

// So far it looks: what it needs comes behind each half of a megabyte, unless very much is alive.
constexpr std::size_t max_look_ahead = std::size_t{8} << 20;

// `bytes`: the file from its begin, no more than that.
Ahead look_ahead(std::span<const std::byte> bytes, BlockUnpacker &blocks);

} // namespace tcpflight

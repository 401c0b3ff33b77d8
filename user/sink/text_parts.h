// What lines of several kinds have in common.
#pragma once

#include "sink/line_writer.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

constexpr std::uint64_t ns_per_us = 1000;

inline void put_labelled(LineWriter &line, std::string_view label, std::uint64_t value)
{
    line.put(label);
    line.put_decimal(value);
}

} // namespace tcpflight

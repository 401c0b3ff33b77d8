// What lines of several kinds have in common.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

constexpr std::uint64_t ns_per_us = 1000;

// A time that was worked out, and is not known to the microsecond.
constexpr std::uint64_t about(std::uint64_t duration_ns)
{
    constexpr std::uint64_t tenth_of_a_second = 100'000'000;
    return duration_ns - duration_ns % tenth_of_a_second;
}

inline void put_labelled(LineWriter &line, std::string_view label, std::uint64_t value)
{
    line.put(label);
    line.put_decimal(value);
}

// With -v. `bytes` is of a socket that has ended.
inline void put_bytes(LineWriter &line, const ByteCounts &bytes)
{
    put_labelled(line, ", bytes acked ", bytes.acked);
    put_labelled(line, " received ", bytes.received);
}

inline void put_segments(LineWriter &line, const Traffic &traffic)
{
    put_labelled(line, ", segments out ", traffic.sent);
    put_labelled(line, " in ", traffic.received);
    put_labelled(line, " again ", traffic.retransmitted);
}

} // namespace tcpflight

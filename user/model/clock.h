// From the kernel's clock to the wall's.
#pragma once

#include <cstdint>

namespace tcpflight {

// Records carry CLOCK_BOOTTIME, which no clock step disturbs. An anchor is one moment read from both clocks.
struct ClockAnchor {
    std::uint64_t boot_ns = 0;
    std::int64_t wall_ns = 0; // since the epoch, UTC

    [[nodiscard]] std::int64_t to_wall(std::uint64_t time_ns) const
    {
        // Unsigned: from a file, they can be anything.
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(wall_ns) + time_ns - boot_ns);
    }
};

// Reads both clocks, CLOCK_BOOTTIME twice around the other, and keeps the tightest of several tries.
ClockAnchor read_clock_anchor();

// CLOCK_BOOTTIME now, nanoseconds.
std::uint64_t boot_now_ns();

// How long a jiffy is, microseconds (4000 with CONFIG_HZ=250): coarse clocks go in these (LOW_RES_NSEC in
// include/linux/hrtimer_defs.h).
std::uint32_t jiffy_us();

} // namespace tcpflight

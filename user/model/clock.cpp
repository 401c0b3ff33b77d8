#include "model/clock.h"

#include <ctime>
#include <limits>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;

std::uint64_t to_ns(const timespec &time)
{
    return static_cast<std::uint64_t>(time.tv_sec) * ns_per_s + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t read_ns(clockid_t id)
{
    timespec ts{};
    clock_gettime(id, &ts);
    return to_ns(ts);
}

} // namespace

std::uint64_t boot_now_ns()
{
    return read_ns(CLOCK_BOOTTIME);
}

std::uint32_t jiffy_us()
{
    constexpr std::uint64_t ns_per_us = 1000;
    timespec resolution{};
    clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
    return static_cast<std::uint32_t>(to_ns(resolution) / ns_per_us);
}

ClockAnchor read_clock_anchor()
{
    ClockAnchor best;
    auto best_width = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 5; i++) {
        auto before = boot_now_ns();
        auto wall = read_ns(CLOCK_REALTIME);
        auto after = boot_now_ns();
        if (after - before >= best_width)
            continue;
        best_width = after - before;
        best = {before + best_width / 2, static_cast<std::int64_t>(wall)};
    }
    return best;
}

} // namespace tcpflight

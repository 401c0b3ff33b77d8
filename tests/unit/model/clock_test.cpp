#include "model/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace tcpflight {
namespace {

std::int64_t wall_now_ns()
{
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

TEST(Clock, ConvertsForwardsAndBackwards)
{
    const ClockAnchor anchor{.boot_ns = 5'000, .wall_ns = 1'000'000};
    EXPECT_EQ(anchor.to_wall(5'000), 1'000'000);
    EXPECT_EQ(anchor.to_wall(5'001), 1'000'001);
    EXPECT_EQ(anchor.to_wall(4'999), 999'999);
    EXPECT_EQ(anchor.to_wall(0), 995'000);
}

TEST(Clock, JiffiesAreOneOfTheKernelsChoices)
{
    // kernel/Kconfig.hz: CONFIG_HZ is 100, 250, 300 or 1000.
    EXPECT_TRUE(jiffy_us() == 10'000 || jiffy_us() == 4'000 || jiffy_us() == 3'333 || jiffy_us() == 1'000)
        << jiffy_us();
}

TEST(Clock, SurvivesAWallClockBeforeTheEpoch)
{
    const ClockAnchor anchor{.boot_ns = 10, .wall_ns = -100};
    EXPECT_EQ(anchor.to_wall(0), -110);
    EXPECT_EQ(anchor.to_wall(111), 1);
}

TEST(Clock, BootTimeDoesNotRunBackwards)
{
    auto last = boot_now_ns();
    EXPECT_GT(last, 0U);
    for (int i = 0; i < 1000; i++) {
        const auto now = boot_now_ns();
        ASSERT_GE(now, last);
        last = now;
    }
}

// Whatever the scheduler does in between: converted, a moment between two readings of the wall clock lies between them.
// The allowance is for the two clocks being slewed apart, at most 500 ppm (adjtimex(2)), and for the anchor's width.
TEST(Clock, AnAnchorMapsNowToNow)
{
    const auto anchor = read_clock_anchor();
    const std::int64_t before = wall_now_ns();
    const std::int64_t converted = anchor.to_wall(boot_now_ns());
    const std::int64_t after = wall_now_ns();
    constexpr std::int64_t allowance_ns = 1'000'000;
    EXPECT_GE(converted, before - allowance_ns);
    EXPECT_LE(converted, after + allowance_ns);
}

} // namespace
} // namespace tcpflight

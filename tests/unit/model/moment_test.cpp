#include "model/moment.h"

#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::int64_t s = 1'000'000'000;
constexpr std::int64_t saturday = 1'795'219'200 * s; // 2026-11-21 00:00:00 UTC
constexpr const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::int64_t wall(const char *text, std::int64_t after_ns = saturday)
{
    auto moment = parse_moment(text);
    EXPECT_TRUE(moment) << text;
    return moment ? moment->to_wall(after_ns) : 0;
}

TEST(Moment, IsATimeOfTheDayThatComesNext)
{
    TimeZone zone("UTC0");
    EXPECT_EQ(wall("14:05"), saturday + (14 * 3600 + 5 * 60) * s);
    EXPECT_EQ(wall("14:05:07"), saturday + (14 * 3600 + 5 * 60 + 7) * s);
    EXPECT_EQ(wall("14:05:07.25"), saturday + (14 * 3600 + 5 * 60 + 7) * s + s / 4);
    EXPECT_EQ(wall("14:05", saturday + 15 * 3600 * s), saturday + (38 * 3600 + 5 * 60) * s);
    EXPECT_EQ(wall("00:00"), saturday);
    EXPECT_EQ(wall("24:00"), saturday + 24 * 3600 * s);
}

TEST(Moment, IsOnADay)
{
    TimeZone zone("UTC0");
    EXPECT_EQ(wall("2026-11-21 14:05"), saturday + (14 * 3600 + 5 * 60) * s);
    EXPECT_EQ(wall("2026-11-21T14:05:01"), saturday + (14 * 3600 + 5 * 60 + 1) * s);
    EXPECT_EQ(wall("2026-11-21 14:05", 2 * saturday), saturday + (14 * 3600 + 5 * 60) * s);
    EXPECT_EQ(wall("2024-02-29 00:00"), 1'709'164'800 * s);
}

TEST(Moment, IsLocal)
{
    TimeZone zone(berlin);
    EXPECT_EQ(wall("2026-11-21 01:00"), saturday);
    EXPECT_EQ(wall("2026-07-01 02:00"), 1'782'864'000 * s); // summer time
    EXPECT_EQ(wall("01:00"), saturday);
    EXPECT_EQ(wall("00:59"), saturday + 24 * 3600 * s - 60 * s);
}

TEST(Moment, IsSecondsSince1970InAnyZone)
{
    TimeZone zone(berlin);
    EXPECT_EQ(wall("1795219200"), saturday);
    EXPECT_EQ(wall("1795219200.000000001"), saturday + 1);
    EXPECT_EQ(wall("0"), 0);
}

TEST(Moment, IsNothingElse)
{
    for (const char *text : {"",
                             "noon",
                             "14:",
                             "14:5",
                             "1:05",
                             "25:00",
                             "24:01",
                             "24:00:00.1",
                             "14:60",
                             "14:05:60",
                             "14:05:",
                             "14:05:07.",
                             "14:05:07.x",
                             "14:05 ",
                             " 14:05",
                             "14:05.5",
                             "2026-11-21",
                             "2026-11-21 ",
                             "2026-13-01 00:00",
                             "2026-00-01 00:00",
                             "2026-02-30 00:00",
                             "2026-11-21  14:05",
                             "21.11.2026 14:05",
                             "-1",
                             "+1",
                             "1795219200s",
                             "99999999999999999999",
                             "9999999999999",
                             "1795219200.",
                             "1.0000000000",
                             "14:05:07.0000000000"})
        EXPECT_FALSE(parse_moment(text)) << text;
}

} // namespace
} // namespace tcpflight::test

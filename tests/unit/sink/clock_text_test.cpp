#include "sink/clock_text.h"

#include "unit/sink/print.h"
#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::start_ns;
using test::TimeZone;

constexpr std::int64_t s = 1'000'000'000;
constexpr const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

std::string text_of(ClockText &clock, std::int64_t wall_ns)
{
    std::string out;
    LineWriter line(out);
    clock.put(line, wall_ns);
    line.finish();
    out.pop_back();
    return out;
}

std::string text_of(ClockText::Shape shape, std::int64_t wall_ns, TimePrecision precision = TimePrecision::Micro)
{
    ClockText clock(shape, precision);
    return text_of(clock, wall_ns);
}

TEST(ClockText, EveryShape)
{
    const TimeZone zone("UTC0");
    const std::int64_t moment = start_ns + 1'203'456;
    EXPECT_EQ(text_of(ClockText::Shape::Clock, moment), "20:28:51.001203");
    EXPECT_EQ(text_of(ClockText::Shape::DateClock, moment), "2026-11-21 20:28:51.001203");
    EXPECT_EQ(text_of(ClockText::Shape::Epoch, moment), "1795292931.001203");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, moment), "2026-11-21T20:28:51.001203Z");
}

TEST(ClockText, NanosecondsInEveryShape)
{
    const TimeZone zone("UTC0");
    const std::int64_t moment = start_ns + 1'203'456;
    EXPECT_EQ(text_of(ClockText::Shape::Clock, moment, TimePrecision::Nano), "20:28:51.001203456");
    EXPECT_EQ(text_of(ClockText::Shape::DateClock, moment, TimePrecision::Nano), "2026-11-21 20:28:51.001203456");
    EXPECT_EQ(text_of(ClockText::Shape::Epoch, moment, TimePrecision::Nano), "1795292931.001203456");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, moment, TimePrecision::Nano), "2026-11-21T20:28:51.001203456Z");
}

TEST(ClockText, LocalTimeInTheZoneOfTZ)
{
    const TimeZone zone("IST-5:30");
    EXPECT_EQ(text_of(ClockText::Shape::Clock, start_ns), "01:58:51.000000");
    EXPECT_EQ(text_of(ClockText::Shape::DateClock, start_ns), "2026-11-22 01:58:51.000000");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, start_ns), "2026-11-21T20:28:51.000000Z");
    EXPECT_EQ(text_of(ClockText::Shape::Epoch, start_ns), "1795292931.000000");
}

TEST(ClockText, AcrossTheEndOfSummerTime)
{
    const TimeZone zone(berlin);
    const std::int64_t change = 1'792'890'000 * s; // 2026-10-25 01:00 UTC: 03:00 becomes 02:00
    ClockText clock(ClockText::Shape::DateClock, TimePrecision::Micro);
    EXPECT_EQ(text_of(clock, change - 1), "2026-10-25 02:59:59.999999");
    EXPECT_EQ(text_of(clock, change), "2026-10-25 02:00:00.000000");
    EXPECT_EQ(text_of(clock, change - 1), "2026-10-25 02:59:59.999999");
}

TEST(ClockText, AcrossTheBeginOfSummerTime)
{
    const TimeZone zone(berlin);
    const std::int64_t change = 1'774'746'000 * s; // 2026-03-29 01:00 UTC: 02:00 becomes 03:00
    ClockText clock(ClockText::Shape::Clock, TimePrecision::Micro);
    EXPECT_EQ(text_of(clock, change - 1), "01:59:59.999999");
    EXPECT_EQ(text_of(clock, change), "03:00:00.000000");
}

TEST(ClockText, SecondsForwardsAndBackwards)
{
    const TimeZone zone("UTC0");
    ClockText clock(ClockText::Shape::Clock, TimePrecision::Micro);
    EXPECT_EQ(text_of(clock, start_ns + s - 1), "20:28:51.999999");
    EXPECT_EQ(text_of(clock, start_ns + s), "20:28:52.000000");
    EXPECT_EQ(text_of(clock, start_ns + s - 1000), "20:28:51.999999");
    EXPECT_EQ(text_of(clock, start_ns + 86'400 * s), "20:28:51.000000");
}

TEST(ClockText, BeforeTheEpoch)
{
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, -1), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, 0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, std::numeric_limits<std::int64_t>::min() + s),
              "1677-09-21T00:12:44.145224Z");
    EXPECT_EQ(text_of(ClockText::Shape::Rfc3339, std::numeric_limits<std::int64_t>::max()),
              "2262-04-11T23:47:16.854775Z");
}

std::string deltas(DeltaText::Since since, TimePrecision precision, std::initializer_list<std::uint64_t> times)
{
    DeltaText delta(since, precision);
    std::string out;
    LineWriter line(out);
    for (const auto time : times) {
        delta.put(line, time);
        line.put('|');
    }
    line.finish();
    out.pop_back();
    return out;
}

TEST(DeltaText, SinceTheLineBefore)
{
    EXPECT_EQ(deltas(DeltaText::Since::LineBefore, TimePrecision::Micro, {5'000, 113'000, 113'000, 1'000'113'000}),
              " 00:00:00.000000| 00:00:00.000108| 00:00:00.000000| 00:00:01.000000|");
}

TEST(DeltaText, SinceTheFirstLine)
{
    EXPECT_EQ(deltas(DeltaText::Since::FirstLine, TimePrecision::Micro, {5'000, 113'000, 113'000, 1'000'113'000}),
              " 00:00:00.000000| 00:00:00.000108| 00:00:00.000108| 00:00:01.000108|");
}

TEST(DeltaText, NegativeHasASign)
{
    EXPECT_EQ(deltas(DeltaText::Since::LineBefore, TimePrecision::Micro, {3'000'000'000, 999'500'000, 3'000'000'000}),
              " 00:00:00.000000|-00:00:02.000500| 00:00:02.000500|");
    EXPECT_EQ(deltas(DeltaText::Since::FirstLine, TimePrecision::Micro, {3'000'000'000, 999'500'000, 3'000'000'000}),
              " 00:00:00.000000|-00:00:02.000500| 00:00:00.000000|");
}

TEST(DeltaText, LessThanWhatIsShownHasNoSign)
{
    EXPECT_EQ(deltas(DeltaText::Since::LineBefore, TimePrecision::Micro, {2'000, 1'001}),
              " 00:00:00.000000| 00:00:00.000000|");
    EXPECT_EQ(deltas(DeltaText::Since::LineBefore, TimePrecision::Nano, {2'000, 1'001}),
              " 00:00:00.000000000|-00:00:00.000000999|");
}

TEST(DeltaText, HoursGoOn)
{
    const std::uint64_t hour = 3'600'000'000'000;
    EXPECT_EQ(deltas(DeltaText::Since::FirstLine, TimePrecision::Micro,
                     {0, 59'999'999'000, hour - 1'000, hour, 25 * hour + 61'000'000'000, 1000 * hour}),
              " 00:00:00.000000| 00:00:59.999999| 00:59:59.999999| 01:00:00.000000| 25:01:01.000000|"
              " 1000:00:00.000000|");
}

// Where a line of text begins, for each of tcpdump's options.
std::string first_words(TimeStyle time, TimePrecision precision = TimePrecision::Micro)
{
    OutputStyle style;
    style.time = time;
    style.precision = precision;
    style.quiet = true;
    return test::print(style, {EventBuilder().at(1'203'456), EventBuilder().at(1'311'456)});
}

TEST(TextTime, EveryStyle)
{
    const TimeZone zone("UTC0");
    const std::string rest = "IP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT\n";
    EXPECT_EQ(first_words(TimeStyle::Clock), "20:28:51.001203 " + rest + "20:28:51.001311 " + rest);
    EXPECT_EQ(first_words(TimeStyle::None), rest + rest);
    EXPECT_EQ(first_words(TimeStyle::Epoch), "1795292931.001203 " + rest + "1795292931.001311 " + rest);
    EXPECT_EQ(first_words(TimeStyle::DeltaLine), " 00:00:00.000000 " + rest + " 00:00:00.000108 " + rest);
    EXPECT_EQ(first_words(TimeStyle::DateClock),
              "2026-11-21 20:28:51.001203 " + rest + "2026-11-21 20:28:51.001311 " + rest);
    EXPECT_EQ(first_words(TimeStyle::DeltaStart), " 00:00:00.000000 " + rest + " 00:00:00.000108 " + rest);
    EXPECT_EQ(first_words(TimeStyle::Clock, TimePrecision::Nano),
              "20:28:51.001203456 " + rest + "20:28:51.001311456 " + rest);
}

TEST(TextTime, AStepOfTheClockMovesTheClockAndNotTheDelta)
{
    const TimeZone zone("UTC0");
    OutputStyle style;
    style.quiet = true;
    auto event = EventBuilder().build();
    for (const auto &[time, expected] :
         {std::pair{TimeStyle::Clock, "20:28:52.000000 IP"}, std::pair{TimeStyle::DeltaLine, " 00:00:00.000000 IP"}}) {
        style.time = time;
        auto sink = make_sink(style);
        sink->set_clock({.boot_ns = 0, .wall_ns = start_ns});
        std::string before;
        sink->write(event.view(), before);
        sink->set_clock({.boot_ns = 0, .wall_ns = start_ns + s});
        std::string after;
        sink->write(event.view(), after);
        EXPECT_EQ(after.substr(0, std::string_view(expected).size()), expected);
    }
}

} // namespace
} // namespace tcpflight

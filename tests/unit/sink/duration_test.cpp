#include "sink/duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace tcpflight {
namespace {

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;
constexpr std::uint64_t h = 3600 * s;

std::string text_of(std::uint64_t duration_ns, TimePrecision precision)
{
    std::string out;
    LineWriter line(out);
    put_duration(line, duration_ns, precision);
    line.finish();
    out.pop_back();
    return out;
}

struct Case {
    std::uint64_t duration_ns;
    const char *micro;
    const char *nano;
};

class Duration : public testing::TestWithParam<Case> {};

TEST_P(Duration, InBothPrecisions)
{
    EXPECT_EQ(text_of(GetParam().duration_ns, TimePrecision::Micro), GetParam().micro);
    EXPECT_EQ(text_of(GetParam().duration_ns, TimePrecision::Nano), GetParam().nano);
}

INSTANTIATE_TEST_SUITE_P(Microseconds, Duration,
                         testing::Values(Case{0, "0us", "0us"}, Case{1, "0us", "0.001us"}, Case{999, "0us", "0.999us"},
                                         Case{1 * us, "1us", "1us"}, Case{108 * us, "108us", "108us"},
                                         Case{108 * us + 123, "108us", "108.123us"},
                                         Case{108 * us + 120, "108us", "108.12us"},
                                         Case{999 * us + 999, "999us", "999.999us"}));

INSTANTIATE_TEST_SUITE_P(Milliseconds, Duration,
                         testing::Values(Case{1 * ms, "1ms", "1ms"}, Case{1 * ms + 1, "1ms", "1.000001ms"},
                                         Case{1 * ms + 204 * us, "1.204ms", "1.204ms"},
                                         Case{1 * ms + 204 * us + 567, "1.204ms", "1.204567ms"},
                                         Case{1 * ms + 200 * us, "1.2ms", "1.2ms"},
                                         Case{1 * ms + 4 * us, "1.004ms", "1.004ms"}, Case{204 * ms, "204ms", "204ms"},
                                         Case{100 * ms, "100ms", "100ms"}, Case{s - 1, "999.999ms", "999.999999ms"}));

INSTANTIATE_TEST_SUITE_P(
    Seconds, Duration,
    testing::Values(Case{1 * s, "1s", "1s"}, Case{4 * s, "4s", "4s"}, Case{8 * s + 348 * ms, "8.348s", "8.348s"},
                    Case{8 * s + 348 * ms + 123 * us + 456, "8.348s", "8.348123s"},
                    Case{10 * s + 50 * ms, "10.05s", "10.05s"}, Case{1 * s + 999 * us, "1s", "1.000999s"},
                    Case{108 * s + 100 * ms, "108.1s", "108.1s"}, Case{h - 1, "3599.999s", "3599.999999s"}));

INSTANTIATE_TEST_SUITE_P(
    Hours, Duration,
    testing::Values(Case{h, "1h00m00s", "1h00m00s"}, Case{h + 2 * 60 * s + 3 * s, "1h02m03s", "1h02m03s"},
                    Case{h + 59 * 60 * s + 59 * s + 999 * ms, "1h59m59s", "1h59m59.999s"},
                    Case{100 * h + s + 500 * ms, "100h00m01s", "100h00m01.5s"},
                    Case{std::numeric_limits<std::uint64_t>::max(), "5124095h34m33s", "5124095h34m33.709s"}));

} // namespace
} // namespace tcpflight

// Probes, as a line and in a timeline.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

const std::string tuple = "IP 127.0.0.1.57374 > 127.0.0.1.12345: ";
constexpr std::uint64_t second_ns = 1'000'000'000;

Probe keepalive(std::uint32_t attempt)
{
    Probe probe;
    probe.attempt = attempt;
    probe.limit = 9;
    probe.silent_ns = 7'350 * second_ns;
    probe.next_ns = 75 * second_ns;
    probe.gives_up_ns = 541'406'000'000;
    return probe;
}

Probe window()
{
    Probe probe;
    probe.kind = ProbeKind::Window;
    probe.limit = 15;
    probe.waiting = 65536;
    probe.next_ns = 400'000'000;
    return probe;
}

TEST(TextProbe, SaysHowManyMayGoAndWhenItEnds)
{
    const std::string begin = tuple + "keepalive probe #2 of 9 in ESTABLISHED";
    EXPECT_EQ(print_text(EventBuilder().probes(keepalive(2))),
              begin + ", silent for 2h02m30s, next in 75s, gives up in 541.4s, telnet[2231]\n");
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(EventBuilder().probes(keepalive(2)), quiet), begin + "\n");
}

TEST(TextProbe, SaysWhatWaitsForTheWindow)
{
    const std::string begin = tuple + "window probe #1 of 15 in ESTABLISHED";
    EXPECT_EQ(print_text(EventBuilder().probes(window())), begin + ", 65536 bytes wait, next in 400ms, telnet[2231]\n");
    auto probe = window();
    probe.waiting = 1;
    probe.closed_ns = second_ns;
    EXPECT_EQ(print_text(EventBuilder().probes(probe)),
              begin + ", 1 byte waits, closed for 1s, next in 400ms, telnet[2231]\n");
}

TEST(TimelineProbe, BecomesOneLineWithThoseAfterIt)
{
    OutputStyle style;
    style.timelines = true;
    style.time = TimeStyle::None;
    style.columns = 120;
    auto sink = make_sink(style);
    std::string out;
    for (const auto &builder :
         {EventBuilder().at(second_ns).probes(keepalive(2)), EventBuilder().at(76 * second_ns).probes(keepalive(3)),
          EventBuilder().at(77 * second_ns).probes(window())}) {
        const auto event = builder.build();
        sink->write(event.view(), out);
    }
    sink->finish(out);
    EXPECT_NE(out.find("keepalive probe #3 of 9, x 2 over 75s, silent for 2h02m30s, next in 75s"), std::string::npos)
        << out;
    EXPECT_NE(out.find("window probe #1 of 15, 65536 bytes wait"), std::string::npos) << out;
}

} // namespace
} // namespace tcpflight

// Accepts as text and as JSON.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

EventBuilder accepted(const Accept &accept)
{
    return EventBuilder().owner("worker", 77, OwnerSource::Accept).accepted(accept);
}

TEST(TextAccept, SaysHowLongAndByWhom)
{
    EXPECT_EQ(print_text(accepted({.queued_ns = 12'345})),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: accepted after 12us in the accept queue, worker[77]\n");
    EXPECT_EQ(print_text(accepted({})), "IP 127.0.0.1.57374 > 127.0.0.1.12345: accepted, worker[77]\n");
}

TEST(TextAccept, SaysWhenTheOtherEndWasFaster)
{
    EXPECT_EQ(
        print_text(accepted({.state = TcpState::CloseWait, .queued_ns = 2'000'000'000})),
        "IP 127.0.0.1.57374 > 127.0.0.1.12345: accepted in CLOSE_WAIT after 2s in the accept queue, worker[77]\n");
}

TEST(TextAccept, LessAndMore)
{
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(accepted({.queued_ns = 12'345}).after_gap(), quiet),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: accepted, after a gap\n");
    OutputStyle verbose;
    verbose.metrics = true;
    EXPECT_EQ(print_text(accepted({}), verbose), "IP 127.0.0.1.57374 > 127.0.0.1.12345: accepted, worker[77] (accept), "
                                                 "netns 4026531840, uid 1000\n");
}

TEST(JsonAccept, HasTheQueueTime)
{
    OutputStyle json;
    json.format = Format::Json;
    auto line = [&](const EventBuilder &event) {
        const auto whole = test::print(json, {event});
        return whole.substr(whole.find(R"("incomplete")"));
    };
    EXPECT_EQ(line(accepted({.queued_ns = 12'345})), R"("incomplete":false,"state":"ESTABLISHED","queued_us":12})"
                                                     "\n");
    EXPECT_EQ(line(accepted({.state = TcpState::Close, .queued_ns = {}})),
              R"("incomplete":false,"state":"CLOSE","queued_us":null})"
              "\n");
    json.precision = TimePrecision::Nano;
    EXPECT_EQ(line(accepted({.queued_ns = 12'045})), R"("incomplete":false,"state":"ESTABLISHED","queued_us":12.045})"
                                                     "\n");
}

} // namespace
} // namespace tcpflight

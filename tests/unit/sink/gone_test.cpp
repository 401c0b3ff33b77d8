// The end of TIME_WAIT, and sockets that are gone, as text and as JSON.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

constexpr std::uint64_t ns_per_ms = 1'000'000;

std::string print_json(const EventBuilder &event)
{
    OutputStyle style;
    style.format = Format::Json;
    return test::print(style, {event});
}

TEST(TextTimeWait, EndsWithItsLengthAndTheReason)
{
    const std::string begin = "IP 127.0.0.1.57374 > 127.0.0.1.12345: ";
    EXPECT_EQ(print_text(EventBuilder().ends(TcpState::TimeWait, EndReason::Timer, 61'300 * ns_per_ms)),
              begin + "TIME_WAIT -> CLOSE after 61.3s (timer), telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().ends_between(TcpState::FinWait2, EndReason::Timer, 2'002 * ns_per_ms,
                                                     2'634 * ns_per_ms)),
              begin + "FIN_WAIT2 -> CLOSE after 2.002s to 2.634s (timer), telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().ends_between(TcpState::TimeWait, EndReason::Syn, {}, 1'293 * ns_per_ms)),
              begin + "TIME_WAIT -> CLOSE after <1.293s (new SYN), telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().ends(TcpState::TimeWait, EndReason::Killed).at_least(5 * ns_per_ms)),
              begin + "TIME_WAIT -> CLOSE after >5ms (killed), telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().ends(TcpState::TimeWait, EndReason::Unknown)),
              begin + "TIME_WAIT -> CLOSE, telnet[2231]\n");
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(EventBuilder().ends(TcpState::TimeWait, EndReason::Timer, 1), quiet),
              begin + "TIME_WAIT -> CLOSE\n");
}

TEST(TextGone, SaysWhereItWasSeenLast)
{
    EXPECT_EQ(print_text(EventBuilder().goes({.state = TcpState::Established, .unseen_ns = 12'300 * ns_per_ms})),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: gone, last seen in ESTABLISHED 12.3s before, telnet[2231]\n");
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(EventBuilder().goes({}).after_gap(), quiet),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: gone, last seen in ESTABLISHED, after a gap\n");
}

TEST(JsonTimeWait, HasTheLimitsAndTheReason)
{
    const auto seen = print_json(EventBuilder().ends(TcpState::TimeWait, EndReason::Timer, 61'300 * ns_per_ms));
    EXPECT_NE(seen.find(R"("old_state":"TIME_WAIT","new_state":"CLOSE","time_wait_socket":true,)"
                        R"("duration_us":61300000,"at_least_us":null,)"),
              std::string::npos)
        << seen;
    EXPECT_NE(seen.find(R"("at_most_us":null,"ended_by":"timer"})"), std::string::npos) << seen;
    const auto looked = print_json(EventBuilder().ends_between(TcpState::TimeWait, EndReason::Unknown, 7000, 9000));
    EXPECT_NE(looked.find(R"("duration_us":null,"at_least_us":7,)"), std::string::npos) << looked;
    EXPECT_NE(looked.find(R"("at_most_us":9,"ended_by":null})"), std::string::npos) << looked;
}

TEST(JsonGone, HasTheStateAndTheTime)
{
    const auto text = print_json(EventBuilder().goes({.state = TcpState::CloseWait, .unseen_ns = 5000}));
    EXPECT_NE(text.find(R"("event":"gone")"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("state":"CLOSE_WAIT","unseen_us":5})"), std::string::npos) << text;
}

TEST(EndReason, HasANameUnlessItIsNotKnown)
{
    EXPECT_TRUE(name(EndReason::Unknown).empty());
    for (std::uint8_t reason = 1; reason <= static_cast<std::uint8_t>(EndReason::Namespace); reason++) {
        EXPECT_FALSE(name(EndReason{reason}).empty());
        EXPECT_FALSE(describe(EndReason{reason}).empty());
    }
}

} // namespace
} // namespace tcpflight

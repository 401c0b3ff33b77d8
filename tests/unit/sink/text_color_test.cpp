#include "sink/color.h"

#include "unit/sink/print.h"
#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace tcpflight {
namespace {

using test::EventBuilder;

OutputStyle colored()
{
    OutputStyle style;
    style.color = true;
    return style;
}

TEST(ColorText, AChange)
{
    const test::TimeZone zone("UTC0");
    EXPECT_EQ(test::print(colored(), {EventBuilder().changes(TcpState::SynSent, TcpState::Established, 108'000)}),
              "\x1b[2m20:28:51.000000\x1b[0m IP 127.0.0.1.57374 > 127.0.0.1.12345: "
              "\x1b[36mSYN_SENT\x1b[0m -> \x1b[32mESTABLISHED\x1b[0m after 108us, telnet[2231]\n");
}

TEST(ColorText, ErrorsAndGapsStandOut)
{
    EXPECT_EQ(test::print_text(EventBuilder().changes(TcpState::FinWait1, TcpState::Close, {}, ETIMEDOUT).after_gap(),
                               colored()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: \x1b[33mFIN_WAIT1\x1b[0m -> \x1b[2mCLOSE\x1b[0m, "
              "\x1b[1;31mafter a gap\x1b[0m, \x1b[1;31merror ETIMEDOUT (110)\x1b[0m, telnet[2231]\n");
}

TEST(ColorText, ARetransmission)
{
    Retransmit fin;
    fin.state = TcpState::FinWait1;
    fin.flags = tcp_flag::fin;
    fin.attempt = 1;
    EXPECT_EQ(test::print_text(EventBuilder().retransmits(fin), colored()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: \x1b[1;31mretransmit FIN #1\x1b[0m in "
              "\x1b[33mFIN_WAIT1\x1b[0m, telnet[2231]\n");
}

TEST(ColorText, ALoss)
{
    EXPECT_EQ(test::print_text(EventBuilder().loses(12, LossReason::RingFull, 1), colored()),
              "-- \x1b[1;7;31m12 events lost here\x1b[0m: ring buffer full, cpu 1\n");
}

TEST(ColorText, NoTimeNoCode)
{
    EXPECT_EQ(test::print_text(EventBuilder(), colored()).substr(0, 3), "IP ");
}

// Whatever the event, taking the codes away leaves the plain line, and the last code before the end is a reset.
TEST(ColorText, AddsCodesAndNothingElse)
{
    Retransmit data;
    data.length = 9;
    data.attempt = 2;
    data.send_error = EPERM;
    for (const auto &event :
         {EventBuilder().after_gap(), EventBuilder().unknown_identity(), EventBuilder().unknown_owner(),
          EventBuilder().retransmits(data), EventBuilder().loses(1, LossReason::Nested, {})}) {
        const std::string with = test::print(colored(), {event});
        std::string without;
        std::string last_code;
        for (std::size_t i = 0; i < with.size(); i++) {
            if (with[i] != '\x1b') {
                without += with[i];
                continue;
            }
            const std::size_t end = with.find('m', i);
            ASSERT_NE(end, std::string::npos);
            last_code = with.substr(i, end + 1 - i);
            i = end;
        }
        EXPECT_EQ(without, test::print({}, {event}));
        EXPECT_EQ(last_code, color::reset);
    }
}

TEST(Color, GroupsOfStates)
{
    const std::set<std::string_view> groups{color::of(TcpState::Established), color::of(TcpState::SynSent),
                                            color::of(TcpState::FinWait1), color::of(TcpState::Listen),
                                            color::of(TcpState::Close)};
    EXPECT_EQ(groups.size(), 5U);
    EXPECT_EQ(color::of(TcpState::SynRecv), color::of(TcpState::SynSent));
    EXPECT_EQ(color::of(TcpState::NewSynRecv), color::of(TcpState::SynSent));
    for (const auto closing :
         {TcpState::FinWait2, TcpState::Closing, TcpState::CloseWait, TcpState::LastAck, TcpState::TimeWait})
        EXPECT_EQ(color::of(closing), color::of(TcpState::FinWait1));
}

} // namespace
} // namespace tcpflight

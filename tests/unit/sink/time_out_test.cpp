// What timed out, as text; and time-outs whose retransmission was not seen.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

std::string end(TimedOut what, std::optional<bool> by_user_timeout = false)
{
    return print_text(EventBuilder().times_out(TcpState::Established, what, by_user_timeout));
}

std::string expected(const std::string &detail)
{
    return "IP 127.0.0.1.57374 > 127.0.0.1.12345: ESTABLISHED -> CLOSE after 1s, error ETIMEDOUT (110)" + detail +
           ", telnet[2231]\n";
}

TEST(TextTimeOut, StandsWithTheError)
{
    EXPECT_EQ(end(TimedOut::Keepalive), expected(": keepalive"));
    EXPECT_EQ(end(TimedOut::WindowProbe), expected(": window probes"));
    EXPECT_EQ(end(TimedOut::Data), expected(": data"));
    EXPECT_EQ(end(TimedOut::Fin), expected(": FIN"));
    EXPECT_EQ(end(TimedOut::Data, true), expected(": data (TCP_USER_TIMEOUT)"));
    EXPECT_EQ(end(TimedOut::WindowProbe, std::nullopt), expected(": window probes"));
    // The state says it, or nobody knows.
    EXPECT_EQ(end(TimedOut::Syn), expected(""));
    EXPECT_EQ(end(TimedOut::Unknown, std::nullopt), expected(""));
}

TEST(TextTimeOut, IsPartOfWhatIsRed)
{
    OutputStyle colored;
    colored.color = true;
    const auto text = print_text(EventBuilder().times_out(TcpState::Established, TimedOut::Keepalive), colored);
    EXPECT_NE(text.find("error ETIMEDOUT (110): keepalive\x1b[0m"), std::string::npos) << text;
}

Retransmit timeout(std::uint32_t number, std::uint32_t unseen)
{
    Retransmit retransmit;
    retransmit.flags = tcp_flag::ack;
    retransmit.length = 100;
    retransmit.attempt = 2;
    retransmit.kind = RetransmitKind::Timeout;
    retransmit.timeouts = number;
    retransmit.unseen = unseen;
    return retransmit;
}

TEST(TextUnseen, IsSaidOfARetransmission)
{
    EXPECT_EQ(print_text(EventBuilder().retransmits(timeout(4, 2))),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: retransmit 100 bytes at 0 #2 in ESTABLISHED (RTO 4), "
              "2 before it not seen, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().retransmits(timeout(4, 0))),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: retransmit 100 bytes at 0 #2 in ESTABLISHED (RTO 4), "
              "telnet[2231]\n");
}

// A run in a timeline has those of all its retransmissions.
TEST(TextUnseen, IsSaidOfARun)
{
    OutputStyle timelines;
    timelines.timelines = true;
    Verdict verdict;
    verdict.kind = VerdictKind::DataTimedOut;
    verdict.ended = true;
    const auto text =
        test::print(timelines, {EventBuilder().at(1'000).changes(TcpState::SynSent, TcpState::Established),
                                EventBuilder().at(2'000).retransmits(timeout(2, 1)),
                                EventBuilder().at(3'000).retransmits(timeout(5, 2)),
                                EventBuilder().at(4'000).times_out(TcpState::Established, TimedOut::Data),
                                EventBuilder().at(5'000).judged(verdict)});
    EXPECT_NE(text.find("retransmit 100 bytes at 0 x 2 over 1us, 3 before"), std::string::npos) << text;
    EXPECT_NE(text.find("ESTABLISHED -> CLOSE, error ETIMEDOUT (110): data"), std::string::npos) << text;
}

} // namespace
} // namespace tcpflight

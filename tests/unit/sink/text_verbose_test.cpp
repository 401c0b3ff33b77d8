// -v: where the owner is known from, what was measured, and where the socket lives.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;

const std::string tuple = "IP 127.0.0.1.57374 > 127.0.0.1.12345: ";
const std::string where = ", netns 4026531840, uid 1000\n";

std::string print_verbose(const EventBuilder &event)
{
    OutputStyle style;
    style.metrics = true;
    return test::print_text(event, style);
}

Metrics measured()
{
    return {.rtt_us = 1'200,
            .rttvar_us = 300,
            .rto_us = 204'000,
            .cwnd = 10,
            .ssthresh = 7,
            .send_queue = 100,
            .recv_queue = 0,
            .in_flight = 3};
}

TEST(VerboseText, OwnersHaveAProvenance)
{
    for (const auto &[source, word] :
         {std::pair{OwnerSource::Inherited, "inherited"}, std::pair{OwnerSource::Listen, "listen"},
          std::pair{OwnerSource::Connect, "connect"}, std::pair{OwnerSource::Syscall, "syscall"}}) {
        EXPECT_EQ(print_verbose(EventBuilder().owner("nc", 5, source)),
                  tuple + "CLOSE -> SYN_SENT, nc[5] (" + word + ")" + where);
    }
    EXPECT_EQ(print_verbose(EventBuilder().unknown_owner()), tuple + "CLOSE -> SYN_SENT, unknown" + where);
}

TEST(VerboseText, MeasuredValuesOfAChange)
{
    EXPECT_EQ(print_verbose(EventBuilder().changes(TcpState::Established, TcpState::FinWait1).metrics(measured())),
              tuple +
                  "ESTABLISHED -> FIN_WAIT1, telnet[2231] (connect), rtt 1.2ms var 300us, RTO 204ms, cwnd 10, "
                  "ssthresh 7, sendq 100, recvq 0, in flight 3" +
                  where);
}

TEST(VerboseText, WhatASocketCarried)
{
    EXPECT_EQ(print_verbose(EventBuilder().changes(TcpState::LastAck, TcpState::Close).carried(1024, 67)),
              tuple + "LAST_ACK -> CLOSE, telnet[2231] (connect), bytes acked 1024 received 67" + where);
    EXPECT_EQ(
        print_verbose(EventBuilder()
                          .changes(TcpState::LastAck, TcpState::Close)
                          .carried(1024, 67)
                          .took({.sent = 5, .received = 4, .retransmitted = 1})),
        tuple + "LAST_ACK -> CLOSE, telnet[2231] (connect), bytes acked 1024 received 67, segments out 5 in 4 again 1" +
            where);
}

TEST(VerboseText, MeasuredValuesOfARetransmission)
{
    Retransmit fin;
    fin.state = TcpState::FinWait1;
    fin.flags = tcp_flag::fin | tcp_flag::ack;
    fin.attempt = 1;
    fin.metrics = measured();
    EXPECT_EQ(print_verbose(EventBuilder().retransmits(fin)),
              tuple +
                  "retransmit FIN #1 in FIN_WAIT1, RTO 204ms, telnet[2231] (connect), rtt 1.2ms var 300us, cwnd 10, "
                  "ssthresh 7, sendq 100, recvq 0, in flight 3" +
                  where);
}

TEST(VerboseText, WhatWasNotMeasuredIsLeftOut)
{
    auto metrics = measured();
    metrics.rtt_us = 0;
    metrics.rto_us = 0;
    metrics.ssthresh = infinite_ssthresh;
    EXPECT_EQ(print_verbose(EventBuilder().metrics(metrics)),
              tuple + "CLOSE -> SYN_SENT, telnet[2231] (connect), cwnd 10, sendq 100, recvq 0, in flight 3" + where);
}

TEST(VerboseText, NotMeasuredAtAll)
{
    EXPECT_EQ(print_verbose(EventBuilder()), tuple + "CLOSE -> SYN_SENT, telnet[2231] (connect)" + where);
}

TEST(VerboseText, WhereTheOwnerLives)
{
    const auto told = [](EventBuilder event) { return print_verbose(event.netns(1).uid(0).cgroup(6789)); };
    const std::string before = tuple + "CLOSE -> SYN_SENT, telnet[2231] (connect), netns 1, uid 0";
    EXPECT_EQ(told(EventBuilder().in_cgroup("/system.slice/ssh.service")),
              before + ", cgroup /system.slice/ssh.service\n");
    EXPECT_EQ(told(EventBuilder().inner_pid(7).in_cgroup("/docker/3f4a5b6c7d8e" + std::string(52, '0'))),
              before + ", inner pid 7, cgroup /docker/3f4a5b6c7d8e" + std::string(52, '0') +
                  ", container 3f4a5b6c7d8e\n");
    EXPECT_EQ(told(EventBuilder().in_cgroup("/lxc/a\x1b[2J\n\xff")),
              before + R"(, cgroup /lxc/a\x1b[2J\x0a\xff, container a\x1b[2J\x0a\xff)" + "\n");
}

TEST(VerboseText, WhereTheSocketLives)
{
    EXPECT_EQ(print_verbose(EventBuilder().netns(4026532001).uid(0).cgroup(6789)),
              tuple + "CLOSE -> SYN_SENT, telnet[2231] (connect), netns 4026532001, uid 0, cgroup 6789\n");
    EXPECT_EQ(print_verbose(EventBuilder().netns(0)), tuple + "CLOSE -> SYN_SENT, telnet[2231] (connect), uid 1000\n");
    EXPECT_EQ(print_verbose(EventBuilder().unknown_identity().metrics(measured())),
              "IP ? > ?: CLOSE -> SYN_SENT, unknown, rtt 1.2ms var 300us, RTO 204ms, cwnd 10, ssthresh 7, sendq 100, "
              "recvq 0, in flight 3\n");
}

TEST(VerboseText, QuietWins)
{
    OutputStyle style;
    style.metrics = true;
    style.quiet = true;
    EXPECT_EQ(test::print_text(EventBuilder().metrics(measured()), style), tuple + "CLOSE -> SYN_SENT\n");
}

} // namespace
} // namespace tcpflight

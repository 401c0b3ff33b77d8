// Why a segment went again, and what comes of it; and the congestion state.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

const std::string tuple = "IP 127.0.0.1.57374 > 127.0.0.1.12345: ";

Retransmit data(RetransmitKind kind)
{
    Retransmit out;
    out.flags = tcp_flag::ack;
    out.length = 1448;
    out.offset = 2897;
    out.attempt = 2;
    out.kind = kind;
    out.timeouts = 3;
    return out;
}

TEST(TextRetransmit, SaysWhy)
{
    const auto line = [](RetransmitKind kind) { return print_text(EventBuilder().retransmits(data(kind))); };
    const std::string begin = tuple + "retransmit 1448 bytes at 2897 #2 in ESTABLISHED";
    EXPECT_EQ(line(RetransmitKind::Timeout), begin + " (RTO 3), telnet[2231]\n");
    EXPECT_EQ(line(RetransmitKind::Probe), begin + " (TLP), telnet[2231]\n");
    EXPECT_EQ(line(RetransmitKind::Fast), begin + " (fast), telnet[2231]\n");
    EXPECT_EQ(line(RetransmitKind::Recovery), begin + " (after RTO), telnet[2231]\n");
    EXPECT_EQ(line(RetransmitKind::Unknown), begin + ", telnet[2231]\n");
}

TEST(TextRetransmit, SaysHowLongNothingCameAndWhenItEnds)
{
    auto retransmit = data(RetransmitKind::Timeout);
    retransmit.metrics.rto_us = 204'000;
    retransmit.metrics.ssthresh = infinite_ssthresh;
    retransmit.silent_ns = 415'012'345;
    retransmit.gives_up_ns = 930'123'456'789;
    retransmit.backoff = 1;
    const std::string middle = tuple + "retransmit 1448 bytes at 2897 #2 in ESTABLISHED";
    EXPECT_EQ(print_text(EventBuilder().retransmits(retransmit)),
              middle + " (RTO 3), RTO 204ms, silent for 415.012ms, gives up in 930.1s, telnet[2231]\n");
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(EventBuilder().retransmits(retransmit), quiet), middle + "\n");
    OutputStyle verbose;
    verbose.metrics = true;
    EXPECT_NE(print_text(EventBuilder().retransmits(retransmit), verbose).find("(connect), back-off 1, cwnd 0"),
              std::string::npos);
    // A promise is not exact to the microsecond.
    retransmit.gives_up_ns = 3'099'999'999;
    EXPECT_NE(print_text(EventBuilder().retransmits(retransmit)).find("gives up in 3s,"), std::string::npos);
}

TEST(TextCongestion, SaysFromWhatToWhat)
{
    CongestionChange change;
    change.from = CongestionState::Open;
    change.to = CongestionState::Cwr;
    EXPECT_EQ(print_text(EventBuilder().changes_mind(change)),
              tuple + "congestion Open -> CWR in ESTABLISHED, telnet[2231]\n");
}

} // namespace
} // namespace tcpflight

// Every kind of event as a line of text, default and -q. What a line means is told in docs/output.md.
#include "unit/sink/print.h"
#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000'000;

OutputStyle quiet()
{
    OutputStyle style;
    style.quiet = true;
    return style;
}

Retransmit segment(TcpState state, std::uint16_t flags, std::uint32_t length, std::uint32_t offset,
                   std::uint32_t attempt)
{
    Retransmit out;
    out.state = state;
    out.flags = flags;
    out.length = length;
    out.offset = offset;
    out.attempt = attempt;
    out.total = attempt;
    out.metrics.rto_us = 204'000;
    return out;
}

TEST(Text, NamesTheHostWhereThereAreSeveral)
{
    auto sink = make_sink({});
    sink->set_clock(test::start);
    const auto event = EventBuilder().build();
    auto line_of = [&](std::string_view host) {
        std::string out;
        sink->set_host(host);
        sink->write(event.view(), out);
        return out.substr(0, out.find(" IP "));
    };
    EXPECT_TRUE(line_of("web1").ends_with(" web1")) << line_of("web1");
    EXPECT_TRUE(line_of("\x1b[1m").ends_with(R"( \x1b[1m)")) << line_of("\x1b[1m");
    EXPECT_TRUE(line_of("").ends_with(" ?")) << line_of("");
}

TEST(Text, AConnection)
{
    const test::TimeZone zone("UTC0");
    const EventBuilder base;
    EXPECT_EQ(test::print(
                  {}, {EventBuilder(base).at(1'203 * us),
                       EventBuilder(base).at(1'311 * us).changes(TcpState::SynSent, TcpState::Established, 108 * us)}),
              "20:28:51.001203 IP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT, telnet[2231]\n"
              "20:28:51.001311 IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_SENT -> ESTABLISHED after 108us, "
              "telnet[2231]\n");
}

TEST(Text, ASocketThatWasFound)
{
    Found found;
    EXPECT_EQ(print_text(EventBuilder().finds(found)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: found ESTABLISHED, telnet[2231]\n");
    found.status.in_state_ns = 1'204 * ms;
    EXPECT_EQ(print_text(EventBuilder().finds(found)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: found ESTABLISHED for 1.204s, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().finds(found), quiet()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: found ESTABLISHED\n");
    found.state = TcpState::Listen;
    EXPECT_EQ(print_text(EventBuilder().finds(found).remote("0.0.0.0", 0), quiet()),
              "IP 127.0.0.1.57374 > *: found LISTEN\n");
}

TEST(Text, HowLongAtLeast)
{
    const auto event = EventBuilder().changes(TcpState::Established, TcpState::FinWait1).at_least(1'204 * ms);
    EXPECT_EQ(print_text(event),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: ESTABLISHED -> FIN_WAIT1 after >1.204s, telnet[2231]\n");
}

TEST(Text, AppendsToWhatIsThere)
{
    auto sink = make_sink({.time = TimeStyle::None});
    std::string out = "kept\n";
    const auto event = EventBuilder().build();
    sink->write(event.view(), out);
    EXPECT_EQ(out, "kept\nIP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT, telnet[2231]\n");
}

TEST(Text, IPv6)
{
    EXPECT_EQ(print_text(EventBuilder().local("2001:db8::1", 443).remote("fe80::2", 50000)),
              "IP6 2001:db8::1.443 > fe80::2.50000: CLOSE -> SYN_SENT, telnet[2231]\n");
}

TEST(Text, ErrorsHaveNames)
{
    EXPECT_EQ(
        print_text(EventBuilder()
                       .owner("curl", 7, OwnerSource::Connect)
                       .changes(TcpState::SynSent, TcpState::Close, 41 * us, ECONNREFUSED)),
        "IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_SENT -> CLOSE after 41us, error ECONNREFUSED (111), curl[7]\n");
    EXPECT_EQ(print_text(EventBuilder().changes(TcpState::SynSent, TcpState::Close, {}, 524)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_SENT -> CLOSE, error 524, telnet[2231]\n");
}

TEST(Text, AListenerHasNoOtherEnd)
{
    auto listener = EventBuilder().local("0.0.0.0", 80).remote("0.0.0.0", 0).owner("nginx", 9, OwnerSource::Listen);
    EXPECT_EQ(print_text(listener.changes(TcpState::Close, TcpState::Listen)),
              "IP 0.0.0.0.80 > *: CLOSE -> LISTEN, nginx[9]\n");
    // The kernel clears the port of a socket that is used again, but not always the address.
    EXPECT_EQ(print_text(listener.remote("192.0.2.1", 0)), "IP 0.0.0.0.80 > *: CLOSE -> LISTEN, nginx[9]\n");
    EXPECT_EQ(print_text(listener.changes(TcpState::Listen, TcpState::Close, 5 * ms)),
              "IP 0.0.0.0.80 > *: LISTEN -> CLOSE after 5ms, nginx[9]\n");
    EXPECT_EQ(print_text(listener.local("::", 80).remote("::", 0).changes(TcpState::Close, TcpState::Listen)),
              "IP6 ::.80 > *: CLOSE -> LISTEN, nginx[9]\n");
}

TEST(Text, AListenersChildHasOne)
{
    EXPECT_EQ(print_text(EventBuilder()
                             .local("192.0.2.1", 80)
                             .remote("192.0.2.2", 40000)
                             .owner("nginx", 9, OwnerSource::Inherited)
                             .changes(TcpState::Listen, TcpState::SynRecv)),
              "IP 192.0.2.1.80 > 192.0.2.2.40000: LISTEN -> SYN_RECV, nginx[9]\n");
}

TEST(Text, WhatIsNotKnownIsSaid)
{
    EXPECT_EQ(print_text(EventBuilder().local("127.0.0.1", 0)),
              "IP 127.0.0.1.? > 127.0.0.1.12345: CLOSE -> SYN_SENT, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().remote("127.0.0.1", 0)),
              "IP 127.0.0.1.57374 > 127.0.0.1.?: CLOSE -> SYN_SENT, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().unknown_owner()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT, unknown\n");
    EXPECT_EQ(print_text(EventBuilder().unknown_identity()), "IP ? > ?: CLOSE -> SYN_SENT, unknown\n");
    EXPECT_EQ(print_text(EventBuilder().unknown_identity(), quiet()), "IP ? > ?: CLOSE -> SYN_SENT\n");
}

TEST(Text, AfterAGap)
{
    EXPECT_EQ(
        print_text(EventBuilder().changes(TcpState::Established, TcpState::Close, 1 * ms, ECONNRESET).after_gap()),
        "IP 127.0.0.1.57374 > 127.0.0.1.12345: ESTABLISHED -> CLOSE after 1ms, after a gap, error ECONNRESET (104), "
        "telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder()
                             .retransmits(segment(TcpState::FinWait1, tcp_flag::fin | tcp_flag::ack, 0, 0, 1))
                             .after_gap()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: retransmit FIN #1 in FIN_WAIT1, after a gap, RTO 204ms, "
              "telnet[2231]\n");
    // Only the first event says it.
    EXPECT_EQ(print_text(EventBuilder().incomplete()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT, telnet[2231]\n");
}

struct SegmentCase {
    Retransmit retransmit;
    const char *expected;
};

class RetransmitText : public testing::TestWithParam<SegmentCase> {};

TEST_P(RetransmitText, SaysWhat)
{
    const std::string tuple = "IP 127.0.0.1.57374 > 127.0.0.1.12345: ";
    const auto event = EventBuilder().retransmits(GetParam().retransmit);
    EXPECT_EQ(print_text(event), tuple + GetParam().expected + ", RTO 204ms, telnet[2231]\n");
    EXPECT_EQ(print_text(event, quiet()), tuple + GetParam().expected + "\n");
}

Retransmit failing(Retransmit retransmit, std::uint16_t error)
{
    retransmit.send_error = error;
    return retransmit;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RetransmitText,
    testing::Values(SegmentCase{segment(TcpState::SynSent, tcp_flag::syn, 0, 0, 2), "retransmit SYN #2 in SYN_SENT"},
                    SegmentCase{segment(TcpState::SynRecv, tcp_flag::syn | tcp_flag::ack, 0, 0, 1),
                                "retransmit SYN-ACK #1 in SYN_RECV"},
                    SegmentCase{segment(TcpState::SynSent, tcp_flag::syn, 100, 0, 1),
                                "retransmit SYN with 100 bytes at 0 #1 in SYN_SENT"},
                    SegmentCase{segment(TcpState::FinWait1, tcp_flag::fin | tcp_flag::ack, 0, 77, 3),
                                "retransmit FIN #3 in FIN_WAIT1"},
                    SegmentCase{segment(TcpState::LastAck, tcp_flag::fin | tcp_flag::ack, 100, 1, 1),
                                "retransmit FIN with 100 bytes at 1 #1 in LAST_ACK"},
                    SegmentCase{segment(TcpState::Established, tcp_flag::psh | tcp_flag::ack, 1448, 2897, 1),
                                "retransmit 1448 bytes at 2897 #1 in ESTABLISHED"},
                    SegmentCase{segment(TcpState::Established, tcp_flag::psh | tcp_flag::ack, 1, 4'294'967'295, 12),
                                "retransmit 1 byte at 4294967295 #12 in ESTABLISHED"},
                    SegmentCase{failing(segment(TcpState::FinWait1, tcp_flag::fin | tcp_flag::ack, 0, 0, 1), EPERM),
                                "cannot send (EPERM): FIN in FIN_WAIT1"},
                    SegmentCase{failing(segment(TcpState::Established, tcp_flag::ack, 9, 10, 1), ENOBUFS),
                                "cannot send (ENOBUFS): 9 bytes at 10 in ESTABLISHED"}));

TEST(Text, AnUnknownTimeOutIsLeftOut)
{
    auto retransmit = segment(TcpState::SynSent, tcp_flag::syn, 0, 0, 1);
    retransmit.metrics.rto_us = 0;
    EXPECT_EQ(print_text(EventBuilder().retransmits(retransmit)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: retransmit SYN #1 in SYN_SENT, telnet[2231]\n");
    retransmit.metrics.rto_us = 4'294'967'295; // more than 32 bits of nanoseconds
    EXPECT_EQ(print_text(EventBuilder().retransmits(retransmit)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: retransmit SYN #1 in SYN_SENT, RTO 1h11m34s, telnet[2231]\n");
}

TEST(Text, Lost)
{
    const test::TimeZone zone("UTC0");
    EXPECT_EQ(test::print({}, {EventBuilder().at(1'203 * us).loses(12, LossReason::RingFull, 1)}),
              "20:28:51.001203 -- 12 events lost here: ring buffer full, cpu 1\n");
    EXPECT_EQ(print_text(EventBuilder().loses(1, LossReason::Nested, {})),
              "-- 1 event lost here: program interrupted by itself\n");
    EXPECT_EQ(print_text(EventBuilder().loses(2, LossReason::RingFull, 0), quiet()),
              "-- 2 events lost here: ring buffer full, cpu 0\n");
}

TEST(Text, QuietIsTimeTupleAndChange)
{
    EXPECT_EQ(print_text(EventBuilder().changes(TcpState::SynSent, TcpState::Close, 41 * us, ECONNREFUSED), quiet()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_SENT -> CLOSE\n");
    // A gap is no detail: what is shown is not the whole story.
    EXPECT_EQ(print_text(EventBuilder().after_gap(), quiet()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: CLOSE -> SYN_SENT, after a gap\n");
}

TEST(Text, NanosecondsInDurations)
{
    OutputStyle style;
    style.precision = TimePrecision::Nano;
    EXPECT_EQ(print_text(EventBuilder().changes(TcpState::SynSent, TcpState::Established, 108'123), style),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_SENT -> ESTABLISHED after 108.123us, telnet[2231]\n");
}

TEST(Text, HostileNames)
{
    auto owner_of = [](std::string_view comm) {
        const std::string line = print_text(EventBuilder().owner(comm, 1, OwnerSource::Connect));
        const std::string before = "SYN_SENT, ";
        return line.substr(line.find(before) + before.size());
    };
    EXPECT_EQ(owner_of("\x1b[31mred"), "\\x1b[31mred[1]\n");
    EXPECT_EQ(owner_of("two\nlines\r"), "two\\x0alines\\x0d[1]\n");
    EXPECT_EQ(owner_of("back\\slash"), "back\\x5cslash[1]\n");
    EXPECT_EQ(owner_of("quote\"'"), "quote\"'[1]\n");
    EXPECT_EQ(owner_of("\xff\x9b\x7f"), "\\xff\\x9b\\x7f[1]\n");
    EXPECT_EQ(owner_of("a\xe2\x80\xae"), "a\\xe2\\x80\\xae[1]\n");
    EXPECT_EQ(owner_of("sixteen-bytes-00"), "sixteen-bytes-00[1]\n");
    EXPECT_EQ(owner_of(""), "[1]\n");
}

} // namespace
} // namespace tcpflight

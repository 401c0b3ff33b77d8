// -g: what a block looks like, and that memory and width are bounded.
#include "unit/sink/print.h"

#include "sink/fold.h"
#include "sink/timeline.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>

namespace tcpflight::test {
namespace {

using enum TcpState;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;

class Blocks {
public:
    explicit Blocks(OutputStyle style = {}, const TimelineSink::Limits &limits = {}) : sink_(with(style), limits)
    {
        sink_.set_clock(start);
    }
    Blocks &add(const EventBuilder &builder)
    {
        const auto event = builder.build();
        sink_.write(event.view(), out);
        return *this;
    }
    Blocks &judge(Verdict verdict, std::uint64_t time_ns)
    {
        auto owned = EventBuilder().at(time_ns).build();
        owned.event.what = verdict;
        sink_.write(owned.view(), out);
        return *this;
    }
    Blocks &finish()
    {
        sink_.finish(out);
        return *this;
    }

    std::string out;

private:
    static OutputStyle with(OutputStyle style)
    {
        style.timelines = true;
        return style;
    }
    TimelineSink sink_;
};

Verdict ended(VerdictKind kind)
{
    Verdict verdict;
    verdict.kind = kind;
    verdict.ended = true;
    return verdict;
}

Retransmit fin(std::uint32_t timeouts, std::uint32_t rto_us)
{
    Retransmit retransmit;
    retransmit.state = FinWait1;
    retransmit.flags = tcp_flag::fin | tcp_flag::ack;
    retransmit.kind = RetransmitKind::Timeout;
    retransmit.timeouts = timeouts;
    retransmit.metrics.rto_us = rto_us;
    return retransmit;
}

EventBuilder at(std::uint64_t time_ns)
{
    return EventBuilder().at(time_ns);
}

TEST(TimelineText, ABlockIsPrintedWhenItsLastVerdictFalls)
{
    Blocks blocks;
    blocks.add(at(0)).add(at(108'007).changes(SynSent, Established));
    EXPECT_EQ(blocks.out, "");
    blocks.add(at(5 * s).changes(Established, Close, 5 * s, ECONNRESET)).judge(ended(VerdictKind::ResetByPeer), 6 * s);
    EXPECT_EQ(blocks.out, R"(== telnet[2231] 127.0.0.1.57374 > 127.0.0.1.12345  outgoing, netns 4026531840
   20:28:51.000000             CLOSE -> SYN_SENT
   20:28:51.000108     +108us  SYN_SENT -> ESTABLISHED
   20:28:56.000000    +4.999s  ESTABLISHED -> CLOSE, error ECONNRESET (104)
   verdict: reset-by-peer: RST received in CLOSE
)");
    blocks.finish();
    EXPECT_EQ(std::count(blocks.out.begin(), blocks.out.end(), '='), 2) << "it is not printed again";
}

TEST(TimelineText, WhatHasNotEndedIsPrintedAtTheEnd)
{
    Blocks blocks;
    blocks.add(at(0)).finish();
    EXPECT_EQ(blocks.out, R"(== telnet[2231] 127.0.0.1.57374 > 127.0.0.1.12345  outgoing, netns 4026531840
   20:28:51.000000             CLOSE -> SYN_SENT
   not ended: in SYN_SENT
)");
}

TEST(TimelineText, WhatWasOnlyFoundIsNot)
{
    Blocks blocks;
    blocks.add(at(0).finds({})).finish();
    EXPECT_EQ(blocks.out, "");
    blocks.add(at(0).finds({})).add(at(1).changes(Established, FinWait1)).finish();
    EXPECT_NE(blocks.out.find("found ESTABLISHED\n"), std::string::npos) << blocks.out;
}

TEST(TimelineText, LongRunsBecomeOneLine)
{
    Blocks blocks;
    blocks.add(at(0).changes(Established, FinWait1));
    for (std::uint32_t i = 1; i <= 14; i++)
        blocks.add(at(i * s).retransmits(fin(i, 200'000 * i)));
    blocks.add(at(20 * s).changes(FinWait1, FinWait2)).finish();
    EXPECT_NE(blocks.out.find("   20:28:52.000000        +1s  retransmit FIN x 14 over 13s, RTO up to 2.8s\n"
                              "   20:29:11.000000        +6s  FIN_WAIT1 -> FIN_WAIT2\n"),
              std::string::npos)
        << blocks.out;
}

// Two segments: what they have in common is that they are bytes.
TEST(TimelineText, SegmentsThatDifferAreAddedUp)
{
    auto data = fin(1, 0);
    data.flags = tcp_flag::ack;
    data.length = 1000;
    auto more = data;
    more.offset = 1000;
    Blocks blocks;
    blocks.add(at(0).retransmits(data)).add(at(5 * ms).retransmits(more)).finish();
    EXPECT_NE(blocks.out.find("retransmit 2000 bytes x 2 over 5ms\n"), std::string::npos) << blocks.out;
}

TEST(TimelineText, ARunIsBrokenByWhatHappensInBetween)
{
    Blocks blocks;
    blocks.add(at(0).retransmits(fin(1, 200'000))).add(at(1 * s).changes(FinWait1, Closing));
    blocks.add(at(2 * s).retransmits(fin(1, 200'000))).finish();
    EXPECT_EQ(blocks.out.find(" x "), std::string::npos) << blocks.out;
    EXPECT_NE(blocks.out.find("retransmit FIN (RTO 1), RTO 200ms\n"), std::string::npos) << blocks.out;
}

TEST(TimelineText, AnEarlierVerdictPrintsItSoFarAndTheWholeComesLater)
{
    Verdict suspected;
    suspected.kind = VerdictKind::HalfOpen;
    suspected.unanswered = Unanswered::Fin;
    suspected.times_sent = 4;
    Blocks blocks;
    blocks.add(at(0).changes(Established, FinWait1)).judge(suspected, 1 * s);
    EXPECT_NE(blocks.out.find("   not ended: in FIN_WAIT1\n   verdict: half-open: FIN sent 4 times\n"),
              std::string::npos)
        << blocks.out;
    blocks.out.clear();
    blocks.add(at(2 * s).changes(FinWait1, Close, 2 * s, ETIMEDOUT)).judge(ended(VerdictKind::FinTimedOut), 3 * s);
    EXPECT_NE(blocks.out.find("ESTABLISHED -> FIN_WAIT1\n   20:28:52.000000        +1s  verdict half-open\n"),
              std::string::npos)
        << blocks.out;
    EXPECT_EQ(blocks.out.find("not ended"), std::string::npos);
}

// It is a line of the block, which comes when something is wrong again or when the connection ends.
TEST(TimelineText, WhatIsOverIsALine)
{
    Verdict over;
    over.kind = VerdictKind::HalfOpen;
    over.over = true;
    over.silent_ns = 3 * s;
    Blocks blocks;
    blocks.add(at(0).changes(SynSent, Established)).judge(over, 1 * s);
    EXPECT_EQ(blocks.out, "");
    blocks.add(at(2 * s).changes(LastAck, Close, 2 * s)).judge(ended(VerdictKind::Orderly), 3 * s);
    EXPECT_NE(blocks.out.find("+1s  verdict half-open is over: the other end answers\n"
                              "                                 again, after 3s\n"),
              std::string::npos)
        << blocks.out;
    Verdict deserted;
    deserted.kind = VerdictKind::HalfOpen;
    deserted.keepalive = Keepalive::Off;
    Blocks left;
    left.add(at(0).changes(SynSent, Established)).judge(deserted, 1 * s);
    left.add(at(2 * s).changes(LastAck, Close, 2 * s)).judge(ended(VerdictKind::Orderly), 3 * s);
    EXPECT_NE(left.out.find("+1s  verdict half-open: the other end has been gone"), std::string::npos) << left.out;
    Blocks unknown; // of which no block is there
    unknown.judge(over, 1 * s);
    EXPECT_EQ(unknown.out, "");
}

TEST(TimelineText, TheTimesAreThoseOfTheOptions)
{
    const auto line = [](TimeStyle time) {
        OutputStyle style;
        style.time = time;
        Blocks blocks(style);
        blocks.add(at(0)).add(at(2 * s).changes(SynSent, Established)).finish();
        const auto begin = blocks.out.find('\n', blocks.out.find("SYN_SENT\n")) + 1;
        return blocks.out.substr(begin, blocks.out.find('\n', begin) - begin);
    };
    EXPECT_EQ(line(TimeStyle::None), "          +2s  SYN_SENT -> ESTABLISHED");
    EXPECT_EQ(line(TimeStyle::DeltaLine), "          +2s  SYN_SENT -> ESTABLISHED");
    EXPECT_EQ(line(TimeStyle::Epoch), "   1795292933.000000        +2s  SYN_SENT -> ESTABLISHED");
    EXPECT_EQ(line(TimeStyle::DateClock), "   2026-11-21 20:28:53.000000        +2s  SYN_SENT -> ESTABLISHED");
    EXPECT_EQ(line(TimeStyle::DeltaStart), "    00:00:02.000000        +2s  SYN_SENT -> ESTABLISHED");
}

// The widest that IPv4 and a process can be.
TEST(TimelineText, EightyColumnsAreEnough)
{
    Verdict verdict = ended(VerdictKind::FinTimedOut);
    verdict.unanswered = Unanswered::Fin;
    verdict.times_sent = 4'000'000'000;
    verdict.silent_ns = 123'456 * ms;
    verdict.other = {.connection = 1, .state = Established, .pid = 4'194'304, .comm = {}};
    verdict.other.comm.fill('n');
    const auto widest = [](std::uint64_t time_ns) {
        return at(time_ns)
            .local("255.255.255.255", 65535)
            .remote("255.255.255.255", 65535)
            .owner("fifteen letters", 4'194'304, OwnerSource::Accept);
    };
    auto data = fin(255, 120'000'000);
    data.length = data.offset = 4'000'000'000;
    for (const bool color : {false, true}) {
        OutputStyle style;
        style.color = color;
        Blocks blocks(style);
        blocks.add(widest(0)).add(
            widest(999'999'999).resets({.state = Established, .reason = ResetReason::UnsentData}));
        blocks.add(widest(2 * s).retransmits(data)).add(widest(3 * s).accepted({.state = CloseWait, .queued_ns = {}}));
        blocks.judge(verdict, 9 * s);
        std::istringstream lines(blocks.out);
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(visible_width(line), 80U) << line;
    }
}

TEST(TimelineText, ABlockKeepsItsFirstAndItsLastLinesAndSaysWhatIsMissing)
{
    TimelineSink::Limits limits;
    limits.first_lines = 2;
    limits.last_lines = 3;
    Blocks blocks({}, limits);
    for (std::uint64_t i = 0; i < 10; i++)
        blocks.add(at(i * s));
    blocks.finish();
    std::string seconds;
    std::istringstream lines(blocks.out);
    for (std::string line; std::getline(lines, line);) {
        if (line.find(" -> ") != std::string::npos)
            seconds += line.substr(10, 1);
        else if (line.find("left out") != std::string::npos)
            seconds += '[' + line + ']';
    }
    EXPECT_EQ(seconds, "12[   -- 5 lines are left out here]890");
}

TEST(TimelineText, AllBlocksTogetherKeepToTheirBudget)
{
    TimelineSink::Limits limits;
    limits.bytes = 100;
    Blocks blocks({}, limits);
    for (std::uint64_t i = 0; i < 4; i++)
        blocks.add(at(0).connection(1 + i)).add(at(1).connection(1 + i));
    blocks.finish();
    EXPECT_NE(blocks.out.find("   -- 2 lines are left out here\n"), std::string::npos) << blocks.out;
    blocks.out.clear();
    blocks.add(at(0)).finish();
    EXPECT_EQ(blocks.out.find("left out"), std::string::npos) << "what is printed makes room: " << blocks.out;
}

// More connections than there may be blocks: the verdict still comes.
TEST(TimelineText, AVerdictWithoutABlockIsPrintedAlone)
{
    TimelineSink::Limits limits;
    limits.blocks = 0;
    Blocks blocks({}, limits);
    blocks.add(at(0)).judge(ended(VerdictKind::Refused), 1 * s);
    EXPECT_EQ(blocks.out, "== telnet[2231] 127.0.0.1.57374 > 127.0.0.1.12345  netns 4026531840\n"
                          "   verdict: refused: answered with a RST\n");
    blocks.add(at(2)).finish();
    EXPECT_TRUE(blocks.out.ends_with("-- 2 events are left out: of connections beyond 0 at a time\n")) << blocks.out;
    const auto said = blocks.out;
    EXPECT_EQ(blocks.finish().out, said) << "once";
}

TEST(TimelineText, SaysWhatTheSocketCarried)
{
    const auto end = [] { return at(1).changes(LastAck, Close).carried(5001, 2048); };
    const auto carried = [](const EventBuilder &last) {
        Blocks blocks;
        blocks.add(at(0)).add(last).judge(ended(VerdictKind::Orderly), 1 * s);
        const auto begin = blocks.out.find("   carried:");
        return begin == std::string::npos ? "" : blocks.out.substr(begin, blocks.out.find("   verdict:") - begin);
    };
    EXPECT_EQ(carried(end().took(
                  {.sent = 12, .received = 1, .retransmitted = 3, .rtt_us = 1200, .min_rtt_us = 300, .cwnd = 10})),
              "   carried: sent 5001 bytes in 12 segments (3 sent again), received 2048 in 1\n"
              "            segment, rtt 1.2ms (min 300us), cwnd 10\n");
    EXPECT_EQ(carried(end().took({.sent = 1, .received = 0, .cwnd = 10})),
              "   carried: sent 5001 bytes in 1 segment, received 2048 in 0 segments, cwnd 10\n");
    EXPECT_EQ(carried(end()), "   carried: sent 5001 bytes, received 2048\n") << "as older versions recorded it";
    EXPECT_EQ(carried(at(1).changes(LastAck, Close)), "");
}

TEST(TimelineText, LossesAndStrayResetsAreLinesInBetween)
{
    Blocks blocks;
    blocks.add(EventBuilder().at(1 * s).loses(12, LossReason::RingFull, 1));
    EXPECT_EQ(blocks.out, "20:28:52.000000 -- 12 events lost here: ring buffer full, cpu 1\n");
}

} // namespace
} // namespace tcpflight::test

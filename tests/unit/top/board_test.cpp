// What the board makes of events.
#include "top/board.h"

#include "support/event_builder.h"

#include <gmock/gmock.h>

namespace tcpflight::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using enum TcpState;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;

class Told {
public:
    explicit Told(const Board::Limits &limits = {}) : board({.time = TimeStyle::None}, limits) {}
    Told &add(const EventBuilder &builder)
    {
        const auto event = builder.build();
        std::string out;
        board.write(event.view(), out);
        EXPECT_EQ(out, "");
        return *this;
    }
    Told &judge(VerdictKind kind, std::uint64_t time_ns, bool ended, std::uint64_t connection = 4711)
    {
        Verdict verdict;
        verdict.kind = kind;
        verdict.ended = ended;
        return add(EventBuilder().connection(connection).at(time_ns).judged(verdict));
    }
    [[nodiscard]] Row only_row() const
    {
        const auto rows = board.rows();
        EXPECT_THAT(rows, SizeIs(1));
        return rows.empty() ? Row() : rows.front();
    }
    [[nodiscard]] std::uint64_t count(TcpState state) const
    {
        return board.states().at(static_cast<std::size_t>(state));
    }

    Board board;
};

EventBuilder at(std::uint64_t time_ns)
{
    return EventBuilder().at(time_ns);
}

Retransmit fin(std::uint32_t attempt)
{
    Retransmit retransmit;
    retransmit.state = FinWait1;
    retransmit.flags = tcp_flag::fin | tcp_flag::ack;
    retransmit.attempt = attempt;
    retransmit.metrics.rtt_us = 250;
    return retransmit;
}

Told &connect(Told &told, std::uint64_t time_ns = s)
{
    return told.add(at(time_ns).changes(Close, SynSent)).add(at(time_ns + ms).changes(SynSent, Established, ms));
}

TEST(Board, FollowsAConnection)
{
    Told told;
    connect(told).add(at(3 * s).changes(Established, FinWait1)).add(at(4 * s).retransmits(fin(1)));
    const auto row = told.only_row();
    EXPECT_EQ(row.connection, 4711U);
    EXPECT_EQ(row.identity.owner.comm_view(), "telnet");
    EXPECT_EQ(row.state, FinWait1);
    EXPECT_EQ(row.in_state_ns(5 * s), 2 * s);
    EXPECT_TRUE(row.since_seen);
    EXPECT_EQ(row.age_ns(5 * s), 4 * s);
    EXPECT_TRUE(row.begin_seen);
    EXPECT_EQ(row.retransmits, 1U);
    EXPECT_EQ(row.rtt_us, 250U);
    EXPECT_EQ(row.direction, Direction::Outgoing);
    EXPECT_EQ(row.last_text(), "retransmit FIN #1");
    EXPECT_EQ(row.last_ns, 4 * s);
    EXPECT_FALSE(row.verdict);
    EXPECT_FALSE(row.has_ended());
    EXPECT_EQ(told.count(FinWait1), 1U);
}

TEST(Board, ShowsWhatEndedForSomeSecondsAndAnAlarmForLonger)
{
    Told told;
    connect(told)
        .add(at(2 * s).changes(Established, Close, s))
        .judge(VerdictKind::Orderly, 2 * s + 10 * ms, true)
        .add(at(s).connection(2).changes(Close, SynSent))
        .add(at(2 * s).connection(2).changes(SynSent, Close, s, ETIMEDOUT))
        .judge(VerdictKind::ConnectTimedOut, 2 * s + 10 * ms, true, 2);
    EXPECT_THAT(told.board.rows(), SizeIs(2));
    EXPECT_EQ(told.count(Close), 0U);
    told.board.expire(8 * s);
    const auto row = told.only_row();
    EXPECT_EQ(row.connection, 2U);
    EXPECT_TRUE(row.has_ended());
    EXPECT_TRUE(row.is_alarm());
    EXPECT_EQ(row.age_ns(50 * s), s) << "it grows no older";
    told.board.expire(63 * s);
    EXPECT_THAT(told.board.rows(), SizeIs(0));
    EXPECT_EQ(told.board.counts().ended, 2U);
    EXPECT_EQ(told.board.counts().begun, 2U);
}

TEST(Board, TellsTheTimelineSoFarAsOftenAsItIsAskedAndThatOfWhatEnded)
{
    Told told;
    connect(told).add(at(3 * s).changes(Established, FinWait1)).add(at(4 * s).retransmits(fin(1)));
    const auto first = told.board.timeline(4711);
    ASSERT_TRUE(first);
    EXPECT_THAT(*first, HasSubstr("== telnet[2231] 127.0.0.1.57374 > 127.0.0.1.12345  outgoing"));
    EXPECT_THAT(*first, HasSubstr("retransmit FIN"));
    EXPECT_THAT(*first, HasSubstr("not ended: in FIN_WAIT1"));
    // A run that goes on is one line, however often it was looked at.
    told.add(at(6 * s).retransmits(fin(2)));
    EXPECT_THAT(*told.board.timeline(4711), HasSubstr("retransmit FIN x 2 over 2s"));
    told.judge(VerdictKind::HalfOpen, 7 * s, false);
    EXPECT_TRUE(told.only_row().is_alarm());
    EXPECT_THAT(*told.board.timeline(4711), HasSubstr("   verdict: half-open: "));
    told.add(at(9 * s).changes(FinWait1, Close, 6 * s, ETIMEDOUT)).judge(VerdictKind::FinTimedOut, 9 * s, true);
    const auto last = told.board.timeline(4711);
    ASSERT_TRUE(last);
    EXPECT_THAT(*last, HasSubstr("   verdict: fin-timed-out: "));
    EXPECT_THAT(*last, Not(HasSubstr("not ended")));
    EXPECT_TRUE(last->starts_with("== ")) << *last;
    told.board.expire(100 * s);
    EXPECT_FALSE(told.board.timeline(4711));
}

TEST(Board, KnowsOfWhatWasThereBeforeAsMuchAsTheKernelTold)
{
    Told told;
    Found found;
    found.state = Established;
    found.status.established_ns = 30 * s;
    told.add(at(100 * s).finds(found));
    auto row = told.only_row();
    EXPECT_EQ(row.age_ns(101 * s), 31 * s);
    EXPECT_TRUE(row.begin_seen);
    EXPECT_FALSE(row.since_seen);
    EXPECT_EQ(told.board.counts().events, 0U) << "nothing happened";
    EXPECT_EQ(told.board.counts().begun, 0U);
}

TEST(Board, CountsWhatIsKeptInThePlaceOfASocketUntilItIsGone)
{
    Told told;
    Found found;
    found.state = TimeWait;
    found.time_wait_socket = true;
    told.add(at(s).connection(1).finds(found));
    EXPECT_THAT(told.board.rows(), SizeIs(0));
    connect(told).add(at(3 * s).leaves(Established, TimeWait));
    EXPECT_EQ(told.count(TimeWait), 2U) << "the one that has just left a socket counts once";
    EXPECT_EQ(told.only_row().state, TimeWait);
    told.judge(VerdictKind::Orderly, 3 * s, true);
    EXPECT_EQ(told.only_row().state, TimeWait);
    EXPECT_EQ(told.count(TimeWait), 2U);
    told.add(at(63 * s).ends(TimeWait, EndReason::Timer).afterwards());
    EXPECT_EQ(told.count(TimeWait), 1U);
    told.board.expire(70 * s);
    EXPECT_THAT(told.board.rows(), SizeIs(0)) << "the end of TIME_WAIT is no connection";
    EXPECT_EQ(told.board.leftovers(), 1U);
    told.board.forget_leftovers([](std::uint64_t connection) { return connection != 1; });
    EXPECT_EQ(told.count(TimeWait), 0U);
}

TEST(Board, KeepsAnAlarmThatBelongsToNoConnection)
{
    Told told;
    told.judge(VerdictKind::RetransmissionStorm, 5 * s, false, 0).judge(VerdictKind::PortsRunningOut, 5 * s, false, 0);
    const auto rows = told.board.rows();
    ASSERT_THAT(rows, SizeIs(2));
    EXPECT_NE(rows[0].connection, rows[1].connection);
    EXPECT_TRUE(rows[0].is_alarm());
    EXPECT_THAT(*told.board.timeline(rows[0].connection), HasSubstr("verdict: retransmission-storm: "));
}

TEST(Board, CountsWhatHappened)
{
    Told told;
    Reset reset;
    reset.direction = ResetDirection::Received;
    connect(told)
        .add(at(3 * s).retransmits(fin(1)))
        .add(at(4 * s).resets(reset))
        .add(at(4 * s).connection(0).resets(reset))
        .add(at(5 * s).loses(12, LossReason::RingFull, 0));
    const auto &counts = told.board.counts();
    EXPECT_EQ(counts.events, 5U);
    EXPECT_EQ(counts.retransmits, 1U);
    EXPECT_EQ(counts.resets, 2U);
    EXPECT_EQ(told.only_row().last_text(), "reset received");
}

TEST(Board, IsBoundedAndSaysWhatHadNoPlace)
{
    Told told({.connections = 2, .ended = 1});
    for (std::uint64_t connection = 1; connection <= 3; connection++)
        told.add(at(s).connection(connection).changes(Close, SynSent));
    EXPECT_THAT(told.board.rows(), SizeIs(2));
    EXPECT_EQ(told.board.counts().unfollowed, 1U);
    told.judge(VerdictKind::Orderly, 2 * s, true, 1).judge(VerdictKind::Orderly, 2 * s, true, 2);
    EXPECT_THAT(told.board.rows(), SizeIs(1));
    EXPECT_EQ(told.board.counts().ended_unshown, 1U);
    // There is room again.
    told.add(at(3 * s).connection(4).changes(Close, SynSent));
    EXPECT_THAT(told.board.rows(), SizeIs(2));
}

// A look has found that it answers again; and there may be no row.
TEST(Board, TakesAnAlarmAwayThatIsOver)
{
    Verdict over;
    over.kind = VerdictKind::HalfOpen;
    over.over = true;
    Told told;
    told.add(at(s).changes(SynSent, Established)).judge(VerdictKind::HalfOpen, 2 * s, false);
    ASSERT_TRUE(told.only_row().is_alarm());
    told.add(at(3 * s).judged(over));
    EXPECT_FALSE(told.only_row().is_alarm());
    told.judge(VerdictKind::HalfOpen, 4 * s, false);
    EXPECT_TRUE(told.only_row().is_alarm());
    Told other;
    other.add(at(3 * s).judged(over));
    EXPECT_TRUE(other.board.rows().empty());
}

// Whatever the maps do as they grow.
TEST(Board, FollowsManyConnections)
{
    Told told;
    constexpr std::uint64_t many = 5000;
    for (std::uint64_t connection = 1; connection <= many; connection++) {
        told.add(at(s).connection(connection).changes(Close, SynSent));
        told.judge(VerdictKind::HalfOpen, 2 * s, false, connection);
    }
    for (std::uint64_t connection = 1; connection <= many; connection++)
        told.add(at(3 * s).connection(connection).retransmits(fin(1)));
    EXPECT_THAT(told.board.rows(), SizeIs(many));
    for (std::uint64_t connection = 1; connection <= many; connection++)
        told.judge(VerdictKind::Orderly, 4 * s, true, connection);
    EXPECT_EQ(told.board.counts().ended, many);
}

TEST(Board, EndsAHandshakeOfWhichNothingCame)
{
    Told told;
    Handshake handshake;
    handshake.step = HandshakeStep::SynAckRetransmit;
    handshake.attempt = 1;
    handshake.since_syn_ns = s;
    told.add(at(5 * s).shakes_hands(handshake));
    auto row = told.only_row();
    EXPECT_EQ(shown_state(row.state), SynRecv);
    EXPECT_EQ(row.age_ns(6 * s), 2 * s);
    EXPECT_EQ(row.direction, Direction::Incoming);
    EXPECT_EQ(row.retransmits, 1U);
    handshake.step = HandshakeStep::NotCompleted;
    told.add(at(9 * s).shakes_hands(handshake));
    row = told.only_row();
    EXPECT_TRUE(row.has_ended());
    EXPECT_EQ(row.identity.owner.comm_view(), "telnet");
    EXPECT_THAT(*told.board.timeline(4711), HasSubstr("handshake not completed"));
}

} // namespace
} // namespace tcpflight::test

// When an alarm is over.
#include "top/recovery.h"

#include "support/event_builder.h"
#include "top/board.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

using enum TcpState;

struct ChangeCase {
    VerdictKind kind;
    TcpState from;
    TcpState to;
    bool is_over;
};

class AlarmAndChange : public testing::TestWithParam<ChangeCase> {};

TEST_P(AlarmAndChange, IsOverIfTheOtherEndOrTheProcessDidWhatItShould)
{
    const auto &c = GetParam();
    EXPECT_EQ(is_recovery(c.kind, EventBuilder().changes(c.from, c.to).build().event), c.is_over);
}

INSTANTIATE_TEST_SUITE_P(Table, AlarmAndChange,
                         testing::Values(ChangeCase{VerdictKind::HalfOpen, FinWait1, FinWait2, true},
                                         ChangeCase{VerdictKind::HalfOpen, Established, CloseWait, true},
                                         ChangeCase{VerdictKind::HalfOpen, Established, FinWait1,
                                                    false}, // by this end's process
                                         ChangeCase{VerdictKind::HalfOpen, FinWait1, Close, false},
                                         ChangeCase{VerdictKind::ConnectUnanswered, SynSent, Established, true},
                                         ChangeCase{VerdictKind::ConnectUnanswered, SynSent, Close, false},
                                         ChangeCase{VerdictKind::ProbesUnanswered, Established, FinWait1, false},
                                         ChangeCase{VerdictKind::CloseWaitHeld, CloseWait, LastAck, true},
                                         ChangeCase{VerdictKind::FinWaitHeld, FinWait2, TimeWait, true},
                                         ChangeCase{VerdictKind::AcceptStalled, Established, CloseWait, false},
                                         ChangeCase{VerdictKind::AcceptQueueOverflow, Listen, Close, false}));

TEST(Recovery, OfDataIsSeenWhenTheCountOfTimeOutsBeginsAnew)
{
    Retransmit retransmit;
    retransmit.kind = RetransmitKind::Timeout;
    retransmit.timeouts = 4;
    EXPECT_FALSE(is_recovery(VerdictKind::HalfOpen, EventBuilder().retransmits(retransmit).build().event));
    retransmit.timeouts = 1;
    EXPECT_TRUE(is_recovery(VerdictKind::HalfOpen, EventBuilder().retransmits(retransmit).build().event));
}

TEST(Recovery, OfAListenersQueueIsAnAccept)
{
    EXPECT_TRUE(is_recovery(VerdictKind::AcceptStalled, EventBuilder().accepted({}).build().event));
}

TEST(Recovery, TakesTheAlarmFromTheRow)
{
    Board board({});
    std::string out;
    const auto tell = [&](const EventBuilder &builder) {
        const auto event = builder.build();
        board.write(event.view(), out);
    };
    constexpr std::uint64_t s = 1'000'000'000;
    Verdict verdict;
    verdict.kind = VerdictKind::HalfOpen;
    tell(EventBuilder().at(s).changes(Established, FinWait1));
    tell(EventBuilder().at(2 * s).judged(verdict));
    EXPECT_TRUE(board.rows().at(0).is_alarm());
    tell(EventBuilder().at(3 * s).changes(FinWait1, FinWait2));
    EXPECT_FALSE(board.rows().at(0).is_alarm());
    EXPECT_EQ(board.timeline(4711)->find("   verdict: "), std::string::npos);
    // It is said once only that a connection is half-open, and it can become so again.
    Retransmit retransmit;
    retransmit.kind = RetransmitKind::Timeout;
    retransmit.timeouts = 2;
    tell(EventBuilder().at(4 * s).retransmits(retransmit));
    EXPECT_FALSE(board.rows().at(0).is_alarm());
    retransmit.timeouts = 3;
    tell(EventBuilder().at(5 * s).retransmits(retransmit));
    EXPECT_TRUE(board.rows().at(0).is_alarm());
    EXPECT_NE(board.timeline(4711)->find("   verdict: half-open"), std::string::npos);
}

} // namespace
} // namespace tcpflight::test

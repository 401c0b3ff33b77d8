// Connections that only one end believes in.
#include "unit/diagnose/judged.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace tcpflight::test {
namespace {

using enum TcpState;
using enum VerdictKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class HalfOpenTest : public testing::Test {
protected:
    HalfOpenTest() { judged.open_client(1).open_server(1).add(Judged::server(1 * s).changes(Established, FinWait1)); }

    void fin_times_out(std::uint32_t first, std::uint32_t last)
    {
        for (auto number = first; number <= last; number++)
            judged.add(Judged::server((1 + number) * s).retransmits(Judged::timeout(number, FinWait1, tcp_flag::fin)));
    }

    Judged judged;
};

TEST_F(HalfOpenTest, IsSuspectedAfterSoManyTimeouts)
{
    fin_times_out(1, 3);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, HalfOpen)));
    EXPECT_EQ(judged.fallen[0].time_ns, 4 * s);
    EXPECT_FALSE(judged.last().ended);
    EXPECT_EQ(judged.last().unanswered, Unanswered::Fin);
    EXPECT_EQ(judged.last().times_sent, 4U);
    EXPECT_EQ(judged.last().silent_ns, 3 * s);
    EXPECT_EQ(judged.last().gives_up_ns, 60 * s);
    EXPECT_EQ(judged.last().other.connection, 1U);
    EXPECT_EQ(judged.last().other.state, Established);
    EXPECT_EQ(judged.last().other.pid, 2231U);
}

TEST_F(HalfOpenTest, IsNotSuspectedBefore)
{
    fin_times_out(1, 2);
    EXPECT_THAT(judged.kinds(), IsEmpty());
}

// Lost three times, but never in a row: each time something came through in between.
TEST_F(HalfOpenTest, IsNotSuspectedWhereAcknowledgementsComeInBetween)
{
    for (int i = 0; i < 3; i++)
        fin_times_out(1, 2);
    EXPECT_THAT(judged.kinds(), IsEmpty());
}

TEST_F(HalfOpenTest, IsSaidOnce)
{
    fin_times_out(1, 9);
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, HalfOpen)));
}

TEST_F(HalfOpenTest, TheEndThatWasLeftBehindIsNamedToo)
{
    fin_times_out(1, 4);
    judged.add(Judged::server(40 * s).changes(FinWait1, Close, 39 * s, ETIMEDOUT)).wait_until(41 * s);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, HalfOpen), Pair(2, FinTimedOut), Pair(1, HalfOpen)));
    const auto &left = judged.fallen[2];
    EXPECT_EQ(left.verdict.state, Established);
    EXPECT_EQ(left.verdict.unanswered, Unanswered::Nothing);
    EXPECT_EQ(left.verdict.other.connection, 2U);
    EXPECT_EQ(left.verdict.other.state, Close);
    EXPECT_EQ(left.verdict.other.pid, 2223U) << "whose it was";
    ASSERT_TRUE(left.identity);
    EXPECT_EQ(left.identity->local.port, 57374);

    // It finds out when it writes.
    judged.add(Judged::client(50 * s).resets({.state = Established, .direction = ResetDirection::Received}));
    judged.add(Judged::client(50 * s).changes(Established, Close, 50 * s, ECONNRESET)).finish();
    EXPECT_EQ(judged.last().kind, ResetByPeer);
    EXPECT_EQ(judged.last().silent_ns, 10 * s) << "half-open for so long";
}

// The RST reaches it: both ends are gone at once.
TEST_F(HalfOpenTest, AnEndThatWasToldIsNotLeftBehind)
{
    judged.add(Judged::server(40 * s).changes(FinWait1, Close, 39 * s));
    judged.add(Judged::server(40 * s + us).resets({.state = FinWait1, .reason = ResetReason::Linger0}));
    judged.add(Judged::client(40 * s + 2 * us).resets({.state = Established, .direction = ResetDirection::Received}));
    judged.add(Judged::client(40 * s + 3 * us).changes(Established, Close, 40 * s, ECONNRESET)).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, AbortedLinger), Pair(1, ResetByPeer)));
}

// The same ports on another host's loopback: no relation.
TEST(HalfOpenEnds, AreNotTakenFromAnotherNamespace)
{
    Judged judged;
    judged.open_client(1);
    auto other = [](std::uint64_t time_ns) { return Judged::server(time_ns).netns(77); };
    judged.add(other(1).changes(Listen, SynRecv)).add(other(2).changes(SynRecv, Established));
    judged.add(other(40 * s).changes(Established, Close, 40 * s, ETIMEDOUT)).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, KeepaliveTimedOut)));
    EXPECT_EQ(judged.last().other.connection, 0U);
}

TEST(ConnectUnansweredTest, IsSaidWhileItLasts)
{
    Judged judged;
    judged.add(Judged::client(1).changes(Close, SynSent));
    for (std::uint32_t i = 1; i <= 2; i++)
        judged.add(Judged::client(i * s).retransmits(Judged::timeout(i, SynSent, tcp_flag::syn)));
    EXPECT_THAT(judged.kinds(), IsEmpty());
    judged.add(Judged::client(3 * s).retransmits(Judged::timeout(3, SynSent, tcp_flag::syn)));
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(1, ConnectUnanswered)));
    EXPECT_EQ(judged.last().times_sent, 4U);
}

} // namespace
} // namespace tcpflight::test

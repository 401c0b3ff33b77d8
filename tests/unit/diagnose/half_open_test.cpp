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

// Outages of a connection that carries data: what is said of each.
class OutageTest : public testing::Test {
protected:
    OutageTest() { judged.open_server(1); }

    // `count` time-outs in a row, the first at `begin_ns`, each a second later.
    void outage(std::uint64_t begin_ns, std::uint32_t count)
    {
        for (std::uint32_t number = 1; number <= count; number++)
            judged.add(Judged::server(begin_ns + (number - 1) * s)
                           .retransmits(Judged::timeout(number, Established, tcp_flag::ack, 100)));
    }
    void look(std::uint64_t time_ns, std::uint8_t retries)
    {
        Found found;
        found.state = Established;
        found.waits = true;
        found.status.inode = 77;
        found.status.timer = retries != 0 ? Timer::Retransmit : Timer::None;
        found.status.retries = retries;
        judged.add(Judged::server(time_ns).finds(found)).wait_until(time_ns + 1);
    }
    // "said", "over" and the time.
    [[nodiscard]] std::vector<std::pair<bool, std::uint64_t>> said() const
    {
        std::vector<std::pair<bool, std::uint64_t>> told;
        for (const auto &one : judged.fallen) {
            EXPECT_EQ(one.verdict.kind, HalfOpen);
            told.emplace_back(!one.verdict.over, one.time_ns / s);
        }
        return told;
    }

    Judged judged;
};

TEST_F(OutageTest, IsOverWhenALookFindsNothingUnderWay)
{
    outage(10 * s, 4);
    look(15 * s, 4);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12)));
    look(20 * s, 0);
    ASSERT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 20)));
    EXPECT_EQ(judged.last().silent_ns, 11 * s) << "since three seconds before it was said";
    look(25 * s, 0);
    EXPECT_EQ(judged.fallen.size(), 2U) << "once";
}

TEST_F(OutageTest, IsOverWhenTheCountBeginsAnew)
{
    outage(10 * s, 3);
    outage(20 * s, 1);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 20)));
}

TEST_F(OutageTest, IsOverWhenItsFinIsAcknowledged)
{
    outage(10 * s, 3);
    judged.add(Judged::server(20 * s).changes(Established, FinWait1));
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12)));
    judged.add(Judged::server(21 * s).changes(FinWait1, FinWait2));
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 21)));
}

// What comes from there says nothing of what does not arrive there.
TEST_F(OutageTest, IsNotOverWhenTheOtherEndCloses)
{
    outage(10 * s, 3);
    judged.add(Judged::server(20 * s).changes(Established, CloseWait));
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12)));
}

TEST_F(OutageTest, ASecondOneIsSaidToo)
{
    outage(10 * s, 3);
    look(15 * s, 0);
    outage(100 * s, 9);
    look(110 * s, 0);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 15), Pair(true, 102), Pair(false, 110)));
}

// One that comes and goes; and one that stays is not passed over for that.
TEST_F(OutageTest, IsSaidOnceAMinute)
{
    for (std::uint64_t i = 0; i < 5; i++)
        outage((10 + 10 * i) * s, 4);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 20)));
    outage(65 * s, 10);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 12), Pair(false, 20), Pair(true, 72)));
}

TEST_F(OutageTest, ThatItIsOverIsNotSaidOfOneThatEnds)
{
    outage(10 * s, 3);
    judged.add(Judged::server(20 * s).changes(Established, Close, 20 * s, ETIMEDOUT)).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, HalfOpen), Pair(2, DataTimedOut)));
    EXPECT_FALSE(judged.last().over);
}

// R1 is what the administrator says, if that is more.
TEST_F(OutageTest, TakesAsManyTimeoutsAsTheNamespaceSays)
{
    const auto netns = Judged::server(1).build().view().identity->netns;
    judged.diagnosis().learn({.netns = netns, .retries1 = 5});
    judged.diagnosis().learn({.netns = netns + 1, .retries1 = 2});
    outage(10 * s, 4);
    EXPECT_THAT(judged.fallen, IsEmpty());
    outage(20 * s, 5);
    EXPECT_THAT(said(), ElementsAre(Pair(true, 24)));
}

TEST_F(OutageTest, WhatTheUserGaveHolds)
{
    Diagnosis::Settings settings;
    settings.thresholds.given = 1; // the first of all_thresholds()
    ASSERT_EQ(all_thresholds()[0].name, "timeouts");
    Judged strict(settings);
    const auto netns = Judged::server(1).build().view().identity->netns;
    strict.diagnosis().learn({.netns = netns, .retries1 = 5});
    for (std::uint32_t i = 1; i <= 3; i++)
        strict.add(Judged::server(i * s).retransmits(Judged::timeout(i, Established, tcp_flag::ack, 100)));
    EXPECT_THAT(strict.kinds(), ElementsAre(Pair(2, HalfOpen)));
}

// The end that was left behind: a look tells whether keepalive will find that.
class DesertedTest : public testing::Test {
protected:
    DesertedTest()
    {
        judged.open_client(1).open_server(1);
        judged.add(Judged::server(10 * s).changes(Established, Close, 10 * s, ETIMEDOUT)).wait_until(11 * s);
        EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, KeepaliveTimedOut), Pair(1, HalfOpen)));
        EXPECT_EQ(judged.last().keepalive, Keepalive::Unknown);
    }
    void look(std::uint64_t time_ns, Timer timer)
    {
        Found found;
        found.state = Established;
        found.waits = true;
        found.status.inode = 77;
        found.status.timer = timer;
        found.status.timer_left_us = 7'000'000;
        judged.add(Judged::client(time_ns).finds(found)).wait_until(time_ns + 1);
    }

    Judged judged;
};

TEST_F(DesertedTest, ForEver)
{
    look(15 * s, Timer::None);
    look(20 * s, Timer::None);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, KeepaliveTimedOut), Pair(1, HalfOpen), Pair(1, HalfOpen)));
    EXPECT_EQ(judged.last().keepalive, Keepalive::Off);
    EXPECT_EQ(judged.last().gives_up_ns, 0U);
    EXPECT_EQ(judged.last().silent_ns, 5 * s);
    EXPECT_EQ(judged.last().other.pid, 2223U) << "whose it was";
    EXPECT_EQ(judged.last().other.state, Close);
}

TEST_F(DesertedTest, UntilKeepaliveFindsIt)
{
    const auto netns = Judged::client(1).build().view().identity->netns;
    judged.diagnosis().learn({.netns = netns, .keepalive_intvl_s = 75, .keepalive_probes = 9});
    look(15 * s, Timer::Keepalive);
    ASSERT_EQ(judged.fallen.size(), 3U);
    EXPECT_EQ(judged.last().keepalive, Keepalive::On);
    EXPECT_EQ(judged.last().gives_up_ns, (7 + 9 * 75) * s);
}

TEST_F(DesertedTest, NothingIsSaidWhileItSends)
{
    look(15 * s, Timer::Retransmit);
    EXPECT_EQ(judged.fallen.size(), 2U);
    look(20 * s, Timer::None);
    EXPECT_EQ(judged.fallen.size(), 3U);
}

// A look sees many a connection whose other end is hidden by a translation of addresses.
TEST(Deserted, IsOnlyWhatWasSeenToBe)
{
    Judged judged;
    judged.open_client(1);
    Found found;
    found.state = Established;
    found.waits = true;
    found.status.inode = 77;
    judged.add(Judged::client(15 * s).finds(found)).finish();
    EXPECT_THAT(judged.fallen, IsEmpty());
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

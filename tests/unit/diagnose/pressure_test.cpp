// What is too much for a listener, or for the way to a network; and the end of TIME_WAIT.
#include "unit/diagnose/judged.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

using enum TcpState;
using enum VerdictKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

EventBuilder listener(std::uint64_t time_ns, const ListenQueue &queue)
{
    return EventBuilder().at(time_ns).connection(9).crowds(queue);
}

ListenQueue full(std::uint32_t dropped)
{
    return {.accept_queue = 2, .syn_queue = 0, .limit = 1, .dropped = dropped, .dropped_in_all = dropped};
}

TEST(Pressure, AcceptQueueOverflowAndAgainWhenItIsTenTimesAsMuch)
{
    Judged judged;
    judged.add(listener(1 * s, full(1)));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(9, AcceptQueueOverflow)));
    EXPECT_EQ(judged.last().queued, 2U);
    EXPECT_EQ(judged.last().at_most, 1U);
    EXPECT_EQ(judged.last().dropped, 1U);
    judged.add(listener(2 * s, full(8)));
    EXPECT_EQ(judged.fallen.size(), 1U) << "nine in all";
    judged.add(listener(3 * s, full(1)));
    ASSERT_EQ(judged.fallen.size(), 2U);
    EXPECT_EQ(judged.last().dropped, 9U) << "since it was said";
}

TEST(Pressure, AFullQueueThatDropsNothingIsNoAlarm)
{
    Judged judged;
    judged.add(listener(1 * s, full(0)));
    auto room = full(5);
    room.accept_queue = 1; // segments that made no sense are in the same count
    judged.add(listener(2 * s, room));
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST(Pressure, WhatIsNotKnownAsOverflowIsNone)
{
    Judged judged;
    auto queue = full(5);
    queue.with_room = 5;
    judged.add(listener(1 * s, queue));
    EXPECT_THAT(judged.fallen, IsEmpty());
    queue.with_room = 3;
    judged.add(listener(2 * s, queue));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(9, AcceptQueueOverflow)));
    EXPECT_EQ(judged.last().dropped, 2U);
}

TEST(Pressure, SynQueueOverflowAndCookies)
{
    ListenQueue queue{.accept_queue = 0, .syn_queue = 128, .limit = 128, .dropped = 3, .dropped_in_all = 3};
    Judged judged;
    judged.add(listener(1 * s, queue));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(9, SynQueueOverflow)));
    EXPECT_EQ(judged.last().queued, 128U);
    Judged cookies;
    queue.dropped = 0;
    queue.syn_cookies = true;
    cookies.add(listener(1 * s, queue)).add(listener(2 * s, queue));
    EXPECT_THAT(cookies.kinds(), ElementsAre(Pair(9, SynCookies))) << "once";
}

class StormTest : public testing::Test {
protected:
    void times_out(std::uint64_t connection, std::uint64_t time_ns, const std::string &remote = "192.0.2.1",
                   std::uint32_t timeouts = 2)
    {
        judged.add(EventBuilder()
                       .at(time_ns)
                       .connection(connection)
                       .local("10.0.0.1", static_cast<std::uint16_t>(connection))
                       .remote(remote, 443)
                       .retransmits(Judged::timeout(timeouts, Established, tcp_flag::ack, 100)));
    }

    static constexpr std::uint64_t limit = Thresholds().storm;
    Judged judged;
};

TEST_F(StormTest, ManyConnectionsToOneSubnet)
{
    for (std::uint64_t i = 1; i < limit; i++)
        times_out(i, 1 * s + i, "192.0.2." + std::to_string(i));
    times_out(1, 2 * s, "192.0.2.1");
    EXPECT_THAT(judged.fallen, IsEmpty()) << "connections count, and not segments";
    times_out(limit, 3 * s, "192.0.2.200");
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(limit, RetransmissionStorm)));
    EXPECT_EQ(judged.last().alike, limit);
    for (std::uint64_t i = limit + 1; i < 10 * limit; i++)
        times_out(i, 4 * s);
    EXPECT_EQ(judged.fallen.size(), 1U);
    times_out(10 * limit, 5 * s);
    EXPECT_EQ(judged.fallen.size(), 2U) << "ten times as many";
}

TEST_F(StormTest, ElsewhereOrTooLateIsNone)
{
    for (std::uint64_t i = 1; i <= 3 * limit; i++)
        times_out(i, 1 * s + i, "198.51." + std::to_string(i) + ".1");
    for (std::uint64_t i = 1; i <= 3 * limit; i++)
        times_out(100 + i, i * Pressure::storm_ns / (limit - 1));
    EXPECT_THAT(judged.fallen, IsEmpty());
}

// Each segment that is lost at the end of a flight costs a time-out; that the next one is lost too is rare.
TEST_F(StormTest, OneTimeoutEachIsNone)
{
    for (std::uint64_t i = 1; i <= 10 * limit; i++)
        times_out(i, 1 * s + i, "192.0.2.1", 1);
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST_F(StormTest, IsSaidAgainWhenItWasOver)
{
    for (std::uint64_t storm = 0; storm < 3; storm++) {
        for (std::uint64_t i = 1; i <= limit; i++)
            times_out(i, (1 + storm * 100) * s + i);
        times_out(1, (50 + storm * 100) * s);
    }
    EXPECT_EQ(judged.fallen.size(), 3U);
}

class ScarcityTest : public testing::Test {
protected:
    static Usage ports(std::uint32_t taken, std::uint16_t remote_port = 443)
    {
        Usage usage;
        usage.connection = 7;
        usage.identity.local.port = 40'000;
        usage.identity.remote.port = remote_port;
        usage.taken = taken;
        usage.at_most = 1000;
        return usage;
    }
    static Usage time_waits(std::uint32_t taken)
    {
        auto usage = ports(taken, static_cast<std::uint16_t>(taken)); // whichever of them it is
        usage.kind = Usage::Kind::TimeWaits;
        return usage;
    }
    void look(std::uint64_t time_ns, const std::vector<Usage> &usage)
    {
        for (const auto &one : usage)
            judged.diagnosis().weigh(one, time_ns);
    }

    Judged judged;
};

TEST_F(ScarcityTest, PortsRunOutWithAForecast)
{
    look(10 * s, {ports(600)});
    look(15 * s, {ports(799)});
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(20 * s, {ports(800)});
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(7, PortsRunningOut)));
    EXPECT_EQ(judged.last().alike, 800U);
    EXPECT_EQ(judged.last().at_most, 1000U);
    EXPECT_EQ(judged.last().gives_up_ns, 1000 * s) << "one in five seconds";
    ASSERT_TRUE(judged.fallen[0].identity);
    look(25 * s, {ports(1000)});
    EXPECT_EQ(judged.fallen.size(), 1U) << "said once";
    look(30 * s, {ports(0)});
    look(35 * s, {ports(900)});
    ASSERT_EQ(judged.fallen.size(), 2U) << "there was enough in between";
    EXPECT_EQ(judged.last().gives_up_ns, 0U) << "nobody knows how fast";
}

TEST_F(ScarcityTest, EachDestinationHasAllPorts)
{
    look(10 * s, {ports(700, 443), ports(700, 80)});
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(20 * s, {ports(850, 443), ports(700, 80)});
    EXPECT_EQ(judged.fallen.size(), 1U);
}

TEST_F(ScarcityTest, TimeWaitBuildUpOfANamespace)
{
    look(10 * s, {time_waits(790)});
    look(15 * s, {time_waits(810)});
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(7, TimeWaitBuildUp)));
    EXPECT_EQ(judged.last().gives_up_ns, s / 4 * 190);
    look(20 * s, {time_waits(820)});
    EXPECT_EQ(judged.fallen.size(), 1U);
}

TEST(HandshakePressure, SaidOnceWhenItsSynAckWentOften)
{
    Judged judged;
    for (std::uint32_t attempt = 1; attempt <= 5; attempt++) {
        Handshake handshake;
        handshake.step = HandshakeStep::SynAckRetransmit;
        handshake.attempt = attempt;
        handshake.since_syn_ns = attempt * s;
        handshake.gives_up_ns = 60 * s;
        judged.add(EventBuilder().at(attempt * s).connection(9).shakes_hands(handshake));
        EXPECT_EQ(judged.fallen.size(), attempt < Thresholds().timeouts ? 0U : 1U) << attempt;
    }
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(9, HandshakeUnanswered)));
    EXPECT_EQ(judged.last().times_sent, Thresholds().timeouts + 1);
    EXPECT_EQ(judged.last().gives_up_ns, 60 * s);
    // The ACK came: it waits for room, or for data.
    Judged deferred;
    Handshake handshake;
    handshake.step = HandshakeStep::SynAckRetransmit;
    handshake.attempt = Thresholds().timeouts;
    handshake.acknowledged = true;
    deferred.add(EventBuilder().at(1).connection(9).shakes_hands(handshake));
    EXPECT_THAT(deferred.fallen, IsEmpty());
}

TEST(TimeWait, ItsEndBeforeItsTime)
{
    auto ends = [](EndReason reason) {
        Judged judged;
        auto event = EventBuilder().at(5 * s).connection(7).ends(TimeWait, reason, 3 * s).afterwards();
        judged.add(event, no_slot).finish();
        return judged.kinds();
    };
    EXPECT_THAT(ends(EndReason::Timer), IsEmpty());
    EXPECT_THAT(ends(EndReason::Namespace), IsEmpty());
    EXPECT_THAT(ends(EndReason::Syn), ElementsAre(Pair(7, TimeWaitReused)));
    EXPECT_THAT(ends(EndReason::Connect), ElementsAre(Pair(7, TimeWaitReused)));
    EXPECT_THAT(ends(EndReason::Reset), ElementsAre(Pair(7, TimeWaitAssassinated)));

    Diagnosis::Settings alarms;
    alarms.least = Severity::Notice;
    Judged judged(alarms);
    judged.add(EventBuilder().at(5 * s).connection(7).ends(TimeWait, EndReason::Syn, 3 * s).afterwards(), no_slot);
    EXPECT_THAT(judged.fallen, IsEmpty()) << "it is as it should be";
}

// Connections that each send little, to one host or another.
class PathLossTest : public testing::Test {
protected:
    // Of `sent` segments so many go again; then it ends.
    void pass(std::uint64_t time_ns, std::uint32_t repeated, std::uint32_t sent = 20,
              const std::string &remote = "192.0.2.7", std::uint32_t timeouts = 0)
    {
        connection_++;
        const auto event = [&](std::uint64_t at_ns) {
            return EventBuilder().at(at_ns).connection(connection_).remote(remote, 443);
        };
        judged.add(event(time_ns - 2).changes(SynSent, Established));
        for (std::uint32_t i = 1; i <= repeated; i++) {
            Retransmit retransmit;
            retransmit.kind = timeouts != 0 ? RetransmitKind::Timeout : RetransmitKind::Fast;
            retransmit.timeouts = timeouts;
            retransmit.total = i;
            retransmit.sent = sent;
            judged.add(event(time_ns - 1).retransmits(retransmit));
        }
        judged.add(event(time_ns).changes(LastAck, Close).took({.sent = sent, .retransmitted = repeated}));
        judged.wait_until(time_ns);
    }
    [[nodiscard]] std::vector<Verdict> said() const
    {
        std::vector<Verdict> verdicts;
        for (const auto &one : judged.fallen) {
            if (one.verdict.kind == PathLoss)
                verdicts.push_back(one.verdict);
        }
        return verdicts;
    }

    Judged judged;

private:
    std::uint64_t connection_ = 100;
};

TEST_F(PathLossTest, ATenthOfWhatSeveralConnectionsSend)
{
    for (std::uint64_t i = 0; i < 4; i++)
        pass(1 * s + i * 300 * ms, 3);
    EXPECT_TRUE(said().empty()) << "less than a second";
    pass(2 * s + 500 * ms, 0);
    ASSERT_EQ(said().size(), 1U);
    EXPECT_EQ(said()[0].alike, 4U);
    EXPECT_EQ(said()[0].repeated, 12U);
    EXPECT_EQ(said()[0].segments, 100U);
    EXPECT_EQ(said()[0].waits_ns, 1'500 * ms);
    EXPECT_EQ(severity_of(PathLoss), Severity::Alarm);
    for (std::uint64_t i = 0; i < 60; i++)
        pass(3 * s + i * 500 * ms, 3);
    EXPECT_EQ(said().size(), 1U) << "what goes on is no news";
}

TEST_F(PathLossTest, LessIsNone)
{
    for (std::uint64_t i = 0; i < 50; i++)
        pass(1 * s + i * 300 * ms, i % 2, 21); // one of 42
    EXPECT_TRUE(said().empty());
}

TEST_F(PathLossTest, TwoConnectionsAreNoWay)
{
    for (std::uint64_t i = 0; i < 9; i++)
        pass(1 * s + i * 300 * ms, i < 2 ? 6 : 0, 10);
    EXPECT_TRUE(said().empty());
}

TEST_F(PathLossTest, HostsAreNotMixed)
{
    for (std::uint64_t i = 0; i < 20; i++)
        pass(1 * s + i * 300 * ms, 2, 20, "192.0.2." + std::to_string(i % 10));
    EXPECT_TRUE(said().empty());
}

TEST_F(PathLossTest, AnOutageIsNone)
{
    for (std::uint64_t i = 0; i < 9; i++)
        pass(1 * s + i * 300 * ms, 5, 20, "192.0.2.7", 2);
    EXPECT_TRUE(said().empty());
}

TEST_F(PathLossTest, IsSaidAgainWhenItWasOver)
{
    for (const std::uint64_t begin : {1U, 100U}) {
        for (std::uint64_t i = 0; i < 5; i++)
            pass(begin * s + i * 300 * ms, 3);
    }
    EXPECT_EQ(said().size(), 2U);
}

// A connection of process 7 that was there for `length_ns`.
void pass(Judged &judged, std::uint64_t time_ns, std::uint64_t length_ns, std::uint32_t pid = 7,
          TcpState begin = SynSent)
{
    const auto event = [&](std::uint64_t at_ns) {
        return EventBuilder().at(at_ns).connection(5).owner("client", pid, OwnerSource::Connect);
    };
    judged.add(event(time_ns).changes(begin == SynSent ? Close : Listen, begin));
    judged.add(event(time_ns + length_ns).changes(begin, Close));
}

std::size_t churns(const Judged &judged)
{
    return static_cast<std::size_t>(std::count_if(judged.fallen.begin(), judged.fallen.end(), [](const auto &fallen) {
        return fallen.verdict.kind == ConnectionChurn;
    }));
}

Diagnosis::Settings two_a_second()
{
    Diagnosis::Settings settings;
    settings.thresholds.churn = 2;
    return settings;
}

TEST(Pressure, ChurnOfOneProcess)
{
    Judged judged(two_a_second());
    for (std::uint64_t i = 0; i < 19; i++)
        pass(judged, (1 + i) * 100 * ms, ms);
    EXPECT_EQ(churns(judged), 0U) << "a near miss";
    pass(judged, 9 * s, ms);
    ASSERT_EQ(churns(judged), 1U);
    const auto found = std::find_if(judged.fallen.begin(), judged.fallen.end(),
                                    [](const auto &fallen) { return fallen.verdict.kind == ConnectionChurn; });
    EXPECT_EQ(found->verdict.alike, 20U);
    EXPECT_EQ(found->verdict.waits_ns, 8'900 * ms);
    EXPECT_FALSE(found->verdict.ended);
    EXPECT_EQ(severity_of(ConnectionChurn), Severity::Notice);
    for (std::uint64_t i = 0; i < 100; i++)
        pass(judged, 9 * s + (1 + i) * ms, ms / 2);
    EXPECT_EQ(churns(judged), 1U) << "six times as many";
    for (std::uint64_t i = 0; i < 30; i++)
        pass(judged, 30 * s + i * ms, ms / 2);
    EXPECT_EQ(churns(judged), 1U) << "it goes on";
    pass(judged, 50 * s, ms);
    for (std::uint64_t i = 0; i < 20; i++)
        pass(judged, 70 * s + i * ms, ms / 2);
    EXPECT_EQ(churns(judged), 2U) << "it was over in between";
}

TEST(Pressure, ChurnIsOfOneProcessThatConnectsForShort)
{
    Judged judged(two_a_second());
    for (std::uint64_t i = 0; i < 15; i++) {
        pass(judged, (1 + i) * 10 * ms, ms, 7);
        pass(judged, (1 + i) * 10 * ms + 2 * ms, ms, 8);
        pass(judged, (1 + i) * 10 * ms + 4 * ms, ms, 7, SynRecv);
    }
    EXPECT_EQ(churns(judged), 0U);
    Judged patient(two_a_second());
    for (std::uint64_t i = 0; i < 9; i++)
        pass(patient, 1 + i * s, s);
    EXPECT_EQ(churns(patient), 0U);
}

} // namespace
} // namespace tcpflight::test

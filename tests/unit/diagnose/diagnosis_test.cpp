// When verdicts fall, about whom, and that a healthy connection gets none.
#include "unit/diagnose/judged.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace tcpflight::test {
namespace {

using enum TcpState;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t settle_ns = Thresholds().settle_ns;

// Connections of all kinds that are as they should be; a lost segment here and there belongs to it.
TEST(Diagnosis, AHealthyConnectionGetsNoAlarm)
{
    Diagnosis::Settings alarms;
    alarms.least = Severity::Notice;
    Judged judged(alarms);
    constexpr std::uint64_t connections = 100'000;
    for (std::uint64_t i = 0; i < connections; i++) {
        const auto t = 1 + i * 50 * us;
        const auto port = static_cast<std::uint16_t>(1024 + i % 60'000);
        auto client = [&](std::uint64_t after) {
            return EventBuilder().at(t + after).connection(2 * i + 1).local("10.0.0.1", port).remote("10.0.0.2", 443);
        };
        auto server = [&](std::uint64_t after) {
            return EventBuilder().at(t + after).connection(2 * i + 2).local("10.0.0.2", 443).remote("10.0.0.1", port);
        };
        judged.add(client(0).changes(Close, SynSent)).add(client(10).changes(SynSent, Established));
        judged.add(server(11).changes(Listen, SynRecv)).add(server(12).changes(SynRecv, Established));
        if (i % 100 == 0)
            judged.add(client(20).retransmits(Judged::timeout(1, Established, tcp_flag::ack, 100)));
        const bool client_first = i % 2 == 0;
        auto first = [&](std::uint64_t after) { return client_first ? client(after) : server(after); };
        auto second = [&](std::uint64_t after) { return client_first ? server(after) : client(after); };
        judged.add(first(30).changes(Established, FinWait1)).add(second(31).changes(Established, CloseWait));
        judged.add(first(32).changes(FinWait1, FinWait2)).add(second(40).changes(CloseWait, LastAck));
        judged.add(first(41).leaves(FinWait2, TimeWait)).add(second(42).changes(LastAck, Close));
    }
    judged.finish();
    // 20,000 a second are worth a notice of their own.
    EXPECT_THAT(judged.kinds(), testing::Each(testing::Pair(testing::_, VerdictKind::ConnectionChurn)));
    EXPECT_EQ(severity_of(VerdictKind::ConnectionChurn), Severity::Notice);
}

TEST(Diagnosis, EveryEndGetsOneVerdict)
{
    Judged judged;
    judged.open_client(1).open_server(1);
    judged.add(Judged::client(1 * s).changes(Established, FinWait1));
    judged.add(Judged::server(1 * s).changes(Established, CloseWait));
    judged.add(Judged::client(1 * s + 1).changes(FinWait1, FinWait2));
    judged.add(Judged::server(1 * s + 2).changes(CloseWait, LastAck));
    judged.add(Judged::client(1 * s + 3).leaves(FinWait2, TimeWait));
    judged.add(Judged::server(1 * s + 4).changes(LastAck, Close)).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(std::pair(std::uint64_t{1}, VerdictKind::Orderly),
                                            std::pair(std::uint64_t{2}, VerdictKind::Orderly)));
}

TEST(Diagnosis, AnEndIsJudgedAfterItHasSettledAndNotBefore)
{
    Judged judged;
    judged.open_client(1).add(Judged::client(1 * s).changes(Established, Close, 1 * s, ECONNRESET));
    EXPECT_TRUE(judged.diagnosis().is_holding());
    judged.wait_until(1 * s + settle_ns - 1);
    EXPECT_THAT(judged.fallen, IsEmpty());
    judged.wait_until(1 * s + settle_ns);
    ASSERT_EQ(judged.fallen.size(), 1U);
    EXPECT_EQ(judged.fallen[0].time_ns, 1 * s + settle_ns);
    EXPECT_FALSE(judged.diagnosis().is_holding());
}

// The socket is used for another connect(2): its first life is judged before the second begins.
TEST(Diagnosis, TheEndOfAnEarlierLifeIsJudgedFirst)
{
    Judged judged;
    for (std::uint64_t i = 0; i < 3; i++) {
        judged.add(Judged::client(1 + i * ms).changes(Close, SynSent));
        EXPECT_EQ(judged.fallen.size(), i);
        judged.add(Judged::client(2 + i * ms).changes(SynSent, Close, 1, ECONNREFUSED));
    }
    judged.finish();
    ASSERT_EQ(judged.fallen.size(), 3U);
    for (const auto &one : judged.fallen)
        EXPECT_EQ(one.verdict.lasted_ns, 1U);
}

TEST(Diagnosis, SaysWhetherTheConnectionIsWanted)
{
    Judged judged;
    judged.add(Judged::client(1).changes(Close, SynSent).unwanted());
    judged.add(Judged::client(2).changes(SynSent, Close, 1, ETIMEDOUT).unwanted()).finish();
    ASSERT_EQ(judged.fallen.size(), 1U);
    EXPECT_FALSE(judged.fallen[0].wanted);
}

// One that waits for its verdict has left its slot, and another connection is in it.
TEST(Diagnosis, ASlotIsUsedAgain)
{
    Judged judged;
    judged.open_client(1).add(Judged::client(1 * s).changes(Established, Close, 1 * s, ECONNRESET));
    judged.add(Judged::client(1 * s + 1).connection(3).changes(Close, SynSent), 1);
    judged.add(Judged::client(1 * s + 2).connection(1).resets({.reason = ResetReason::Linger0}), no_slot);
    judged.add(Judged::client(1 * s + 3).connection(3).changes(SynSent, Close, 1, ECONNREFUSED), 1).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(std::pair(std::uint64_t{1}, VerdictKind::AbortedLinger),
                                            std::pair(std::uint64_t{3}, VerdictKind::Refused)));
}

// What the table has forgotten leaves no trace in its slot.
TEST(Diagnosis, AForgottenConnectionIsReplaced)
{
    Judged judged;
    judged.open_client(1).open_server(1);
    judged.add(Judged::client(2 * s).connection(3).local("10.0.0.1", 2).changes(Close, SynSent), 1);
    judged.add(Judged::server(3 * s).changes(Established, Close, 1, ETIMEDOUT)).finish();
    ASSERT_THAT(judged.kinds(), ElementsAre(std::pair(std::uint64_t{2}, VerdictKind::KeepaliveTimedOut)));
    EXPECT_EQ(judged.last().other.connection, 0U);
}

TEST(Diagnosis, FollowsConnectionsToOtherSlots)
{
    Judged judged;
    judged.open_client(1).open_server(1);
    judged.diagnosis().move(
        [](std::uint64_t connection) { return connection == 1 ? 2000U : static_cast<std::uint32_t>(connection); });
    judged.add(Judged::server(1 * s).changes(Established, Close, 1, ETIMEDOUT)).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(std::pair(std::uint64_t{2}, VerdictKind::KeepaliveTimedOut),
                                            std::pair(std::uint64_t{1}, VerdictKind::HalfOpen)));
    judged.add(Judged::client(2 * s).changes(Established, Close, 2 * s, ECONNRESET), 2000).finish();
    EXPECT_EQ(judged.last().lasted_ns, 2 * s - 1);
}

TEST(Diagnosis, WhatIsNoConnectionIsPassedOver)
{
    Judged judged;
    judged.add(Judged::client(1).connection(0).resets({.reason = ResetReason::NoSocket}));
    judged.add(Judged::client(1).resets({.direction = ResetDirection::Received}));
    judged.add(EventBuilder().loses(1, LossReason::RingFull, 0));
    Found found;
    found.state = TimeWait;
    found.time_wait_socket = true;
    judged.add(Judged::client(1).finds(found)).finish();
    EXPECT_THAT(judged.fallen, IsEmpty());
}

} // namespace
} // namespace tcpflight::test

// Connections that wait: when that is too long, how they are counted, and the near misses.
#include "unit/diagnose/judged.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

using enum TcpState;
using enum VerdictKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const Thresholds limits;

Found waiting(TcpState state)
{
    Found found;
    found.state = state;
    found.waits = true;
    found.status.inode = 77;
    return found;
}

class StuckTest : public testing::Test {
protected:
    // A look at `time_ns` that sees the server's end so; judged when the next event comes.
    void look(std::uint64_t time_ns, const Found &found)
    {
        judged.add(Judged::server(time_ns).finds(found)).wait_until(time_ns + 1);
    }
    void look_until(std::uint64_t end_ns, const Found &found)
    {
        for (auto time_ns = begin_ns; time_ns <= end_ns; time_ns += 5 * s)
            look(time_ns, found);
    }

    static constexpr std::uint64_t begin_ns = 10 * s;
    Judged judged;
};

TEST_F(StuckTest, CloseWaitHeldSinceTheFin)
{
    judged.open_server(1).add(Judged::server(begin_ns).changes(Established, CloseWait));
    look(begin_ns + limits.close_wait_ns - 1, waiting(CloseWait));
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(begin_ns + limits.close_wait_ns, waiting(CloseWait));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, CloseWaitHeld)));
    EXPECT_EQ(judged.last().waits_ns, limits.close_wait_ns);
    EXPECT_EQ(judged.last().alike, 1U);
    EXPECT_EQ(judged.last().closed_first, Closer::OtherEnd);
    EXPECT_FALSE(judged.last().ended);
    look(begin_ns + 2 * limits.close_wait_ns, waiting(CloseWait));
    EXPECT_EQ(judged.fallen.size(), 1U) << "said once";
}

TEST_F(StuckTest, NothingIsSaidOfWhatNobodyWants)
{
    judged.open_server(1);
    auto unwanted = Judged::server(begin_ns).changes(Established, CloseWait).unwanted();
    judged.add(unwanted).add(Judged::server(200 * s).finds(waiting(CloseWait)).unwanted()).finish();
    EXPECT_THAT(judged.fallen, IsEmpty());
}

// A leak: one verdict for the first, one for the tenth, none in between.
TEST_F(StuckTest, AProcessIsNamedAgainWhenThereAreTenTimesAsMany)
{
    for (std::uint64_t held = 1; held <= 12; held++) {
        const auto at = [&](std::uint64_t time_ns, std::uint64_t connection) {
            return Judged::server(time_ns)
                .connection(100 + connection)
                .remote("127.0.0.1", static_cast<std::uint16_t>(connection));
        };
        judged.add(at(held * s, held).changes(Listen, SynRecv)).add(at(held * s, held).changes(SynRecv, Established));
        judged.add(at(held * s, held).changes(Established, CloseWait));
        for (std::uint64_t known = 1; known <= held; known++)
            judged.add(at(held * 1000 * s, known).finds(waiting(CloseWait)));
        judged.wait_until(held * 1000 * s + 1);
        ASSERT_EQ(judged.fallen.size(), held < 10 ? 1U : 2U) << held;
    }
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(101, CloseWaitHeld), Pair(101, CloseWaitHeld))) << "the oldest";
    EXPECT_EQ(judged.last().alike, 10U);
}

// Gone for one look: what comes later is something new.
TEST_F(StuckTest, WhatWasOverCanBeSaidAgain)
{
    judged.open_client(1).open_server(1);
    Found full = waiting(Established);
    full.status.timer = Timer::Probe;
    full.status.send_queue = 10;
    look_until(80 * s, full);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, ZeroWindow)));
    EXPECT_EQ(judged.last().queued, 10U);
    EXPECT_EQ(judged.last().other.connection, 1U);
    judged.add(Judged::client(100 * s).finds(waiting(Established))).wait_until(101 * s);
    for (auto time_ns = 105 * s; time_ns <= 160 * s; time_ns += 5 * s)
        look(time_ns, full);
    EXPECT_EQ(judged.fallen.size(), 1U) << "the time counts from anew";
    look(165 * s, full);
    EXPECT_EQ(judged.fallen.size(), 2U);
}

TEST_F(StuckTest, UnreadUnlessSomeOfItIsRead)
{
    judged.open_server(1);
    Found found = waiting(Established);
    found.status.recv_queue = 1000;
    look_until(40 * s, found);
    found.status.recv_queue = 900;
    for (auto time_ns = 45 * s; time_ns < 105 * s; time_ns += 5 * s)
        look(time_ns, found);
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(105 * s, found);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, Unread)));
    EXPECT_EQ(judged.last().queued, 900U);
    EXPECT_EQ(judged.last().waits_ns, 60 * s);
}

TEST_F(StuckTest, AcceptStalledUntilItIsAccepted)
{
    judged.open_server(1 * s);
    Found queued = waiting(Established);
    queued.status.inode = 0;
    look(1 * s + limits.accept_ns - 1, queued);
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(2 * s + limits.accept_ns, queued);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, AcceptStalled)));

    // A socket that the kernel accepted for itself has no file either.
    Judged kernel;
    kernel.open_server(1 * s).add(Judged::server(2 * s).accepted({}));
    kernel.add(Judged::server(100 * s).finds(queued)).finish();
    EXPECT_THAT(kernel.fallen, IsEmpty());
    // One that it opened, too.
    Judged client;
    client.open_client(1 * s).add(Judged::client(100 * s).finds(queued)).finish();
    EXPECT_THAT(client.fallen, IsEmpty());
}

TEST_F(StuckTest, ProbesUnansweredAtOnce)
{
    judged.open_server(1);
    Found found = waiting(Established);
    found.status.timer = Timer::Keepalive;
    found.status.retries = static_cast<std::uint8_t>(limits.probes - 1);
    look(begin_ns, found);
    EXPECT_THAT(judged.fallen, IsEmpty());
    found.status.retries++;
    look(begin_ns + 1 * s, found);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(2, ProbesUnanswered)));
    EXPECT_EQ(judged.last().times_sent, limits.probes);
}

TEST_F(StuckTest, FinWaitHeldByAProcessAlone)
{
    judged.open_server(1).add(Judged::server(2 * s).changes(Established, FinWait1));
    judged.add(Judged::server(3 * s).changes(FinWait1, FinWait2));
    look(2 * s + limits.fin_wait_ns - 1, waiting(FinWait2));
    EXPECT_THAT(judged.fallen, IsEmpty());
    look(2 * s + limits.fin_wait_ns, waiting(FinWait2));
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, FinWaitHeld)));
}

TEST_F(StuckTest, ALookIsJudgedAtTheEndIfNothingFollows)
{
    judged.open_server(1).add(Judged::server(2 * s).changes(Established, CloseWait));
    judged.add(Judged::server(100 * s).finds(waiting(CloseWait)));
    EXPECT_TRUE(judged.diagnosis().is_holding());
    EXPECT_THAT(judged.fallen, IsEmpty());
    judged.finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(2, CloseWaitHeld)));
    EXPECT_FALSE(judged.diagnosis().is_holding());
}

} // namespace
} // namespace tcpflight::test

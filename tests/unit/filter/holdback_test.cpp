// Lines that wait until the numbers of their connection are known.
#include "filter/holdback.h"

#include "support/event_builder.h"
#include "support/expression.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

Retransmit retransmission(std::uint32_t total, std::uint32_t rtt_us = 0)
{
    Retransmit retransmit;
    retransmit.total = total;
    retransmit.metrics.rtt_us = rtt_us;
    return retransmit;
}

class HoldbackTest : public testing::Test {
protected:
    // What came out: "connection@seconds", "-" before what is not wanted, "~" behind what stands after a gap.
    void begin(std::string_view filter, std::size_t max_bytes = Holdback::default_bytes)
    {
        holdback.emplace(
            filter_of(filter),
            [this](const Event &event) {
                out += fmt::format("{}{}@{}{} ", event.wanted ? "" : "-", event.connection, event.time_ns / second,
                                   event.after_gap ? "~" : "");
                if (event.identity != nullptr)
                    last_owner = event.identity->owner.pid;
            },
            max_bytes);
    }

    void push(EventBuilder builder, std::uint64_t connection, std::uint64_t time_s)
    {
        auto event = builder.connection(connection).at(time_s * second).build();
        holdback->push(event.view());
    }
    void change(std::uint64_t connection, std::uint64_t time_s, TcpState from, TcpState to)
    {
        push(EventBuilder().changes(from, to), connection, time_s);
    }
    void connect(std::uint64_t connection, std::uint64_t time_s)
    {
        change(connection, time_s, TcpState::Close, TcpState::SynSent);
    }
    void establish(std::uint64_t connection, std::uint64_t time_s)
    {
        change(connection, time_s, TcpState::SynSent, TcpState::Established);
    }
    void close(std::uint64_t connection, std::uint64_t time_s, std::uint64_t acked, std::uint64_t received)
    {
        push(EventBuilder().changes(TcpState::Established, TcpState::Close).carried(acked, received), connection,
             time_s);
    }
    void close(std::uint64_t connection, std::uint64_t time_s)
    {
        change(connection, time_s, TcpState::Established, TcpState::Close);
    }
    void retransmit(std::uint64_t connection, std::uint64_t time_s, std::uint32_t total, std::uint32_t rtt_us = 0)
    {
        push(EventBuilder().retransmits(retransmission(total, rtt_us)), connection, time_s);
    }
    // And forgets it.
    std::string taken() { return std::exchange(out, {}); }

    std::optional<Holdback> holdback;
    std::string out;
    std::uint32_t last_owner = 0;
};

TEST_F(HoldbackTest, BytesDecideAtTheEnd)
{
    begin("bytes > 1000");
    connect(1, 1);
    connect(2, 1);
    establish(1, 2);
    close(1, 3, 600, 401);
    close(2, 3, 600, 400);
    connect(3, 4);
    close(3, 5); // nobody told
    EXPECT_EQ(out, "1@1 1@2 1@3 -2@1 -2@3 -3@4 -3@5 ");
}

TEST_F(HoldbackTest, ShowsAConnectionFromItsBeginOnceItQualifies)
{
    begin("retransmits >= 2");
    connect(1, 1);
    connect(2, 1);
    establish(1, 2);
    retransmit(1, 3, 1);
    EXPECT_EQ(taken(), "");
    retransmit(1, 4, 2);
    EXPECT_EQ(taken(), "1@1 1@2 1@3 1@4 ");
    close(1, 5);
    EXPECT_EQ(taken(), "1@5 ");
    close(2, 6);
    EXPECT_EQ(taken(), "-2@1 -2@6 ");
}

TEST_F(HoldbackTest, IsDecidedByTheEndWhereNothingElseDecides)
{
    begin("retransmits = 1");
    connect(1, 1);
    retransmit(1, 2, 1);
    EXPECT_EQ(taken(), "");
    close(1, 3);
    EXPECT_EQ(taken(), "1@1 1@2 1@3 ");
    connect(2, 4);
    retransmit(2, 5, 2);
    EXPECT_EQ(taken(), "-2@4 -2@5 ");
}

TEST_F(HoldbackTest, AnEventThatSaysItselfWhetherItIsWantedDoesNotWait)
{
    begin("event retransmit or state close");
    connect(1, 1);
    retransmit(1, 2, 1);
    close(1, 3);
    EXPECT_EQ(taken(), "-1@1 1@2 1@3 ");
}

TEST_F(HoldbackTest, EventsAndNumbersTogether)
{
    begin("event retransmit and retransmits >= 2");
    connect(1, 1);
    EXPECT_EQ(taken(), "-1@1 ");
    retransmit(1, 2, 1);
    EXPECT_EQ(taken(), "");
    retransmit(1, 3, 2);
    EXPECT_EQ(taken(), "1@2 1@3 ");
}

TEST_F(HoldbackTest, AConnectionGrowsOldWithoutAnyEvent)
{
    begin("duration > 5s");
    connect(1, 1);
    establish(1, 2);
    connect(2, 4);
    ASSERT_TRUE(holdback->due_ns());
    EXPECT_LE(*holdback->due_ns(), 6 * second);
    holdback->advance(6 * second);
    EXPECT_EQ(taken(), "") << "exactly five seconds are not more than five";
    holdback->advance(6 * second + 1);
    EXPECT_EQ(taken(), "1@1 1@2 ");
    // Without anybody advancing, any event tells the time.
    connect(3, 20);
    EXPECT_EQ(taken(), "2@4 ");
}

TEST_F(HoldbackTest, AShortConnectionIsDroppedAtItsEnd)
{
    begin("duration > 5s");
    connect(1, 1);
    close(1, 3);
    EXPECT_EQ(taken(), "-1@1 -1@3 ");
    EXPECT_FALSE(holdback->due_ns());
    begin("duration < 5s");
    connect(1, 1);
    connect(2, 1);
    close(1, 3);
    EXPECT_EQ(taken(), "1@1 1@3 ");
    holdback->advance(7 * second);
    EXPECT_EQ(taken(), "-2@1 ");
}

TEST_F(HoldbackTest, WhatWasThereBeforeIsAsOldAsItWasFound)
{
    begin("duration > 5s");
    Found found;
    found.status.established_ns = 4 * second;
    push(EventBuilder().finds(found), 1, 10);
    holdback->advance(11 * second);
    EXPECT_EQ(taken(), "");
    holdback->advance(12 * second);
    EXPECT_EQ(taken(), "1@10 ");
}

TEST_F(HoldbackTest, OfAConnectionSeenInPartNothingIsSaidThatMayBeWrong)
{
    begin("duration < 5s");
    establish(1, 1);
    close(1, 2);
    EXPECT_EQ(taken(), "-1@1 -1@2 ");
}

TEST_F(HoldbackTest, ARoundTripTimeComesWithTheEvents)
{
    begin("rtt > 200ms");
    connect(1, 1);
    retransmit(1, 2, 1, 100'000);
    EXPECT_EQ(taken(), "");
    retransmit(1, 3, 2, 300'000);
    retransmit(1, 4, 3, 1000);
    EXPECT_EQ(taken(), "1@1 1@2 1@3 1@4 ");
}

TEST_F(HoldbackTest, TheResetBehindTheEndBelongsToTheConnection)
{
    begin("retransmits > 0");
    connect(1, 1);
    retransmit(1, 2, 1);
    close(1, 3);
    push(EventBuilder().resets({.state = TcpState::Close}), 1, 3);
    EXPECT_EQ(taken(), "1@1 1@2 1@3 1@3 ");
    push(EventBuilder().resets({.state = TcpState::Close}), 9, 4);
    EXPECT_EQ(taken(), "-9@4 ") << "nothing is known of it";
}

TEST_F(HoldbackTest, TimeWaitIsNoPartOfAConnectionsAge)
{
    begin("duration > 5s");
    connect(1, 1);
    push(EventBuilder().leaves(TcpState::FinWait2, TcpState::TimeWait), 1, 3);
    EXPECT_EQ(taken(), "-1@1 -1@3 ");
    change(1, 63, TcpState::TimeWait, TcpState::Close);
    EXPECT_EQ(taken(), "-1@63 ");
    begin("duration < 5s");
    connect(1, 1);
    push(EventBuilder().leaves(TcpState::FinWait2, TcpState::TimeWait), 1, 3);
    change(1, 63, TcpState::TimeWait, TcpState::Close);
    EXPECT_EQ(taken(), "1@1 1@3 1@63 ");
}

TEST_F(HoldbackTest, LossesAndWhatIsNotWantedPassAtOnce)
{
    begin("duration > 5s");
    holdback->push(EventBuilder().at(1).loses(3, LossReason::RingFull, 0).build().view());
    push(EventBuilder().unwanted(), 1, 2);
    EXPECT_EQ(taken(), "0@0 -1@2 ");
}

TEST_F(HoldbackTest, StaysWantedWhenItChangesHands)
{
    begin("pid 7 and retransmits > 0");
    push(EventBuilder().owner("a", 7, OwnerSource::Connect), 1, 1);
    push(EventBuilder().owner("b", 8, OwnerSource::Syscall).changes(TcpState::SynSent, TcpState::Established), 1, 2);
    push(EventBuilder().owner("b", 8, OwnerSource::Syscall).retransmits(retransmission(1)), 1, 3);
    EXPECT_EQ(taken(), "1@1 1@2 1@3 ");
    EXPECT_EQ(last_owner, 8U);
}

TEST_F(HoldbackTest, ForgetsTheLongestWaitingWhereThereIsNoRoomAndSaysSo)
{
    begin("retransmits > 0", 4096);
    for (std::uint64_t connection = 1; connection <= 20; connection++)
        connect(connection, connection);
    EXPECT_EQ(taken(), "");
    auto dropped = holdback->dropped();
    EXPECT_GT(dropped, 0U);
    EXPECT_LT(dropped, 20U);
    retransmit(20, 30, 1);
    EXPECT_EQ(taken(), "20@20 20@30 ");
    retransmit(1, 31, 1);
    EXPECT_EQ(out.substr(0, 4), "1@31") << "its begin is gone";
}

TEST_F(HoldbackTest, MarksWhatWasDropped)
{
    begin("retransmits > 0", 1200);
    connect(1, 1);
    connect(2, 2);
    connect(3, 3);
    retransmit(3, 4, 1);
    retransmit(2, 5, 1);
    EXPECT_GT(holdback->dropped(), 0U);
    EXPECT_NE(out.find("3@4"), std::string::npos) << out;
    EXPECT_NE(out.find('~'), std::string::npos) << out;
}

TEST_F(HoldbackTest, WhatIsStillOpenAtTheEndIsNotWanted)
{
    begin("duration > 5s");
    connect(1, 1);
    holdback->finish();
    EXPECT_EQ(taken(), "-1@1 ");
}

TEST_F(HoldbackTest, ANewLifeOfTheSameSocketBeginsAnew)
{
    begin("retransmits > 0");
    connect(1, 1);
    retransmit(1, 2, 1);
    EXPECT_EQ(taken(), "1@1 1@2 ");
    connect(1, 3);
    EXPECT_EQ(taken(), "");
}

} // namespace
} // namespace tcpflight::test

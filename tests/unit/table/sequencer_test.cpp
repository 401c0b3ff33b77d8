#include "table/sequencer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t ms = 1'000'000;

// Delivers into a list of "connection@ms:port" strings.
class SequencerTest : public testing::Test {
protected:
    void push(std::uint64_t connection, std::uint64_t at_ms, TcpState to, std::uint16_t port)
    {
        Identity identity;
        identity.local.port = port;
        identity.remote.port = 80;
        Event event;
        event.connection = connection;
        event.time_ns = at_ms * ms;
        event.identity = &identity;
        StateChange change;
        change.to = to;
        event.what = change;
        sequencer.push(event);
    }

    std::vector<std::string> take() { return std::exchange(delivered, {}); }

    std::vector<std::string> delivered;
    Sequencer sequencer{[this](const Event &event) {
        delivered.push_back(fmt::format("{}@{}:{}", event.connection, event.time_ns / ms, event.identity->local.port));
    }};
};

using Lines = std::vector<std::string>;

TEST_F(SequencerTest, PassesOnWhatIsWhole)
{
    push(1, 10, TcpState::SynSent, 4000);
    EXPECT_EQ(take(), (Lines{"1@10:4000"}));
    EXPECT_FALSE(sequencer.is_holding());
}

TEST_F(SequencerTest, WaitsForThePortAndKeepsTheOrderOfTime)
{
    push(1, 10, TcpState::SynSent, 0);
    push(2, 11, TcpState::SynRecv, 80);
    EXPECT_EQ(take(), Lines{});
    EXPECT_TRUE(sequencer.is_holding());
    push(1, 12, TcpState::Established, 4000);
    EXPECT_EQ(take(), (Lines{"1@10:4000", "2@11:80", "1@12:4000"}));
    EXPECT_FALSE(sequencer.is_holding());
}

TEST_F(SequencerTest, LetsOthersPassOneThatWaitsTooLong)
{
    push(1, 10, TcpState::SynSent, 0);
    push(2, 11, TcpState::Established, 80);
    push(2, 31, TcpState::FinWait1, 80);
    EXPECT_EQ(take(), (Lines{"2@11:80", "2@31:80"}));
    push(2, 1000, TcpState::Close, 80);
    push(1, 1010, TcpState::SynSent, 4000);
    EXPECT_EQ(take(), (Lines{"2@1000:80", "1@10:4000", "1@1010:4000"}));
}

TEST_F(SequencerTest, TheClockAloneSetsThemFreeAtTheSamePoint)
{
    push(1, 10, TcpState::SynSent, 0);
    push(2, 11, TcpState::Established, 80);
    sequencer.advance(29 * ms);
    EXPECT_EQ(take(), Lines{});
    sequencer.advance(30 * ms);
    EXPECT_EQ(take(), (Lines{"2@11:80"}));
    EXPECT_FALSE(sequencer.is_holding());
    sequencer.finish();
    EXPECT_EQ(take(), (Lines{"1@10:0"}));
}

TEST_F(SequencerTest, ALateOneTakesItsPlaceBehindWhatIsHeld)
{
    push(1, 10, TcpState::SynSent, 0);
    push(3, 40, TcpState::SynSent, 0);
    push(1, 41, TcpState::Established, 4000);
    EXPECT_EQ(take(), Lines{});
    push(3, 42, TcpState::Established, 4001);
    EXPECT_EQ(take(), (Lines{"3@40:4001", "1@10:4000", "1@41:4000", "3@42:4001"}));
}

TEST_F(SequencerTest, FinishGivesEverythingOldestFirst)
{
    push(1, 10, TcpState::SynSent, 0);
    push(2, 5, TcpState::SynSent, 0);
    push(3, 100, TcpState::SynSent, 0);
    push(4, 101, TcpState::Established, 80);
    sequencer.finish();
    EXPECT_EQ(take(), (Lines{"2@5:0", "1@10:0", "3@100:0", "4@101:80"}));
    push(5, 102, TcpState::Established, 80);
    EXPECT_EQ(take(), (Lines{"5@102:80"}));
}

TEST_F(SequencerTest, AFailedConnectWithoutAnyPortIsShownWithoutOne)
{
    push(1, 10, TcpState::SynSent, 0);
    push(1, 11, TcpState::Close, 0);
    EXPECT_EQ(take(), (Lines{"1@10:0", "1@11:0"}));
}

TEST_F(SequencerTest, IsBounded)
{
    constexpr std::uint64_t many = Sequencer::max_late + 1000;
    for (std::uint64_t i = 1; i <= many; i++)
        push(i, i * 100, TcpState::SynSent, 0);
    EXPECT_EQ(delivered.size(), 1000U - 1); // the last one is still within its window
    sequencer.finish();
    EXPECT_EQ(delivered.size(), many);
}

} // namespace
} // namespace tcpflight::test

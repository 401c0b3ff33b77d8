// Ports and TIME_WAITs, counted in a look.
#include "table/usage.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint32_t netns = 4026531840; // RecordBuilder::identity

class UsageTest : public testing::Test {
protected:
    UsageTest() { look_.limits = {{.netns = netns, .port_low = 40'000, .port_high = 40'009, .time_waits = 8}}; }

    void sees(std::uint16_t local_port, std::uint16_t remote_port, std::uint8_t state = established)
    {
        auto builder = RecordBuilder::found(++cookie_, 1000, state, {}).identity(local_port, remote_port);
        if (state == time_wait)
            builder = std::move(builder).flag(TF_FLAG_TIME_WAIT_SOCKET);
        const auto bytes = builder.bytes();
        look_.records.insert(look_.records.end(), bytes.begin(), bytes.end());
    }

    std::uint64_t cookie_ = 0;
    Look look_;
};

TEST_F(UsageTest, CountsPortsOfTheRangeByDestination)
{
    for (std::uint16_t i = 0; i < 4; i++)
        sees(static_cast<std::uint16_t>(40'000 + i), 443);
    sees(40'004, 443, time_wait);
    for (std::uint16_t i = 0; i < 9; i++)
        sees(static_cast<std::uint16_t>(41'000 + i), 443); // bound by the program, outside of the range
    for (std::uint16_t i = 0; i < 4; i++)
        sees(static_cast<std::uint16_t>(40'000 + i), 80); // less than half of it
    const auto usage = count_usage(look_);
    ASSERT_EQ(usage.size(), 1U);
    EXPECT_EQ(usage[0].kind, Usage::Kind::Ports);
    EXPECT_EQ(usage[0].taken, 5U);
    EXPECT_EQ(usage[0].at_most, 10U);
    EXPECT_EQ(usage[0].identity.remote.port, 443);
    EXPECT_LE(usage[0].connection, 4U) << "one that is alive";
}

TEST_F(UsageTest, CountsTimeWaitsOfANamespace)
{
    for (std::uint16_t i = 0; i < 4; i++)
        sees(80, static_cast<std::uint16_t>(1000 + i), time_wait);
    const auto usage = count_usage(look_);
    ASSERT_EQ(usage.size(), 1U);
    EXPECT_EQ(usage[0].kind, Usage::Kind::TimeWaits);
    EXPECT_EQ(usage[0].taken, 4U);
    EXPECT_EQ(usage[0].at_most, 8U);
}

TEST_F(UsageTest, SaysNothingWhereLimitsAreNotKnown)
{
    for (std::uint16_t i = 0; i < 9; i++)
        sees(static_cast<std::uint16_t>(40'000 + i), 443, time_wait);
    look_.limits = {{.netns = netns}};
    EXPECT_TRUE(count_usage(look_).empty());
    look_.limits = {};
    EXPECT_TRUE(count_usage(look_).empty());
}

} // namespace
} // namespace tcpflight::test

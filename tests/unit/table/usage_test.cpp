// Ports and TIME_WAITs, counted in a look.
#include "table/usage.h"

#include "table/convert.h"
#include "table/settings.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint32_t netns = 4026531840; // RecordBuilder::identity

class UsageTest : public testing::Test {
protected:
    UsageTest() { look_.limits = {{.settings = {.netns = netns, .time_waits = 8}, .ports = {40'000, 40'009}}}; }

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
    Meanwhile meanwhile_;
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
    const auto usage = count_usage(look_, meanwhile_);
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
    const auto usage = count_usage(look_, meanwhile_);
    ASSERT_EQ(usage.size(), 1U);
    EXPECT_EQ(usage[0].kind, Usage::Kind::TimeWaits);
    EXPECT_EQ(usage[0].taken, 4U);
    EXPECT_EQ(usage[0].at_most, 8U);
}

TEST_F(UsageTest, ReservedPortsAreNotThereToTake)
{
    ASSERT_TRUE(look_.limits[0].ports.reserve("40000-40005"));
    for (std::uint16_t i = 0; i < 3; i++)
        sees(static_cast<std::uint16_t>(40'005 + i), 443); // the first was bound by the program
    const auto usage = count_usage(look_, meanwhile_);
    ASSERT_EQ(usage.size(), 1U);
    EXPECT_EQ(usage[0].taken, 2U);
    EXPECT_EQ(usage[0].at_most, 4U);
}

// What it was is told once more when it is not scarce any longer.
TEST_F(UsageTest, IsToldAtEachLookAndOnceMore)
{
    UsageTeller teller;
    const auto tell = [&](std::uint64_t now_ns) {
        std::vector<Usage> usage;
        const auto bytes = teller.tell(look_, now_ns, meanwhile_);
        for (std::span<const std::byte> rest = bytes; !rest.empty();) {
            Record record{};
            const auto size = first_record_size(rest);
            EXPECT_EQ(decode(rest.first(size), record), DecodeError::None);
            EXPECT_EQ(record.header.time_ns, now_ns);
            usage.push_back(to_usage(record));
            rest = rest.subspan(size);
        }
        return usage;
    };
    for (std::uint16_t i = 0; i < 5; i++)
        sees(static_cast<std::uint16_t>(40'000 + i), 443);
    for (std::uint64_t look = 1; look <= 2; look++) {
        const auto usage = tell(look);
        ASSERT_EQ(usage.size(), 1U);
        EXPECT_EQ(usage[0].taken, 5U);
        EXPECT_EQ(usage[0].at_most, 10U);
        EXPECT_EQ(usage[0].identity.remote.port, 443);
        EXPECT_EQ(usage[0].connection, 1U);
    }
    look_.records.clear();
    const auto over = tell(3);
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].taken, 0U);
    EXPECT_EQ(over[0].identity.remote.port, 443);
    EXPECT_TRUE(tell(4).empty());
}

TEST(SettingsTellerTest, TellsWhatIsNewAndEachMinute)
{
    Look look;
    look.limits = {{.settings = {.netns = 7, .ports = 100, .retries1 = 3}, .ports = {}}};
    SettingsTeller teller;
    const auto told = [&](std::uint64_t now_ns) {
        std::vector<NetnsSettings> settings;
        const auto bytes = teller.tell(look, now_ns);
        for (std::span<const std::byte> rest = bytes; !rest.empty();) {
            Record record{};
            const auto size = first_record_size(rest);
            EXPECT_EQ(decode(rest.first(size), record), DecodeError::None);
            settings.push_back(to_settings(record.settings));
            rest = rest.subspan(size);
        }
        return settings;
    };
    constexpr auto begin_ns = SettingsTeller::again_ns;
    ASSERT_EQ(told(begin_ns).size(), 1U);
    EXPECT_TRUE(told(begin_ns + 1).empty());
    look.limits[0].settings.retries1 = 4;
    const auto changed = told(begin_ns + 2);
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed[0], look.limits[0].settings);
    EXPECT_TRUE(told(begin_ns + 1 + SettingsTeller::again_ns).empty());
    EXPECT_EQ(told(begin_ns + 2 + SettingsTeller::again_ns).size(), 1U);
    look.limits.clear(); // its namespace is gone
    EXPECT_TRUE(told(2 * begin_ns + 3).empty());
}

TEST_F(UsageTest, SaysNothingWhereLimitsAreNotKnown)
{
    for (std::uint16_t i = 0; i < 9; i++)
        sees(static_cast<std::uint16_t>(40'000 + i), 443, time_wait);
    look_.limits = {{.settings = {.netns = netns}, .ports = {}}};
    EXPECT_TRUE(count_usage(look_, meanwhile_).empty());
    look_.limits = {};
    EXPECT_TRUE(count_usage(look_, meanwhile_).empty());
}

} // namespace
} // namespace tcpflight::test

#include "table/absences.h"

#include "support/record_builder.h"
#include "table/table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t fin_wait2 = 5;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint64_t us_per_s = 1'000'000;
constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint32_t netns = 4026531840; // RecordBuilder::identity

void observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    ASSERT_EQ(decode(builder.bytes(), record), DecodeError::None);
    table.observe(record);
}

// In `state` without a socket since the tenth second.
void linger(Table &table, std::uint64_t cookie, std::uint8_t state = time_wait)
{
    observe(table, RecordBuilder::state(cookie, 9 * us_per_s, fin_wait1, fin_wait2).identity(40000, 80));
    observe(table, RecordBuilder::state(cookie, 10 * us_per_s, fin_wait2, state).left());
}

// What a look in this second sees; it takes until the next.
struct LookBuilder {
    Look look;

    explicit LookBuilder(std::uint64_t second)
    {
        look.begin_ns = second * ns_per_s;
        look.end_ns = (second + 1) * ns_per_s;
        look.visited = look.present = {netns};
    }
    LookBuilder &sees(const RecordBuilder &builder)
    {
        const auto bytes = builder.bytes();
        look.records.insert(look.records.end(), bytes.begin(), bytes.end());
        return *this;
    }
    LookBuilder &sees_time_wait(std::uint64_t cookie, std::uint8_t state, std::uint32_t timer_left_s,
                                std::uint64_t since_ns = 0)
    {
        tf_socket socket{};
        socket.timer = TF_TIMER_TIME_WAIT;
        socket.timer_left_us = static_cast<std::uint32_t>(timer_left_s * us_per_s);
        socket.since_ns = since_ns;
        return sees(RecordBuilder::found(cookie, look.begin_ns / 1000, state, socket).left().identity(40000, 80));
    }
};

// A record of a comparison, taken apart.
std::vector<Record> compare(Absences &absences, const Table &table, const LookBuilder &builder)
{
    Meanwhile meanwhile;
    const auto bytes = absences.compare(table, builder.look, builder.look.end_ns + 7, meanwhile);
    std::vector<Record> records;
    std::span<const std::byte> rest = bytes;
    while (!rest.empty()) {
        tf_header header{};
        std::memcpy(&header, rest.data(), sizeof(header));
        const auto size = encoded_size(header);
        EXPECT_EQ(decode(rest.first(size), records.emplace_back()), DecodeError::None);
        rest = rest.subspan(size);
    }
    return records;
}

TEST(Absences, ATimeWaitWhoseTimeIsOverHasEndedByItsTimer)
{
    Table table;
    Absences absences;
    linger(table, 1);
    EXPECT_TRUE(compare(absences, table, LookBuilder(66).sees_time_wait(1, time_wait, 4)).empty());
    const auto records = compare(absences, table, LookBuilder(71));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].header.type, TF_RECORD_GONE);
    EXPECT_EQ(records[0].header.flags, TF_FLAG_TIME_WAIT_SOCKET);
    EXPECT_EQ(records[0].header.cookie, 1U);
    EXPECT_EQ(records[0].header.time_ns, 72 * ns_per_s + 7);
    EXPECT_EQ(records[0].header.old_state, time_wait);
    EXPECT_EQ(records[0].gone.reason, TF_GONE_TIMER);
    EXPECT_EQ(records[0].gone.after_ns, 70 * ns_per_s) << "not before its time";
    EXPECT_EQ(records[0].gone.by_ns, 72 * ns_per_s);
    EXPECT_FALSE(absences.is_in_doubt());
}

TEST(Absences, OneThatNoLookHasSeenLastsAMinute)
{
    Table table;
    Absences absences;
    linger(table, 1);
    const auto records = compare(absences, table, LookBuilder(75));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].gone.reason, TF_GONE_TIMER);
    EXPECT_EQ(records[0].gone.after_ns, 70 * ns_per_s);
}

TEST(Absences, OneThatIsMissingBeforeItsTimeMustBeMissingTwice)
{
    Table table;
    Absences absences;
    linger(table, 1);
    compare(absences, table, LookBuilder(15).sees_time_wait(1, time_wait, 55));
    EXPECT_TRUE(compare(absences, table, LookBuilder(20)).empty());
    EXPECT_TRUE(absences.is_in_doubt());
    const auto records = compare(absences, table, LookBuilder(25));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].gone.reason, TF_GONE_UNKNOWN);
    EXPECT_EQ(records[0].gone.after_ns, 15 * ns_per_s) << "seen then";
    EXPECT_EQ(records[0].gone.by_ns, 21 * ns_per_s) << "missing since";
    EXPECT_FALSE(absences.is_in_doubt());
}

TEST(Absences, OneThatWasOverlookedIsThere)
{
    Table table;
    Absences absences;
    linger(table, 1);
    EXPECT_TRUE(compare(absences, table, LookBuilder(15)).empty());
    EXPECT_TRUE(compare(absences, table, LookBuilder(20).sees_time_wait(1, time_wait, 50)).empty());
    EXPECT_FALSE(absences.is_in_doubt());
    EXPECT_TRUE(compare(absences, table, LookBuilder(25)).empty()) << "missing once again";
}

// Its timer was set by tcp_fin_timeout or TCP_LINGER2, which only a look tells.
TEST(Absences, AnOrphanEndsByTheTimerThatItWasSeenWith)
{
    Table table;
    Absences absences;
    linger(table, 1, fin_wait2);
    linger(table, 2, fin_wait2);
    compare(absences, table, LookBuilder(12).sees_time_wait(1, fin_wait2, 2).sees_time_wait(2, fin_wait2, 20));
    const auto records = compare(absences, table, LookBuilder(17));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].header.cookie, 1U);
    EXPECT_EQ(records[0].header.old_state, fin_wait2);
    EXPECT_EQ(records[0].gone.reason, TF_GONE_TIMER);
    EXPECT_EQ(records[0].gone.after_ns, 14 * ns_per_s);
}

TEST(Absences, AnOrphanIsFoundInTimeWait)
{
    Table table;
    Absences absences;
    linger(table, 1, fin_wait2);
    const auto records = compare(absences, table, LookBuilder(20).sees_time_wait(1, time_wait, 58, 18 * ns_per_s));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].header.type, TF_RECORD_STATE);
    EXPECT_EQ(records[0].header.flags, TF_FLAG_TIME_WAIT_SOCKET);
    EXPECT_EQ(records[0].header.time_ns, 18 * ns_per_s);
    EXPECT_EQ(records[0].header.old_state, fin_wait2);
    EXPECT_EQ(records[0].header.new_state, time_wait);
    table.observe(records[0]);
    EXPECT_TRUE(compare(absences, table, LookBuilder(25).sees_time_wait(1, time_wait, 53, 18 * ns_per_s)).empty());
}

TEST(Absences, ASocketIsGoneIfItIsMissingTwice)
{
    Table table;
    Absences absences;
    observe(table, RecordBuilder::state(1, 10 * us_per_s, 3, established).identity(40000, 80));
    EXPECT_TRUE(compare(absences, table, LookBuilder(15)).empty());
    const auto records = compare(absences, table, LookBuilder(20));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].header.type, TF_RECORD_GONE);
    EXPECT_EQ(records[0].header.flags, 0);
    EXPECT_EQ(records[0].header.old_state, established);
    EXPECT_EQ(records[0].gone.after_ns, 10 * ns_per_s);
    EXPECT_EQ(records[0].gone.by_ns, 16 * ns_per_s);
}

TEST(Absences, WhatHappenedMeanwhileIsNotJudged)
{
    Table table;
    Absences absences;
    observe(table, RecordBuilder::state(1, 16 * us_per_s, 3, established).identity(40000, 80));
    EXPECT_TRUE(compare(absences, table, LookBuilder(15)).empty());
    EXPECT_FALSE(absences.is_in_doubt()) << "it may be younger than the look";
}

TEST(Absences, ANamespaceOutOfReachIsNotJudged)
{
    Table table;
    Absences absences;
    linger(table, 1);
    for (const std::uint64_t second : {70U, 75U, 80U}) {
        LookBuilder look(second);
        look.look.visited = {1};
        look.look.present = {1, netns};
        EXPECT_TRUE(compare(absences, table, look).empty());
    }
    EXPECT_FALSE(absences.is_in_doubt());
}

TEST(Absences, ANamespaceThatIsNowhereHasTakenAllWithIt)
{
    Table table;
    Absences absences;
    linger(table, 1);
    observe(table, RecordBuilder::state(2, 10 * us_per_s, 3, established).identity(40001, 80));
    LookBuilder first(15);
    LookBuilder second(20);
    first.look.visited = first.look.present = second.look.visited = second.look.present = {1};
    EXPECT_TRUE(compare(absences, table, first).empty());
    const auto records = compare(absences, table, second);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_TRUE(std::all_of(records.begin(), records.end(),
                            [](const Record &record) { return record.gone.reason == TF_GONE_NETNS; }));
    EXPECT_EQ(records[0].header.flags, TF_FLAG_TIME_WAIT_SOCKET);
    EXPECT_EQ(records[1].header.flags, 0);
}

} // namespace
} // namespace tcpflight::test

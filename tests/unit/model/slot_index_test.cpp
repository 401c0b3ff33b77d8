#include "model/slot_index.h"

#include "model/slots.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace tcpflight {
namespace {

class SlotIndexTest : public testing::Test {
protected:
    void add(std::uint64_t cookie)
    {
        const auto slot = static_cast<std::uint32_t>(cookies.size());
        cookies.push_back(cookie);
        index.add(cookie, slot);
    }
    [[nodiscard]] std::uint32_t find(std::uint64_t cookie) const
    {
        return index.find(cookie, [this](std::uint32_t slot) { return cookies.at(slot); });
    }

    std::vector<std::uint64_t> cookies; // by slot
    SlotIndex index;
};

TEST_F(SlotIndexTest, FindsNothingWhereNothingIs)
{
    EXPECT_EQ(find(1), no_slot);
    EXPECT_EQ(index.size(), 0U);
}

// Cookies are numbered one after the other, and come back in steps where each CPU takes its own.
TEST_F(SlotIndexTest, FindsAllOfMany)
{
    for (std::uint64_t step : {1U, 2U, 64U, 4096U}) {
        for (std::uint64_t i = 1; i <= 10'000; i++)
            add(step << 40 | i * step);
    }
    EXPECT_EQ(index.size(), 40'000U);
    for (std::uint32_t slot = 0; slot < cookies.size(); slot++)
        ASSERT_EQ(find(cookies[slot]), slot);
    EXPECT_EQ(find(77), no_slot);
    index.clear();
    EXPECT_EQ(index.size(), 0U);
    EXPECT_EQ(find(cookies.front()), no_slot);
}

// What is removed leaves no hole in the way to others: compared with a map, in any order.
TEST_F(SlotIndexTest, AgreesWithAMapThroughAnythingThatHappens)
{
    std::mt19937_64 random(20'261'130);
    std::map<std::uint64_t, std::uint32_t> known;
    for (int step = 0; step < 200'000; step++) {
        // Few cookies, so that they meet; now and then many, so that it grows.
        const auto cookie = 1 + random() % (step < 100'000 ? 40 : 5'000);
        if (auto found = known.find(cookie); found == known.end()) {
            ASSERT_EQ(find(cookie), no_slot);
            known[cookie] = static_cast<std::uint32_t>(cookies.size());
            add(cookie);
        } else {
            ASSERT_EQ(find(cookie), found->second);
            index.remove(cookie, found->second);
            known.erase(found);
        }
        ASSERT_EQ(index.size(), known.size());
    }
    for (std::uint64_t cookie = 1; cookie <= 5'000; cookie++)
        ASSERT_EQ(find(cookie), known.contains(cookie) ? known[cookie] : no_slot);
}

TEST(Slots, StayWhereTheyAre)
{
    Slots<std::string> slots;
    slots.add();
    const auto *first = &slots[0];
    slots[0] = "first";
    for (std::size_t number = 1; number < 1000; number++) {
        slots.add();
        slots[number] = std::to_string(number);
    }
    EXPECT_EQ(&slots[0], first);
    EXPECT_EQ(slots.size(), 1000U);
    std::size_t next = 0;
    slots.for_each([&next](const std::string &text) {
        EXPECT_EQ(text, next == 0 ? "first" : std::to_string(next));
        next++;
    });
    EXPECT_EQ(next, 1000U);
    slots.clear();
    EXPECT_EQ(slots.size(), 0U);
}

TEST(Slots, ReachesANumberThatWasNotThere)
{
    Slots<int> slots;
    slots.reach(700);
    EXPECT_EQ(slots.size(), 701U);
    slots[700] = 7;
    slots.reach(3);
    EXPECT_EQ(slots.size(), 701U);
    EXPECT_EQ(slots[700], 7);
}

} // namespace
} // namespace tcpflight

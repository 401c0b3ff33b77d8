#include "model/shared.h"

#include "model/queue.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

// Says when it ends.
struct Witness {
    explicit Witness(int *counter) : ends(counter) {}
    Witness(Witness &&other) noexcept : ends(std::exchange(other.ends, nullptr)) {}
    Witness(const Witness &) = delete;
    Witness &operator=(const Witness &) = delete;
    Witness &operator=(Witness &&) = delete;
    ~Witness()
    {
        if (ends != nullptr)
            ++*ends;
    }
    int *ends;
};

TEST(Shared, LivesAsLongAsAnOwner)
{
    int ends = 0;
    {
        auto first = Shared<Witness>::make(&ends);
        auto second = first;
        EXPECT_EQ(first, second);
        first = nullptr;
        EXPECT_EQ(first, nullptr);
        EXPECT_EQ(ends, 0);
        const auto third = std::move(second);
        EXPECT_TRUE(third);
        EXPECT_EQ(ends, 0);
    }
    EXPECT_EQ(ends, 1);
}

TEST(Shared, EndsWhatItHeldWhenItIsGivenAnother)
{
    int ends = 0;
    int others = 0;
    auto owner = Shared<Witness>::make(&ends);
    auto other = Shared<Witness>::make(&others);
    owner = other;
    EXPECT_EQ(ends, 1);
    owner = *&owner; // to itself
    EXPECT_EQ(others, 0);
    owner = nullptr;
    other = nullptr;
    EXPECT_EQ(others, 1);
}

TEST(Shared, ComparesOwnersAndNotValues)
{
    const auto one = Shared<std::string>::make("a");
    const auto another = Shared<std::string>::make("a");
    EXPECT_NE(one, another);
    EXPECT_EQ(*one, *another);
    EXPECT_EQ(one->size(), 1U);
    EXPECT_EQ(Shared<std::string>().get(), nullptr);
}

TEST(Queue, KeepsNumbersAndOrderWhileItGrows)
{
    Queue<std::string> queue;
    for (int i = 0; i < 40; i++)
        queue.push(std::to_string(i));
    for (int i = 0; i < 30; i++)
        queue.pop();
    const auto number = queue.next_number();
    for (int i = 40; i < 1000; i++)
        queue.push(std::to_string(i));
    EXPECT_EQ(queue.at(number), "40");
    EXPECT_EQ(queue.front(), "30");
    EXPECT_EQ(queue.back(), "999");
    int next = 30;
    std::as_const(queue).for_each([&next](const std::string &element) { EXPECT_EQ(element, std::to_string(next++)); });
    EXPECT_EQ(next, 1000);
}

TEST(Queue, GivesItsMemoryBackAndGoesOn)
{
    Queue<int> queue;
    for (int i = 0; i < 100; i++)
        queue.add() = i;
    queue.clear();
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.capacity(), 0U);
    EXPECT_EQ(queue.next_number(), 100U);
    queue.push(7);
    EXPECT_EQ(queue.at(100), 7);
}

} // namespace
} // namespace tcpflight

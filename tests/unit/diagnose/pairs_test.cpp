// Both ends of a connection find each other, whichever is seen first.
#include "diagnose/pairs.h"

#include "support/event_builder.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace tcpflight::test {
namespace {

Identity identity(const std::string &local, std::uint16_t port, const std::string &remote, std::uint16_t remote_port,
                  std::uint32_t netns = 1)
{
    Identity identity;
    identity.local = {parse_address(local), port};
    identity.remote = {parse_address(remote), remote_port};
    identity.netns = netns;
    return identity;
}

class PairsTest : public testing::Test {
protected:
    bool add(Pairs::End end, const Identity &identity)
    {
        connections[end.slot] = end.connection;
        return pairs.add(end, identity);
    }

    std::map<std::uint32_t, std::uint64_t> connections; // by slot
    Pairs pairs{[this](std::uint32_t slot) { return connections.at(slot); }};
};

TEST_F(PairsTest, FindsTheOtherEndFromBothSides)
{
    const auto client = identity("10.0.0.1", 1000, "10.0.0.2", 80);
    const auto server = identity("10.0.0.2", 80, "10.0.0.1", 1000, 2);
    ASSERT_TRUE(add({.connection = 7, .slot = 0}, client));
    EXPECT_FALSE(pairs.other_end_of(client));
    ASSERT_TRUE(add({.connection = 8, .slot = 1}, server));
    EXPECT_EQ(pairs.other_end_of(client)->connection, 8U);
    EXPECT_EQ(pairs.other_end_of(server)->connection, 7U) << "was there before its address was known to be here";
}

TEST_F(PairsTest, NeedsBothPorts)
{
    EXPECT_FALSE(add({.connection = 7, .slot = 0}, identity("10.0.0.1", 0, "10.0.0.2", 80)));
    EXPECT_TRUE(add({.connection = 7, .slot = 0}, identity("10.0.0.1", 1, "10.0.0.2", 80)));
}

TEST_F(PairsTest, LoopbackBelongsToItsNamespace)
{
    const auto client = identity("127.0.0.1", 1000, "127.0.0.1", 80, 1);
    add({.connection = 7, .slot = 0}, client);
    add({.connection = 8, .slot = 1}, identity("127.0.0.1", 80, "127.0.0.1", 1000, 2));
    EXPECT_FALSE(pairs.other_end_of(client));
    add({.connection = 9, .slot = 2}, identity("127.0.0.1", 80, "127.0.0.1", 1000, 1));
    EXPECT_EQ(pairs.other_end_of(client)->connection, 9U);
}

TEST_F(PairsTest, WhatHasLeftIsFoundUntilItIsForgotten)
{
    const auto client = identity("10.0.0.1", 1000, "10.0.0.1", 80);
    const auto server = identity("10.0.0.1", 80, "10.0.0.1", 1000);
    add({.connection = 7, .slot = 0}, client);
    add({.connection = 8, .slot = 1}, server);
    const auto ends = pairs.leave({.connection = 7, .slot = 0});
    EXPECT_EQ(pairs.other_end_of(server)->connection, 7U);
    add({.connection = 9, .slot = 0}, client); // the same port again
    pairs.forget(7, ends);
    EXPECT_EQ(pairs.other_end_of(server)->connection, 9U);
    pairs.drop(0);
    EXPECT_FALSE(pairs.other_end_of(server));
}

// After a gap one can be there still whose ends another one has by now.
TEST_F(PairsTest, OfTwoWithTheSameEndsTheLastOneCounts)
{
    const auto client = identity("10.0.0.1", 1000, "10.0.0.1", 80);
    const auto server = identity("10.0.0.1", 80, "10.0.0.1", 1000);
    add({.connection = 7, .slot = 0}, client);
    add({.connection = 8, .slot = 1}, server);
    add({.connection = 9, .slot = 2}, client);
    EXPECT_EQ(pairs.other_end_of(server)->connection, 9U);
    pairs.forget(7, pairs.leave({.connection = 7, .slot = 0}));
    EXPECT_EQ(pairs.other_end_of(server)->connection, 9U);
    EXPECT_EQ(pairs.other_end_of(server)->slot, 2U);
    const auto ends = pairs.leave({.connection = 9, .slot = 2});
    EXPECT_EQ(pairs.other_end_of(server)->connection, 9U);
    EXPECT_EQ(pairs.other_end_of(server)->slot, no_slot);
    pairs.forget(9, ends);
    EXPECT_FALSE(pairs.other_end_of(server));
}

// A host that has a whole subnet of addresses.
TEST_F(PairsTest, ManyAddressesAreNotToldApart)
{
    const auto early = identity("10.0.0.1", 1000, "10.200.0.1", 80);
    add({.connection = 7, .slot = 0}, early);
    const auto many = static_cast<std::uint32_t>(Pairs::max_addresses) + 10;
    for (std::uint32_t i = 1; i < many; i++) {
        const auto local = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
        add({.connection = 10 + i, .slot = i}, identity(local, 80, "192.0.2.1", 1000));
    }
    const auto late = identity("10.200.0.1", 80, "10.0.0.1", 1000);
    add({.connection = 8, .slot = many}, late);
    EXPECT_EQ(pairs.other_end_of(early)->connection, 8U);
    EXPECT_EQ(pairs.other_end_of(late)->connection, 7U);
}

// So many connections, on so many addresses, that they are no longer gone through for each new one.
TEST_F(PairsTest, ManyConnectionsOnManyAddresses)
{
    constexpr std::uint32_t count = 100'000;
    const auto client = [](std::uint32_t i) {
        const auto address = i / 100;
        const auto text = "10.1." + std::to_string(address / 250) + "." + std::to_string(address % 250);
        return identity(text, static_cast<std::uint16_t>(1 + i % 50'000), "10.0.0.1",
                        static_cast<std::uint16_t>(80 + i / 50'000));
    };
    const auto turned = [](Identity one) {
        std::swap(one.local, one.remote);
        return one;
    };
    for (std::uint32_t i = 0; i < count; i++)
        add({.connection = 1 + i, .slot = i}, client(i));
    // The server's ends come last; until then nobody is known to lead to 10.0.0.1 and be here.
    for (std::uint32_t i = 0; i < count; i += 1000)
        add({.connection = 1 + count + i, .slot = count + i / 1000}, turned(client(i)));
    for (std::uint32_t i = 0; i < count; i += 1000) {
        ASSERT_EQ(pairs.other_end_of(client(i))->connection, 1 + count + i);
        ASSERT_EQ(pairs.other_end_of(turned(client(i)))->connection, 1 + i);
    }
}

} // namespace
} // namespace tcpflight::test

// Ports to choose from, and those that are reserved.
#include "model/port_range.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

TEST(PortRange, BothEndsAreIncluded)
{
    const PortRange range(40'000, 40'009);
    EXPECT_EQ(range.count(), 10U);
    EXPECT_FALSE(range.contains(39'999));
    EXPECT_TRUE(range.contains(40'000));
    EXPECT_TRUE(range.contains(40'009));
    EXPECT_FALSE(range.contains(40'010));
    EXPECT_EQ(PortRange().count(), 0U);
    EXPECT_FALSE(PortRange().contains(1));
    EXPECT_EQ(PortRange(1, 65'535).count(), 65'535U);
}

TEST(PortRange, ReservedPortsAreLeftOutOnce)
{
    PortRange range(40'000, 40'009);
    ASSERT_TRUE(range.reserve("8080,40001,40001-40003,40009-50000\n"));
    EXPECT_EQ(range.count(), 6U);
    EXPECT_FALSE(range.contains(40'001));
    EXPECT_FALSE(range.contains(40'003));
    EXPECT_TRUE(range.contains(40'004));
    EXPECT_FALSE(range.contains(40'009));
    ASSERT_TRUE(range.reserve(""));
    ASSERT_TRUE(range.reserve("\n"));
    ASSERT_TRUE(range.reserve("0-65535"));
    EXPECT_EQ(range.count(), 0U);
}

TEST(PortRange, WhatIsNoListIsRefused)
{
    for (const char *list : {"x", "1-", "1;2", "70000", "-5", "1,x"})
        EXPECT_FALSE(PortRange(1, 10).reserve(list)) << list;
}

} // namespace
} // namespace tcpflight

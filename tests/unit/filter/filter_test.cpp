#include "filter/filter.h"

#include "support/event_builder.h"
#include "support/expression.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

Identity without_port()
{
    return *EventBuilder().local("127.0.0.1", 0).build().identity;
}

TEST(Filter, OpenLetsEverythingThrough)
{
    Filter filter;
    EXPECT_TRUE(filter.is_open());
    EXPECT_EQ(filter.describe(), "");
    EXPECT_EQ(filter.admits(Identity{}), Admission::Yes);
    EXPECT_TRUE(filter_of("tcp").is_open());
    EXPECT_FALSE(filter_of("ip").is_open());
}

TEST(Filter, WhatIsNotKnownMayChangeTheAnswer)
{
    auto identity = without_port();
    EXPECT_EQ(filter_of("local port 80").admits(identity), Admission::No);
    EXPECT_EQ(filter_of("not local port 80").admits(identity), Admission::Provisional);
    EXPECT_EQ(filter_of("not local port 80 or ip").admits(identity), Admission::Yes);
    auto unknown = *EventBuilder().unknown_owner().build().identity;
    EXPECT_EQ(filter_of("pid 7").admits(unknown), Admission::No);
    EXPECT_EQ(filter_of("not pid 7").admits(unknown), Admission::Provisional);
    EXPECT_EQ(filter_of("outgoing").admits(unknown, Direction::Unknown), Admission::No);
    EXPECT_EQ(filter_of("outgoing").admits(unknown, Direction::Outgoing), Admission::Yes);
}

TEST(Filter, WhatOnlyEventsTellIsLeftToThem)
{
    auto identity = *EventBuilder().build().identity;
    EXPECT_EQ(filter_of("event reset").admits(identity), Admission::Yes);
    EXPECT_EQ(filter_of("not event reset").admits(identity), Admission::Yes);
    EXPECT_EQ(filter_of("port 12345 and retransmits > 3").admits(identity), Admission::Yes);
    EXPECT_EQ(filter_of("port 1 and retransmits > 3").admits(identity), Admission::No);
    EXPECT_EQ(filter_of("port 1 or not retransmits > 3").admits(identity), Admission::Yes);
    EXPECT_EQ(filter_of("not (port 12345 or duration > 1s)").admits(identity), Admission::No);
    EXPECT_TRUE(filter_of("port 1 or not retransmits > 3").asks_beyond_identity());
    EXPECT_FALSE(filter_of("not (port 1 or pid 7)").asks_beyond_identity());
}

TEST(Filter, BothIsTheConjunction)
{
    EXPECT_EQ(both(filter_of("port 1 or port 2"), filter_of("pid 7 and ip")).describe(),
              "(port 1 or 2) and pid 7 and ip");
    EXPECT_EQ(both(Filter(), filter_of("pid 7")).describe(), "pid 7");
    EXPECT_EQ(both(filter_of("pid 7"), Filter()).describe(), "pid 7");
    EXPECT_TRUE(both(Filter(), Filter()).is_open());
}

} // namespace
} // namespace tcpflight::test

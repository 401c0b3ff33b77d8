#include "model/endpoint.h"

#include "support/event_builder.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::parse_address;

TEST(Address, KnowsV4Mapped)
{
    EXPECT_TRUE(parse_address("0.0.0.0").is_v4());
    EXPECT_TRUE(parse_address("127.0.0.1").is_v4());
    EXPECT_TRUE(parse_address("::ffff:192.0.2.1").is_v4());
    EXPECT_FALSE(parse_address("::").is_v4());
    EXPECT_FALSE(parse_address("::1").is_v4());
    EXPECT_FALSE(parse_address("2001:db8::ffff:192.0.2.1").is_v4());
}

// One bit off the prefix ::ffff:0:0/96, and it is IPv6.
TEST(Address, EveryBitOfThePrefixCounts)
{
    for (std::size_t bit = 0; bit < 96; bit++) {
        auto address = parse_address("192.0.2.1");
        address.bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        EXPECT_FALSE(address.is_v4()) << "bit " << bit;
    }
}

TEST(Endpoint, BothEndsCompareAlike)
{
    const Endpoint mapped{parse_address("::ffff:192.0.2.1"), 80};
    EXPECT_EQ(mapped, (Endpoint{parse_address("192.0.2.1"), 80}));
    EXPECT_NE(mapped, (Endpoint{parse_address("192.0.2.1"), 81}));
    EXPECT_NE(mapped, (Endpoint{parse_address("192.0.2.2"), 80}));
}

} // namespace
} // namespace tcpflight

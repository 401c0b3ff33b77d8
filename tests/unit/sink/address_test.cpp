#include "sink/address.h"

#include "support/event_builder.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::parse_address;

std::string text_of(const Address &address)
{
    std::string out;
    LineWriter line(out);
    put_address(line, address);
    line.finish();
    out.pop_back();
    return out;
}

std::string text_of(const Endpoint &endpoint)
{
    std::string out;
    LineWriter line(out);
    put_endpoint(line, endpoint);
    line.finish();
    out.pop_back();
    return out;
}

struct Rfc5952Case {
    const char *given;
    const char *canonical;
};

class Rfc5952 : public testing::TestWithParam<Rfc5952Case> {};

TEST_P(Rfc5952, IsWrittenCanonically)
{
    EXPECT_EQ(text_of(parse_address(GetParam().given)), GetParam().canonical);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Rfc5952,
    testing::Values(Rfc5952Case{"::", "::"}, Rfc5952Case{"::1", "::1"}, Rfc5952Case{"1::", "1::"},
                    Rfc5952Case{"fe80:0:0:0:0:0:0:1", "fe80::1"},
                    // 4.1: leading zeros
                    Rfc5952Case{"2001:0db8::0001", "2001:db8::1"},
                    // 4.2.1: as short as possible
                    Rfc5952Case{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
                    // 4.2.2: one group alone is written out
                    Rfc5952Case{"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
                    Rfc5952Case{"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
                    Rfc5952Case{"1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"},
                    // 4.2.3: the longest run, and the first of equals
                    Rfc5952Case{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
                    Rfc5952Case{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, Rfc5952Case{"0:0:1:0:0:0:0:0", "0:0:1::"},
                    Rfc5952Case{"0:0:0:0:1:1:0:0", "::1:1:0:0"},
                    // 4.3: lower case
                    Rfc5952Case{"2001:DB8::ABCD:EF", "2001:db8::abcd:ef"},
                    Rfc5952Case{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
                    Rfc5952Case{"1:20:300:4000:a:b0:c00:d000", "1:20:300:4000:a:b0:c00:d000"}));

TEST(AddressText, V4MappedIsIPv4)
{
    EXPECT_EQ(text_of(parse_address("::ffff:192.0.2.1")), "192.0.2.1");
    EXPECT_EQ(text_of(parse_address("0.0.0.0")), "0.0.0.0");
    EXPECT_EQ(text_of(parse_address("255.255.255.255")), "255.255.255.255");
}

TEST(AddressText, EveryOctet)
{
    for (unsigned octet = 0; octet <= 255; octet++) {
        const std::string dotted = "10." + std::to_string(octet) + ".9." + std::to_string(255 - octet);
        ASSERT_EQ(text_of(parse_address(dotted)), dotted);
    }
}

// An independent judge: what the C library reads from the text is the address it came from.
TEST(AddressText, ReadsBackAsTheSameAddress)
{
    for (unsigned zeros = 0; zeros < 256; zeros++) {
        Address address;
        for (std::size_t group = 0; group < 8; group++) {
            const bool zero = (zeros >> group & 1) != 0;
            address.bytes[2 * group + 1] = static_cast<std::uint8_t>(zero ? 0 : 0x10 + group);
        }
        EXPECT_EQ(parse_address(text_of(address)), address) << text_of(address);
    }
}

TEST(AddressText, EndpointsAreAddressDotPort)
{
    EXPECT_EQ(text_of(Endpoint{parse_address("127.0.0.1"), 80}), "127.0.0.1.80");
    EXPECT_EQ(text_of(Endpoint{parse_address("::1"), 65535}), "::1.65535");
}

TEST(AddressText, UnknownPortIsNotZero)
{
    EXPECT_EQ(text_of(Endpoint{parse_address("127.0.0.1"), 0}), "127.0.0.1.?");
    EXPECT_EQ(text_of(Endpoint{parse_address("2001:db8::1"), 0}), "2001:db8::1.?");
}

TEST(AddressText, UnspecifiedInBothFamilies)
{
    EXPECT_TRUE(is_unspecified(parse_address("::")));
    EXPECT_TRUE(is_unspecified(parse_address("0.0.0.0")));
    EXPECT_FALSE(is_unspecified(parse_address("::1")));
    EXPECT_FALSE(is_unspecified(parse_address("0.0.0.1")));
    EXPECT_FALSE(is_unspecified(parse_address("::1:0:0")));
}

} // namespace
} // namespace tcpflight

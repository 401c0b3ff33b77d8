// Numbers in text: what is taken and what is not.
#include "model/number.h"

#include <gtest/gtest.h>

#include <limits>

namespace tcpflight::test {
namespace {

TEST(Number, HasDigitsAlone)
{
    EXPECT_EQ(to_number("0", 0, 9), 0U);
    EXPECT_EQ(to_number("007", 0, 9), 7U);
    for (const char *text : {"", " 1", "1 ", "+1", "-0", "-1", "0x1", "1.0", "1e3", "one"})
        EXPECT_EQ(to_number(text, 0, 9999), std::nullopt) << text;
}

TEST(Number, KeepsToItsRange)
{
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(to_number("1", 2, 3), std::nullopt);
    EXPECT_EQ(to_number("2", 2, 3), 2U);
    EXPECT_EQ(to_number("3", 2, 3), 3U);
    EXPECT_EQ(to_number("4", 2, 3), std::nullopt);
    EXPECT_EQ(to_number("18446744073709551615", 0, most), most);
    EXPECT_EQ(to_number("18446744073709551616", 0, most), std::nullopt);
}

TEST(Number, OfBytesHasAUnit)
{
    EXPECT_EQ(to_size("1500", 1), 1500U);
    EXPECT_EQ(to_size("3", 1024), 3072U);
    EXPECT_EQ(to_size("0", 1), 0U);
    EXPECT_EQ(to_size("1K", 1), 1024U);
    EXPECT_EQ(to_size("1kb", 1), 1000U);
    EXPECT_EQ(to_size("2MiB", 1), 2U << 20);
    EXPECT_EQ(to_size("1T", 1), std::uint64_t{1} << 40);
    for (const char *text : {"", "K", "1X", "1KX", "1.5M", "-1", "9999999999G"})
        EXPECT_EQ(to_size(text, 1), std::nullopt) << text;
}

TEST(Number, IsDigits)
{
    EXPECT_TRUE(is_digits("0123"));
    EXPECT_FALSE(is_digits(""));
    EXPECT_FALSE(is_digits("12a"));
}

} // namespace
} // namespace tcpflight::test

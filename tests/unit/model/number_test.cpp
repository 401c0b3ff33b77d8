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

TEST(Number, IsDigits)
{
    EXPECT_TRUE(is_digits("0123"));
    EXPECT_FALSE(is_digits(""));
    EXPECT_FALSE(is_digits("12a"));
}

} // namespace
} // namespace tcpflight::test

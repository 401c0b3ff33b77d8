#include "sink/digits.h"
#include "sink/line_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tcpflight {
namespace {

std::string decimal(std::uint64_t value)
{
    std::array<char, max_decimal_digits> text{};
    return {text.data(), write_decimal(text.data(), value)};
}

TEST(Digits, DecimalAroundEveryPowerOfTen)
{
    EXPECT_EQ(decimal(0), "0");
    for (std::uint64_t power = 1;; power *= 10) {
        for (const auto value : {power - 1, power, power + 1})
            EXPECT_EQ(decimal(value), std::to_string(value));
        if (power > std::numeric_limits<std::uint64_t>::max() / 10)
            break;
    }
}

TEST(Digits, DecimalAroundEveryPowerOfTwo)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        const std::uint64_t power = std::uint64_t{1} << bit;
        for (const auto value : {power - 1, power, power + 1})
            EXPECT_EQ(decimal(value), std::to_string(value));
    }
    EXPECT_EQ(decimal(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(Digits, EveryPort)
{
    for (std::uint64_t port = 0; port <= 65535; port++)
        ASSERT_EQ(decimal(port), std::to_string(port));
}

TEST(Digits, FixedKeepsLeadingZeros)
{
    std::array<char, 16> text{};
    auto fixed = [&text](char *end) { return std::string(text.data(), end); };
    EXPECT_EQ(fixed(write_fixed<2>(text.data(), 7)), "07");
    EXPECT_EQ(fixed(write_fixed<3>(text.data(), 7)), "007");
    EXPECT_EQ(fixed(write_fixed<3>(text.data(), 987)), "987");
    EXPECT_EQ(fixed(write_fixed<6>(text.data(), 1203)), "001203");
    EXPECT_EQ(fixed(write_fixed<9>(text.data(), 0)), "000000000");
    EXPECT_EQ(fixed(write_fixed<9>(text.data(), 999'999'999)), "999999999");
}

TEST(LineWriter, HandsOverLongLinesInPartsAndInOrder)
{
    std::string out = "before ";
    std::string expected = out;
    LineWriter line(out);
    for (unsigned i = 0; i < 1000; i++) {
        line.put_decimal(i);
        line.put(',');
        line.put(std::string_view("ab"));
        expected += std::to_string(i) + ",ab";
    }
    const std::string longer_than_any_buffer(10'000, 'x');
    line.put(longer_than_any_buffer);
    line.finish();
    EXPECT_EQ(out, expected + longer_than_any_buffer + "\n");
}

} // namespace
} // namespace tcpflight

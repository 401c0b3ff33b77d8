// Numbers in decimal, two digits at a time. For the path that every event takes: no locale, no format string.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tcpflight {

// "00" to "99".
constexpr std::array<char, 200> digit_pairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; i++) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

constexpr std::size_t max_decimal_digits = 20; // of a std::uint64_t

inline std::size_t count_digits(std::uint64_t value)
{
    static constexpr std::array<std::uint64_t, 20> powers = [] {
        std::array<std::uint64_t, 20> p{};
        std::uint64_t power = 1;
        for (auto &slot : p) {
            slot = power;
            power *= 10;
        }
        return p;
    }();
    // 1233 / 4096 is log10(2), close enough to be right or one too small for every width.
    const std::size_t guess = static_cast<std::size_t>(std::bit_width(value | 1)) * 1233 >> 12;
    return guess + (value >= powers[guess] || guess == 0 ? 1 : 0);
}

// The `Count` lowest digits of `value`, with leading zeros. Returns the end.
template <std::size_t Count> char *write_fixed(char *at, std::uint32_t value)
{
    char *digit = at + Count;
    for (std::size_t left = Count; left >= 2; left -= 2) {
        digit -= 2;
        std::memcpy(digit, &digit_pairs[std::size_t{value % 100} * 2], 2);
        value /= 100;
    }
    if constexpr (Count % 2 != 0)
        *at = static_cast<char>('0' + value % 10);
    return at + Count;
}

// Writes up to max_decimal_digits. Returns the end.
inline char *write_decimal(char *at, std::uint64_t value)
{
    if (value < 10) {
        *at = static_cast<char>('0' + value);
        return at + 1;
    }
    char *const end = at + count_digits(value);
    char *digit = end;
    while (value >= 10) {
        digit -= 2;
        std::memcpy(digit, &digit_pairs[static_cast<std::size_t>(value % 100) * 2], 2);
        value /= 100;
    }
    if (digit > at)
        *at = static_cast<char>('0' + value);
    return end;
}

} // namespace tcpflight

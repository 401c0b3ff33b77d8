// Integers in as many bytes as they need: first all lengths, in four bits each, then all bytes. Neither way has a
// branch that depends on a value, which is what makes it faster than the usual varints.
#pragma once

#include "recording/byte_buffer.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace tcpflight {

static_assert(std::endian::native == std::endian::little, "the low bytes of a number are its first");

constexpr std::uint64_t zigzag(std::uint64_t difference)
{
    return difference << 1 ^ (std::uint64_t{0} - (difference >> 63));
}

constexpr std::uint64_t unzigzag(std::uint64_t coded)
{
    return coded >> 1 ^ (std::uint64_t{0} - (coded & 1));
}

// Appends get(0) to get(count - 1), which are called in this order.
template <typename Get> void put_numbers(ByteBuffer &out, std::size_t count, Get &&get)
{
    auto begin = out.size();
    auto *lengths = out.extend((count + 1) / 2 + count * sizeof(std::uint64_t));
    auto *bytes = lengths + (count + 1) / 2;
    auto put = [&](std::uint64_t value) {
        auto length = static_cast<unsigned>(71 - std::countl_zero(value | 1)) / 8 - (value == 0 ? 1U : 0U);
        std::memcpy(bytes, &value, sizeof(value));
        bytes += length;
        return length;
    };
    for (std::size_t i = 0; i + 1 < count; i += 2) {
        auto first = put(get(i));
        lengths[i / 2] = static_cast<std::byte>(first | put(get(i + 1)) << 4);
    }
    if (count % 2 != 0)
        lengths[count / 2] = static_cast<std::byte>(put(get(count - 1)));
    out.cut(begin + static_cast<std::size_t>(bytes - lengths));
}

// Numbers in memory behind which at least 8 more bytes can be read.
class Numbers {
public:
    // Takes `count` numbers off the front of `in`; none: they are not there.
    static std::optional<Numbers> take(std::span<const std::byte> &in, std::size_t count)
    {
        Numbers numbers(in.data(), (count + 1) / 2, count);
        if (in.size() < numbers.lengths_size_)
            return std::nullopt;
        auto size = numbers.size();
        if (!size || in.size() - numbers.lengths_size_ < *size)
            return std::nullopt;
        in = in.subspan(numbers.lengths_size_ + *size);
        return numbers;
    }

    // Calls take(index, value) for each.
    template <typename Take> void for_each(Take &&take) const
    {
        const auto *bytes = lengths_ + lengths_size_;
        auto next = [&bytes](unsigned length) {
            std::uint64_t value = 0;
            std::memcpy(&value, bytes, sizeof(value));
            bytes += length;
            return value & masks[length];
        };
        std::size_t i = 0;
        for (; i + 1 < count_; i += 2) {
            auto lengths = std::to_integer<unsigned>(lengths_[i / 2]);
            take(i, next(lengths & 15U));
            take(i + 1, next(lengths >> 4));
        }
        if (i < count_)
            take(i, next(length(i)));
    }

private:
    Numbers(const std::byte *lengths, std::size_t lengths_size, std::size_t count)
        : lengths_(lengths), lengths_size_(lengths_size), count_(count)
    {
    }
    // Of all bytes; none: a length is more than 8. Sixteen lengths at a time, each in a byte of a word.
    [[nodiscard]] std::optional<std::size_t> size() const
    {
        constexpr std::uint64_t ones = 0x0101010101010101U;
        std::size_t sum = 0;
        std::uint64_t longest = 0; // of each byte 16 and more: a length of 9 and more
        std::size_t i = 0;
        for (; i + 16 <= count_; i += 16) {
            std::uint64_t word = 0;
            std::memcpy(&word, lengths_ + i / 2, sizeof(word));
            const auto even = word & 15 * ones;
            const auto odd = word >> 4 & 15 * ones;
            longest |= (even + 7 * ones) | (odd + 7 * ones);
            sum += (even + odd) * ones >> 56; // at most 16 times 15
        }
        for (; i < count_; i++) {
            longest |= length(i) + 7;
            sum += length(i);
        }
        return (longest & 16 * ones) == 0 ? std::optional(sum) : std::nullopt;
    }
    [[nodiscard]] unsigned length(std::size_t index) const
    {
        return std::to_integer<unsigned>(lengths_[index / 2]) >> (index % 2 * 4) & 15U;
    }

    static constexpr std::array<std::uint64_t, 9> masks{
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~std::uint64_t{0}};

    const std::byte *lengths_;
    std::size_t lengths_size_;
    std::size_t count_;
};

} // namespace tcpflight

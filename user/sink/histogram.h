// How values are distributed, in a fixed amount of memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tcpflight {

// Each power of two has 16 steps, so that what is told is at most 1/16 less than what was counted.
class Histogram {
public:
    void add(std::uint64_t value)
    {
        counts_[step_of(value)]++;
        count_++;
        max_ = std::max(max_, value);
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t max() const { return max_; }

    // The begin of the step in which the value lies that `percent` (1 to 100) of all do not exceed; 0: there are none.
    [[nodiscard]] std::uint64_t percentile(unsigned percent) const
    {
        const std::uint64_t rank = (count_ * percent + 99) / 100;
        std::uint64_t seen = 0;
        for (std::size_t step = 0; step < counts_.size() && rank != 0; step++) {
            seen += counts_[step];
            if (seen >= rank)
                return begin_of(step);
        }
        return 0;
    }

private:
    static constexpr unsigned bits = 4;
    static constexpr std::uint64_t steps = 1U << bits;

    static std::size_t step_of(std::uint64_t value)
    {
        if (value < steps)
            return static_cast<std::size_t>(value);
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
        return static_cast<std::size_t>((shift + 1) * steps + ((value >> shift) - steps));
    }
    static std::uint64_t begin_of(std::size_t step)
    {
        if (step < steps)
            return step;
        const auto shift = step / steps - 1;
        return (steps + step % steps) << shift;
    }

    std::array<std::uint64_t, (64 - bits + 1) * steps> counts_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace tcpflight

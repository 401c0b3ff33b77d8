// A histogram of durations: bounded memory, relative error below 1 %.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tcpflight::bench {

// Plain memory: lives in pages that processes share.
class Histogram {
public:
    void add(std::uint64_t ns)
    {
        counts_[bucket(ns)]++;
        total_++;
        if (ns > max_)
            max_ = ns;
    }

    void add(const Histogram &other)
    {
        for (std::size_t i = 0; i < counts_.size(); i++)
            counts_[i] += other.counts_[i];
        total_ += other.total_;
        if (other.max_ > max_)
            max_ = other.max_;
    }

    // The duration, ns, that a `fraction` (0 to 1) of all did not exceed; 0 if there are none.
    [[nodiscard]] std::uint64_t quantile(double fraction) const
    {
        auto rank = static_cast<std::uint64_t>(fraction * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); i++) {
            seen += counts_[i];
            if (seen > rank)
                return middle(i);
        }
        return max_;
    }

    [[nodiscard]] std::uint64_t max() const { return max_; }
    [[nodiscard]] std::uint64_t count() const { return total_; }

private:
    // Each power of two is cut into 64 equal parts; below 64 ns the parts are single nanoseconds.
    static constexpr unsigned part_bits = 6;
    static constexpr std::size_t parts = std::size_t{1} << part_bits;

    static std::size_t bucket(std::uint64_t ns)
    {
        if (ns < parts)
            return ns;
        auto shift = static_cast<unsigned>(std::bit_width(ns)) - part_bits - 1;
        return shift * parts + static_cast<std::size_t>(ns >> shift);
    }

    static std::uint64_t middle(std::size_t bucket)
    {
        if (bucket < 2 * parts)
            return bucket;
        auto shift = bucket / parts - 1;
        return ((bucket - shift * parts) << shift) + (std::uint64_t{1} << shift) / 2;
    }

    std::array<std::uint64_t, (64 - part_bits + 1) * parts> counts_{};
    std::uint64_t total_ = 0;
    std::uint64_t max_ = 0;
};

} // namespace tcpflight::bench

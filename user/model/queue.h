// A queue that keeps its memory: in the steady state nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tcpflight {

template <typename T> class Queue {
public:
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    T &front() { return at(begin_); }
    T &back() { return at(end_ - 1); }
    // Elements are numbered in the order in which they came; one keeps its number.
    [[nodiscard]] std::uint64_t next_number() const { return end_; }
    T &at(std::uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
    // Elements that there is memory for.
    [[nodiscard]] std::size_t capacity() const { return ring_.size(); }

    // A new element at the end, which the caller fills in: it may be one that was popped.
    T &add()
    {
        if (end_ - begin_ == ring_.size())
            grow();
        return at(end_++);
    }
    void push(T &&element) { add() = std::move(element); }
    void pop() { begin_++; }
    template <typename Visit> void for_each(Visit &&visit)
    {
        for (auto number = begin_; number != end_; number++)
            visit(at(number));
    }
    template <typename Visit> void for_each(Visit &&visit) const
    {
        for (auto number = begin_; number != end_; number++)
            visit(ring_[number & (ring_.size() - 1)]);
    }
    // Gives the memory back. Numbers go on.
    void clear()
    {
        begin_ = end_;
        ring_ = std::vector<T>();
    }

private:
    void grow()
    {
        constexpr std::size_t smallest = 64; // a power of two, like all sizes
        std::vector<T> larger(ring_.empty() ? smallest : 2 * ring_.size());
        for (auto number = begin_; number != end_; number++)
            larger[number & (larger.size() - 1)] = std::move(at(number));
        ring_ = std::move(larger);
    }

    std::vector<T> ring_;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;
};

} // namespace tcpflight

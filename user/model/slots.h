// Numbered things that stay where they are. In pieces: growing moves nothing, and a piece is large enough that hardly
// anything is wasted.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace tcpflight {

template <typename T> class Slots {
public:
    [[nodiscard]] std::size_t size() const { return size_; }
    T &operator[](std::size_t number) { return (*pieces_[number / piece])[number % piece]; }
    const T &operator[](std::size_t number) const { return (*pieces_[number / piece])[number % piece]; }

    // The next number.
    void add()
    {
        if (size_ == pieces_.size() * piece)
            pieces_.push_back(std::make_unique<std::array<T, piece>>());
        size_++;
    }
    // All up to `number`.
    void reach(std::size_t number)
    {
        while (size_ <= number)
            add();
    }
    void clear()
    {
        pieces_.clear();
        size_ = 0;
    }

    template <typename Visit> void for_each(Visit &&visit) const
    {
        for (std::size_t number = 0; number < size_; number++)
            visit((*this)[number]);
    }

private:
    static constexpr std::size_t piece = 256;

    std::vector<std::unique_ptr<std::array<T, piece>>> pieces_;
    std::size_t size_ = 0;
};

} // namespace tcpflight

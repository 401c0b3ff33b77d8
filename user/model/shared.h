// Owned by several, in one thread: half as large as std::shared_ptr, and without its atomic operations, which every
// event would pay for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace tcpflight {

template <typename T> class Shared {
public:
    Shared() = default;
    Shared(std::nullptr_t) {} // NOLINT(google-explicit-constructor): as of any pointer
    template <typename... Arguments> static Shared make(Arguments &&...arguments)
    {
        Shared made;
        made.counted_ = new Counted{T{std::forward<Arguments>(arguments)...}, 1};
        return made;
    }

    Shared(const Shared &other) : counted_(other.counted_)
    {
        if (counted_ != nullptr)
            counted_->owners++;
    }
    Shared(Shared &&other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
    Shared &operator=(const Shared &other)
    {
        if (this != &other) {
            Shared copy(other);
            std::swap(counted_, copy.counted_);
        }
        return *this;
    }
    Shared &operator=(Shared &&other) noexcept
    {
        std::swap(counted_, other.counted_);
        return *this;
    }
    ~Shared()
    {
        if (counted_ != nullptr && --counted_->owners == 0)
            delete counted_;
    }

    [[nodiscard]] const T *get() const { return counted_ != nullptr ? &counted_->value : nullptr; }
    const T &operator*() const { return counted_->value; }
    const T *operator->() const { return &counted_->value; }
    explicit operator bool() const { return counted_ != nullptr; }
    bool operator==(const Shared &other) const { return counted_ == other.counted_; }
    bool operator==(std::nullptr_t) const { return counted_ == nullptr; }

private:
    struct Counted {
        T value;
        std::size_t owners;
    };

    Counted *counted_ = nullptr;
};

} // namespace tcpflight

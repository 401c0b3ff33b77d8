// Bytes that grow without being cleared first, which a vector cannot, and that keep their memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace tcpflight {

class ByteBuffer {
public:
    ByteBuffer() = default;
    ByteBuffer(ByteBuffer &&other) noexcept
        : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0))
    {
    }
    ByteBuffer &operator=(ByteBuffer &&other) noexcept
    {
        std::swap(bytes_, other.bytes_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ByteBuffer(const ByteBuffer &) = delete;
    ByteBuffer &operator=(const ByteBuffer &) = delete;
    ~ByteBuffer() = default;

    [[nodiscard]] std::byte *data() { return bytes_.get(); }
    [[nodiscard]] const std::byte *data() const { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

    void clear() { size_ = 0; }
    // Keeps the first `size` bytes, of which there must be as many.
    void cut(std::size_t size) { size_ = size; }
    void drop_front(std::size_t count)
    {
        std::copy(data() + count, data() + size_, data());
        size_ -= count;
    }

    // Valid until the next one. What is in the new bytes is undefined.
    std::byte *extend(std::size_t count)
    {
        if (capacity_ - size_ < count)
            grow(count);
        return bytes_.get() + std::exchange(size_, size_ + count);
    }
    void append(std::span<const std::byte> more)
    {
        if (!more.empty())
            std::memcpy(extend(more.size()), more.data(), more.size());
    }
    template <typename T> void put(const T &value)
    {
        static_assert(std::has_unique_object_representations_v<T>, "padding would be written");
        std::memcpy(extend(sizeof(T)), &value, sizeof(T));
    }

private:
    void grow(std::size_t count)
    {
        constexpr std::size_t least = 256;
        capacity_ = std::max({least, 2 * capacity_, size_ + count});
        // Not make_unique, which clears it.
        std::unique_ptr<std::byte[]> larger(new std::byte[capacity_]);
        if (size_ != 0)
            std::memcpy(larger.get(), bytes_.get(), size_);
        bytes_ = std::move(larger);
    }

    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace tcpflight

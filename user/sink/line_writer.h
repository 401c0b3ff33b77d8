// One line on its way to the end of a string. Pieces are gathered on the stack, because a std::string checks and
// updates its size with each of them: this is what a line mostly costs.
#pragma once

#include "sink/digits.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tcpflight {

class LineWriter {
public:
    explicit LineWriter(std::string &out) : out_(out) {}
    LineWriter(const LineWriter &) = delete;
    LineWriter &operator=(const LineWriter &) = delete;

    void put(char c)
    {
        *room(1) = c;
        end_++;
    }

    void put(std::string_view text)
    {
        if (text.size() > buffer_.size()) [[unlikely]] {
            flush();
            out_.append(text);
            return;
        }
        copy_short(room(text.size()), text.data(), text.size());
        end_ += text.size();
    }
    // A literal: its length is known, and the copy is a move or two.
    template <std::size_t Size> void put(const char (&literal)[Size])
    {
        static_assert(Size <= sizeof(buffer_));
        std::memcpy(room(Size - 1), literal, Size - 1);
        end_ += Size - 1;
    }
    // Of `padded` the first `size`. All of it is copied: a constant size is a move or two.
    template <std::size_t Room> void put_padded(const std::array<char, Room> &padded, std::size_t size)
    {
        static_assert(Room <= max_room);
        std::memcpy(room(Room), padded.data(), Room);
        end_ += size;
    }
    // Of `text` so much is put, and so much can be read, rounded up to a multiple of 16.
    void put_rounded(const char *text, std::size_t size)
    {
        char *at = room(size + 16);
        for (std::size_t i = 0; i < size; i += 16)
            std::memcpy(at + i, text + i, 16);
        end_ += size;
    }

    // At most max_room.
    void put_blanks(std::size_t count)
    {
        std::memset(room(max_room), ' ', max_room); // a constant size is a move or two
        end_ += count;
    }
    // What was put since `begin`, which room(2 * max_room) returned, moves to the right until it is `width` (at most
    // max_room) wide. Longer than that it stays where it is.
    void align_right(char *begin, std::size_t width)
    {
        const auto size = static_cast<std::size_t>(buffer_.data() + end_ - begin);
        if (size >= width)
            return;
        std::memmove(begin + (width - size), begin, size);
        std::memset(begin, ' ', width - size);
        end_ += width - size;
    }

    void put_decimal(std::uint64_t value) { advance_to(write_decimal(room(max_decimal_digits), value)); }

    // For those who write digits themselves: at least `bytes` (at most 2 * max_room) from the returned pointer on.
    char *room(std::size_t bytes)
    {
        if (buffer_.size() - end_ < bytes) [[unlikely]]
            flush();
        return buffer_.data() + end_;
    }
    [[nodiscard]] const char *here() const { return buffer_.data() + end_; }
    void advance_to(const char *end) { end_ = static_cast<std::size_t>(end - buffer_.data()); }

    // Ends the line and hands all of it over. What is put and never handed over is dropped.
    void finish()
    {
        put('\n');
        flush();
    }

    static constexpr std::size_t max_room = 64;

private:
    // Pieces are of a few bytes, for which a call of memcpy() takes longer than the copy.
    static void copy_short(char *to, const char *from, std::size_t size)
    {
        // From both ends, which overlap in the middle.
        const auto copy_ends = [=](auto word) {
            auto last = word;
            std::memcpy(&word, from, sizeof(word));
            std::memcpy(&last, from + size - sizeof(last), sizeof(last));
            std::memcpy(to, &word, sizeof(word));
            std::memcpy(to + size - sizeof(last), &last, sizeof(last));
        };
        if (size > 2 * sizeof(std::uint64_t))
            std::memcpy(to, from, size);
        else if (size >= sizeof(std::uint64_t))
            copy_ends(std::uint64_t{});
        else if (size >= sizeof(std::uint32_t))
            copy_ends(std::uint32_t{});
        else
            for (std::size_t i = 0; i < size; i++)
                to[i] = from[i];
    }

    [[gnu::noinline]] void flush()
    {
        out_.append(buffer_.data(), end_);
        end_ = 0;
    }

    std::string &out_;
    std::size_t end_ = 0;
    // Longer than nearly all lines; a longer one is handed over in parts.
    std::array<char, 1024> buffer_;
};

} // namespace tcpflight

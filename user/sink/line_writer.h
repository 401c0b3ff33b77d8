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
        if (text.size() > buffer_.size()) {
            flush();
            out_.append(text);
            return;
        }
        std::memcpy(room(text.size()), text.data(), text.size());
        end_ += text.size();
    }

    void put_decimal(std::uint64_t value) { advance_to(write_decimal(room(max_decimal_digits), value)); }

    // For those who write digits themselves: at least `bytes` (at most max_room) from the returned pointer on.
    char *room(std::size_t bytes)
    {
        if (buffer_.size() - end_ < bytes)
            flush();
        return buffer_.data() + end_;
    }
    void advance_to(const char *end) { end_ = static_cast<std::size_t>(end - buffer_.data()); }

    // Ends the line and hands all of it over. What is put and never handed over is dropped.
    void finish()
    {
        put('\n');
        flush();
    }

    static constexpr std::size_t max_room = 64;

private:
    void flush()
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

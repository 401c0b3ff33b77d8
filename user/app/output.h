// Writing to standard output without ever being stuck in it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tcpflight {

class Output {
public:
    enum class Outcome : std::uint8_t {
        Written,
        Closed,      // nobody reads any more (EPIPE)
        Interrupted, // `interrupt_fd` became readable and the reader was not; a part may have been written
        Failed,      // see error()
    };

    // Neither descriptor is owned. A reader that does not read (a stopped pager) blocks the write until it does or
    // until `interrupt_fd` has been readable for as long as `patience`, so that Ctrl-C works even then; the caller
    // finds out why. One that does read, if slowly, gets all that was traced.
    Output(int fd, int interrupt_fd);

    Outcome write(std::string_view bytes);
    // Called once, should a reader not have read for as long as `patience`.
    void on_stall(std::function<void()> tell) { tell_stall_ = std::move(tell); }
    // The same, and empties `lines`; what could not be written is counted in lines_missing().
    Outcome write_lines(std::string &lines);

    // errno of the last Failed.
    [[nodiscard]] int error() const { return error_; }
    // Bytes of the last write that were not written.
    [[nodiscard]] std::size_t unwritten() const { return unwritten_; }
    // Lines of the last write_lines() that were not written, or not whole.
    [[nodiscard]] std::uint64_t lines_missing() const { return lines_missing_; }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds patience{1000};

    Outcome wait_for_reader();
    [[nodiscard]] int remaining_ms() const;

    int fd_;
    int interrupt_fd_;
    bool can_block_; // a pipe, socket or terminal, as opposed to a file
    int error_ = 0;
    std::size_t unwritten_ = 0;
    std::uint64_t lines_missing_ = 0;
    std::function<void()> tell_stall_;
    std::optional<Clock::time_point> give_up_at_; // set once the interrupt was noticed
};

} // namespace tcpflight

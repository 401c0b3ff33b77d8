// What wakes the tracer: records, signals, a step of the wall clock, a reader that went away. Nothing else: an idle
// tracer does not run at all.
#pragma once

#include "model/file_descriptor.h"
#include "model/result.h"

#include <cstdint>
#include <optional>

namespace tcpflight {

class EventLoop {
public:
    enum class Wake : std::uint8_t {
        Batch,        // records are waiting, or time has passed for those that are held
        Signal,       // SIGINT, SIGTERM, SIGHUP or SIGQUIT
        ClockStep,    // somebody set the wall clock
        OutputClosed, // the other end of the output is closed
        ChildEnded,   // SIGCHLD
        Input,        // the input can be read
        Look,         // the sweeper has answered, or a part of it
        Deadline,     // the time given to wait() has come
        Resized,      // SIGWINCH
        Suspend,      // SIGTSTP
        Continued,    // SIGCONT
    };

    // Blocks the signals it reports.
    static Result<EventLoop> create();

    // The descriptors stay the caller's, who may close them.
    Result<void> watch_ring(int ring_fd);
    // It may be a file, which cannot go away and is not watched.
    Result<void> watch_output(int output_fd);
    // Of a pipe: wait() returns as long as it can be read. False: it is a file, which never waits.
    Result<bool> watch_input(int input_fd);

    Result<void> watch_sweeper(int sweeper_fd);
    // Blocks those signals that a terminal's user sends, too, and reports them: Resized, Suspend, Continued.
    Result<void> watch_terminal_signals();

    // Blocks. Awake: Batch comes every `batch_ms`, and the ring buffer is left alone. Otherwise it comes `batch_ms`
    // after the ring became readable, so that one wake-up serves many records; waking up for each is the costliest
    // thing that a tracer can do. `deadline_ns`: CLOCK_BOOTTIME at which it returns in any case.
    Wake wait(bool awake, std::optional<std::uint64_t> deadline_ns = {});

    [[nodiscard]] int signal_fd() const { return signals_.get(); }

    static constexpr int batch_ms = 10;

private:
    EventLoop() = default;
    void start_timer();

    FileDescriptor epoll_;
    FileDescriptor signals_;
    FileDescriptor children_;
    FileDescriptor terminal_signals_;
    FileDescriptor timer_;
    FileDescriptor clock_;
    int ring_fd_ = -1;
    bool ring_armed_ = false;
    bool timer_running_ = false;
};

} // namespace tcpflight

// Child processes, for tests that run a program and look at what it says.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tcpflight::test {

// TCPFLIGHT_TEST_PATIENCE in the environment, 1 without: everything takes so many times as long, on a machine that is
// emulated.
int patience();

// An owned file descriptor.
class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    Fd(Fd &&other) noexcept : fd_(other.release()) {}
    Fd &operator=(Fd &&other) noexcept;
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    int release();
    void reset();

private:
    int fd_;
};

// Where a child's stdout or stderr goes.
struct Output {
    enum class Kind {
        Pipe,       // read by Process
        File,       // opened for writing, created, truncated
        ClosedPipe, // a pipe that nobody reads
    };
    Kind kind = Kind::Pipe;
    std::string path = {}; // File

    static Output file(std::string path) { return {Kind::File, std::move(path)}; }
    static Output closed_pipe() { return {Kind::ClosedPipe}; }
};

struct Spawn {
    std::vector<std::string> argv; // argv[0] is searched in PATH
    Output out = {};               // stdin is /dev/null
    Output err = {};
    std::vector<std::string> environment = {}; // "NAME=VALUE", added to the caller's; "NAME" is removed from it
};

// How a process ended: one of the two is set.
struct ExitStatus {
    std::optional<int> code;
    std::optional<int> signal;

    bool operator==(const ExitStatus &) const = default;
};

inline ExitStatus exited(int code)
{
    return {code, std::nullopt};
}

inline ExitStatus killed_by(int signal)
{
    return {std::nullopt, signal};
}

// For GoogleTest's messages.
std::ostream &operator<<(std::ostream &stream, const ExitStatus &status);

// A running child. Signals are at their defaults in it. It is killed and reaped when this goes out of scope.
class Process {
public:
    using Duration = std::chrono::milliseconds;
    static constexpr Duration default_timeout{10'000};

    // Throws std::system_error if the program cannot be started, which fails the test with the reason.
    explicit Process(const Spawn &spawn);
    Process(Process &&other) noexcept;
    Process &operator=(Process &&) = delete;
    Process(const Process &) = delete;
    Process &operator=(const Process &) = delete;
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }

    // All that was read so far. Reading happens in read_until() and wait().
    [[nodiscard]] const std::string &out() const { return out_.text; }
    [[nodiscard]] const std::string &err() const { return err_.text; }

    // Reads both pipes until `condition` holds: true. False if the time is over or both pipes have ended before.
    bool read_until(const std::function<bool()> &condition, Duration timeout = default_timeout);

    // Reads on until the process has ended and both pipes are drained; none if the time is over. May be repeated.
    // (A pipe that a grandchild still holds open is not waited for.)
    std::optional<ExitStatus> wait(Duration timeout = default_timeout);

    // Does nothing once the process was reaped.
    void signal(int number) const;

    // Reads nothing more from stdout: writing to it fails in the child with EPIPE.
    void close_out() { out_.fd.reset(); }

private:
    struct Capture {
        Fd fd;
        std::string text;
        void read_some(); // once, without blocking; closes at the end
    };
    using Deadline = std::chrono::steady_clock::time_point;

    void read_ready(Deadline deadline, bool until_exit);

    pid_t pid_ = -1;
    Fd pidfd_;
    Capture out_;
    Capture err_;
    std::optional<ExitStatus> status_;
};

// What a program that ends by itself left behind.
struct Finished {
    ExitStatus status;
    std::string out;
    std::string err;
};

// Runs to the end. Throws std::runtime_error if it takes longer.
Finished run(const Spawn &spawn, Process::Duration timeout = Process::default_timeout);

// Are these programs, separated by blanks, in PATH?
bool are_installed(const std::string &programs);

} // namespace tcpflight::test

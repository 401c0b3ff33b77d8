// A small process of its own that looks for sockets on request: for that it goes from network namespace to network
// namespace, which takes privileges that the tracer gives up. It reads nothing but requests of one byte, keeps only the
// capabilities it needs, and ends with its parent (docs/decisions/0009-what-is-there.md, 0013-the-end-of-time-wait.md).
#pragma once

#include "model/look.h"
#include "model/result.h"
#include "probe/socket_iterators.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tcpflight {

// What the process says first: how much follows, and what needs no room of its own.
struct SweeperAnswer {
    std::uint64_t bytes = 0; // of records, or of an error's message; then the namespaces and their limits
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t cpu_ns = 0;
    std::uint64_t out_of_reach = 0;
    std::uint32_t visited = 0; // namespaces
    std::uint32_t present = 0;
    std::uint32_t limits = 0; // of namespaces
    std::uint32_t failed = 0; // 1: an error
};

class Sweeper {
public:
    // Forks. The caller must have one thread and all its privileges still.
    static Result<Sweeper> start(SocketIterators iterators);

    Sweeper(Sweeper &&other) noexcept;
    Sweeper &operator=(Sweeper &&other) noexcept;
    Sweeper(const Sweeper &) = delete;
    Sweeper &operator=(const Sweeper &) = delete;
    // Ends the process.
    ~Sweeper();

    // Asks for a look with owners.
    Result<void> ask_for_all();
    // Blocks until it is whole, or fails: it is not waited for longer than `patience`, since a socket can be locked for
    // as long as its process likes.
    Result<Look> await_all(std::chrono::milliseconds patience);

    // Asks for a look without owners, and does not wait for it: fd() becomes readable, again and again, and collect()
    // takes some of what is there, until the look is whole. One at a time. An error of either is the end: nothing more
    // comes.
    Result<void> ask();
    [[nodiscard]] int fd() const { return socket_; }
    Result<std::optional<Look>> collect();

private:
    Sweeper(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

    Result<void> request(char what);
    std::span<std::byte> missing();

    pid_t pid_ = -1;
    int socket_ = -1;
    SweeperAnswer header_;
    std::vector<std::byte> answer_; // behind the header
    std::size_t received_ = 0;      // of both
};

} // namespace tcpflight

// A small process of its own that looks for sockets on request: for that it goes from network namespace to network
// namespace, which takes privileges that the tracer gives up. It reads nothing but requests of one byte, keeps only the
// capabilities it needs, and ends with its parent (docs/decisions/0009-what-is-there.md).
#pragma once

#include "model/result.h"
#include "probe/socket_iterators.h"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace tcpflight {

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

    struct Found {
        std::vector<std::byte> records; // as in Snapshot
        std::size_t out_of_reach = 0;
    };
    // A snapshot. Blocks until it is whole, or fails: it is not waited for longer than `patience`, since a socket can
    // be locked for as long as its process likes.
    Result<Found> find_all(std::chrono::milliseconds patience);

private:
    Sweeper(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

    pid_t pid_ = -1;
    int socket_ = -1;
};

} // namespace tcpflight

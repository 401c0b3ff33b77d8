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

    // A look with owners. Blocks until it is whole, or fails: it is not waited for longer than `patience`, since a
    // socket can be locked for as long as its process likes.
    Result<Look> find_all(std::chrono::milliseconds patience);

    // Asks for a look without owners, and does not wait for it: fd() becomes readable, again and again, and collect()
    // takes what is there until the look is whole. One at a time. An error of either is the end: nothing more comes.
    Result<void> ask();
    [[nodiscard]] int fd() const { return socket_; }
    Result<std::optional<Look>> collect();

private:
    Sweeper(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

    Result<void> request(char what);

    pid_t pid_ = -1;
    int socket_ = -1;
    std::vector<std::byte> answer_; // as far as it has come
    std::size_t awaited_ = 0;       // its size, as far as known
};

} // namespace tcpflight

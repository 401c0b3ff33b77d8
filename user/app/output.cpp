#include "app/output.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace tcpflight {
namespace {

bool is_file(int fd)
{
    struct stat status {};
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
}

} // namespace

Output::Output(int fd, int interrupt_fd) : fd_(fd), interrupt_fd_(interrupt_fd), can_block_(!is_file(fd)) {}

Output::Outcome Output::write(std::string_view bytes)
{
    unwritten_ = bytes.size();
    while (!bytes.empty()) {
        auto portion = bytes.size();
        if (can_block_) {
            if (auto outcome = wait_for_reader(); outcome != Outcome::Written)
                return outcome;
            // A pipe that polls as writable takes PIPE_BUF bytes without blocking (pipe(7)), and promises no more.
            portion = std::min<std::size_t>(portion, PIPE_BUF);
        }
        auto written = ::write(fd_, bytes.data(), portion);
        if (written < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            if (errno == EPIPE)
                return Outcome::Closed;
            error_ = errno;
            return Outcome::Failed;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
        unwritten_ = bytes.size();
    }
    return Outcome::Written;
}

Output::Outcome Output::write_lines(std::string &lines)
{
    auto outcome = write(lines);
    auto missing = std::string_view(lines).substr(lines.size() - unwritten_);
    lines_missing_ = static_cast<std::uint64_t>(std::count(missing.begin(), missing.end(), '\n'));
    lines.clear();
    return outcome;
}

Output::Outcome Output::wait_for_reader()
{
    for (;;) {
        std::array<pollfd, 2> fds{{{.fd = fd_, .events = POLLOUT, .revents = 0},
                                   {.fd = give_up_at_ ? -1 : interrupt_fd_, .events = POLLIN, .revents = 0}}};
        int ready = poll(fds.data(), fds.size(), remaining_ms());
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            error_ = errno;
            return Outcome::Failed;
        }
        if (ready == 0 && !give_up_at_) {
            std::exchange(tell_stall_, nullptr)();
            continue;
        }
        if (fds[0].revents != 0)
            return Outcome::Written; // or an error, which write(2) will name
        if (give_up_at_)
            return Outcome::Interrupted;
        give_up_at_ = Clock::now() + patience;
    }
}

// For poll(2): how long a reader may take now.
int Output::remaining_ms() const
{
    if (!give_up_at_)
        return tell_stall_ ? static_cast<int>(patience.count()) : -1;
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*give_up_at_ - Clock::now());
    return std::max(0, static_cast<int>(left.count()));
}

} // namespace tcpflight

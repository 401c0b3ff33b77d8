#include "probe/sweeper.h"

#include "probe/privileges.h"
#include "probe/snapshot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace tcpflight {
namespace {

using Clock = std::chrono::steady_clock;

// What goes before the bytes of an answer.
struct AnswerHeader {
    std::uint64_t bytes;        // that follow: records, or the message of an error
    std::uint64_t out_of_reach; // Snapshot::out_of_reach
    std::uint64_t failed;       // 1: an error
};

// --- the child ---

bool send_all(int socket, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        auto sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        bytes = bytes.subspan(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
    return true;
}

bool answer(int socket, const Result<Snapshot> &snapshot)
{
    auto bytes =
        snapshot ? std::span<const std::byte>(snapshot->records) : std::as_bytes(std::span(snapshot.error().message));
    AnswerHeader header{
        .bytes = bytes.size(), .out_of_reach = snapshot ? snapshot->out_of_reach : 0, .failed = snapshot ? 0U : 1U};
    return send_all(socket, std::as_bytes(std::span(&header, 1))) && send_all(socket, bytes);
}

// Nothing of the tracer's stays open: not its output, whose reader waits for the last copy to be closed, nor its ring.
void close_all_but(std::span<const int> wanted)
{
    constexpr int standard_files = 3;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC); // NOLINT(cppcoreguidelines-pro-type-vararg)
    for (int fd = 0; fd < standard_files; fd++)
        dup2(null, fd);
    std::vector<int> open(wanted.begin(), wanted.end());
    std::sort(open.begin(), open.end());
    auto first = static_cast<unsigned>(standard_files);
    for (int fd : open) {
        auto number = static_cast<unsigned>(fd);
        if (number > first)
            syscall(SYS_close_range, first, number - 1, 0U);
        first = number + 1;
    }
    syscall(SYS_close_range, first, std::numeric_limits<unsigned>::max(), 0U);
}

[[noreturn]] void serve(int socket, const SocketIterators &iterators, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    std::vector<int> wanted{socket};
    auto descriptors = iterators.descriptors();
    wanted.insert(wanted.end(), descriptors.begin(), descriptors.end());
    close_all_but(wanted);
    // SYS_PTRACE: for the namespace of a process of another user. BPF alone would do where setns(2) is not allowed.
    bool reduced = keep_privileges({CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_BPF, CAP_PERFMON}).has_value();

    char request = 0;
    while (reduced && getppid() == parent && read(socket, &request, sizeof(request)) == sizeof(request)) {
        if (!answer(socket, take_snapshot(iterators)))
            break;
    }
    _exit(0);
}

// --- the parent ---

tl::unexpected<Error> failed(const char *what, int error)
{
    return failure(fmt::format("{}: {}", what, std::strerror(error)));
}

bool wait_readable(int socket, Clock::time_point deadline)
{
    for (;;) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd one{.fd = socket, .events = POLLIN, .revents = 0};
        int ready = poll(&one, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

Result<void> receive_all(int socket, std::span<std::byte> bytes, Clock::time_point deadline)
{
    while (!bytes.empty()) {
        if (!wait_readable(socket, deadline))
            return failure("it takes too long: a process keeps a socket locked");
        auto got = recv(socket, bytes.data(), bytes.size(), 0);
        if (got == 0)
            return failure("the process that looks for them ended");
        if (got < 0 && errno != EINTR)
            return failed("cannot read the answer", errno);
        bytes = bytes.subspan(got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    return {};
}

} // namespace

Result<Sweeper> Sweeper::start(SocketIterators iterators)
{
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return failed("cannot make a socket", errno);
    auto parent = getpid();
    auto pid = fork();
    if (pid == 0)
        serve(ends[1], iterators, parent);
    int error = errno;
    close(ends[1]);
    Sweeper sweeper(pid, ends[0]);
    if (pid < 0)
        return failed("cannot start a process", error);
    return sweeper;
}

Sweeper::Sweeper(Sweeper &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::exchange(other.socket_, -1))
{
}

Sweeper &Sweeper::operator=(Sweeper &&other) noexcept
{
    std::swap(pid_, other.pid_);
    std::swap(socket_, other.socket_);
    return *this;
}

Sweeper::~Sweeper()
{
    if (socket_ >= 0)
        close(socket_);
    if (pid_ <= 0)
        return;
    // Where it waits for a socket's lock nothing reaches it. It will go when it gets that, and init sees to the rest.
    constexpr int patience_ms = 200;
    pollfd gone{.fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), .events = POLLIN, .revents = 0};
    kill(pid_, SIGKILL);
    poll(&gone, 1, patience_ms);
    waitpid(pid_, nullptr, WNOHANG);
    close(gone.fd);
}

// NOLINTNEXTLINE(readability-make-member-function-const): it asks a process, and what that says changes
Result<Sweeper::Found> Sweeper::find_all(std::chrono::milliseconds patience)
{
    auto deadline = Clock::now() + patience;
    char request = 'a';
    if (send(socket_, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
        return failed("cannot ask for them", errno);
    AnswerHeader header{};
    if (auto got = receive_all(socket_, std::as_writable_bytes(std::span(&header, 1)), deadline); !got)
        return tl::unexpected(got.error());
    Found found{.records = std::vector<std::byte>(header.bytes), .out_of_reach = header.out_of_reach};
    if (auto got = receive_all(socket_, found.records, deadline); !got)
        return tl::unexpected(got.error());
    if (header.failed != 0) {
        std::string message(found.records.size(), '\0');
        std::memcpy(message.data(), found.records.data(), message.size());
        return failure(std::move(message));
    }
    return found;
}

} // namespace tcpflight

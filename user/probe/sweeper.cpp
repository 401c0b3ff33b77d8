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
#include <ctime>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace tcpflight {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char with_owners = 'o';
constexpr char sockets_alone = 's';

// So much is read at a time: with a million sockets an answer has hundreds of megabytes, and events do not wait.
constexpr std::size_t at_a_time = std::size_t{1} << 20;

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

bool answer(int socket, const Snapshot &snapshot, std::uint64_t cpu_ns)
{
    const auto &[visited_set, present_set] = snapshot.namespaces;
    const std::vector<std::uint32_t> visited(visited_set.begin(), visited_set.end());
    const std::vector<std::uint32_t> present(present_set.begin(), present_set.end());
    SweeperAnswer header{.bytes = snapshot.records.size(),
                         .begin_ns = snapshot.begin_ns,
                         .end_ns = snapshot.end_ns,
                         .cpu_ns = cpu_ns,
                         .out_of_reach = snapshot.out_of_reach,
                         .visited = static_cast<std::uint32_t>(visited.size()),
                         .present = static_cast<std::uint32_t>(present.size()),
                         .limits = static_cast<std::uint32_t>(snapshot.limits.size())};
    return send_all(socket, std::as_bytes(std::span(&header, 1))) && send_all(socket, snapshot.records) &&
           send_all(socket, std::as_bytes(std::span(visited))) && send_all(socket, std::as_bytes(std::span(present))) &&
           send_all(socket, std::as_bytes(std::span(snapshot.limits)));
}

bool answer(int socket, const Error &error)
{
    SweeperAnswer header{.bytes = error.message.size(), .failed = 1};
    return send_all(socket, std::as_bytes(std::span(&header, 1))) &&
           send_all(socket, std::as_bytes(std::span(error.message)));
}

// What this process has had of a CPU.
std::uint64_t cpu_now_ns()
{
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * ns_per_s + static_cast<std::uint64_t>(now.tv_nsec);
}

// A namespace that no process is in any more, and that is mounted nowhere, can still have sockets: those that a process
// has brought elsewhere.
Result<void> add_open_namespaces(const SocketIterators &iterators, std::set<std::uint32_t> &present)
{
    auto holders = iterators.holders();
    if (!holders)
        return tl::unexpected(holders.error());
    for (const auto &holder : *holders)
        present.insert(holder.netns);
    return {};
}

class Looker {
public:
    explicit Looker(const SocketIterators &iterators) : iterators_(iterators) {}

    Result<Snapshot> look(char request)
    {
        auto snapshot = request == with_owners ? take_snapshot(iterators_) : look_at_sockets(iterators_);
        if (!snapshot)
            return snapshot;
        auto &present = snapshot->namespaces.present;
        if (!std::includes(present.begin(), present.end(), before_.begin(), before_.end())) {
            if (auto added = add_open_namespaces(iterators_, present); !added)
                return tl::unexpected(added.error());
        }
        before_ = present;
        return snapshot;
    }

private:
    const SocketIterators &iterators_;
    std::set<std::uint32_t> before_; // namespaces at the last look
};

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

    Looker looker(iterators);
    char request = 0;
    while (reduced && getppid() == parent && read(socket, &request, sizeof(request)) == sizeof(request)) {
        const auto before_ns = cpu_now_ns();
        auto snapshot = looker.look(request);
        if (!(snapshot ? answer(socket, *snapshot, cpu_now_ns() - before_ns) : answer(socket, snapshot.error())))
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

template <typename T> std::vector<T> take(std::span<const std::byte> &bytes, std::size_t count)
{
    std::vector<T> taken(count);
    if (count != 0)
        std::memcpy(taken.data(), bytes.data(), count * sizeof(T));
    bytes = bytes.subspan(count * sizeof(T));
    return taken;
}

std::size_t size_of(const SweeperAnswer &header)
{
    return header.bytes + sizeof(std::uint32_t) * (std::size_t{header.visited} + std::size_t{header.present}) +
           sizeof(NetnsLimits) * std::size_t{header.limits};
}

Result<Look> to_look(const SweeperAnswer &header, std::vector<std::byte> answer)
{
    if (header.failed != 0) {
        std::string message(answer.size(), '\0');
        std::memcpy(message.data(), answer.data(), message.size());
        return failure(std::move(message));
    }
    auto rest = std::span<const std::byte>(answer).subspan(header.bytes);
    Look look{.begin_ns = header.begin_ns,
              .end_ns = header.end_ns,
              .cpu_ns = header.cpu_ns,
              .records = {},
              .visited = take<std::uint32_t>(rest, header.visited),
              .present = take<std::uint32_t>(rest, header.present),
              .limits = take<NetnsLimits>(rest, header.limits),
              .out_of_reach = header.out_of_reach};
    answer.resize(header.bytes);
    look.records = std::move(answer);
    return look;
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
    : pid_(std::exchange(other.pid_, -1)), socket_(std::exchange(other.socket_, -1)), header_(other.header_),
      answer_(std::move(other.answer_)), received_(other.received_)
{
}

Sweeper &Sweeper::operator=(Sweeper &&other) noexcept
{
    std::swap(pid_, other.pid_);
    std::swap(socket_, other.socket_);
    std::swap(header_, other.header_);
    std::swap(answer_, other.answer_);
    std::swap(received_, other.received_);
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

Result<void> Sweeper::request(char what)
{
    answer_.clear();
    received_ = 0;
    if (send(socket_, &what, sizeof(what), MSG_NOSIGNAL) != sizeof(what))
        return failed("cannot ask for them", errno);
    return {};
}

Result<void> Sweeper::ask()
{
    return request(sockets_alone);
}

// Empty: the answer is whole.
std::span<std::byte> Sweeper::missing()
{
    if (received_ < sizeof(header_))
        return std::as_writable_bytes(std::span(&header_, 1)).subspan(received_);
    return std::span(answer_).subspan(received_ - sizeof(header_));
}

Result<std::optional<Look>> Sweeper::collect()
{
    for (const auto before = received_; !missing().empty();) {
        if (received_ - before >= at_a_time)
            return std::nullopt;
        const auto room = missing();
        const auto got = recv(socket_, room.data(), std::min(room.size(), at_a_time), MSG_DONTWAIT);
        if (got == 0)
            return failure("the process that looks for them ended");
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return std::nullopt;
        if (got < 0 && errno != EINTR)
            return failed("cannot read the answer", errno);
        received_ += got > 0 ? static_cast<std::size_t>(got) : 0;
        if (received_ == sizeof(header_))
            answer_.resize(size_of(header_));
    }
    auto look = to_look(header_, std::exchange(answer_, {}));
    if (!look)
        return tl::unexpected(look.error());
    return std::optional<Look>(std::move(*look));
}

Result<void> Sweeper::ask_for_all()
{
    return request(with_owners);
}

Result<Look> Sweeper::await_all(std::chrono::milliseconds patience)
{
    auto deadline = Clock::now() + patience;
    while (wait_readable(socket_, deadline)) {
        auto look = collect();
        if (!look)
            return tl::unexpected(look.error());
        if (*look)
            return std::move(**look);
    }
    return failure("it takes too long: a process keeps a socket locked");
}

} // namespace tcpflight

#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ostream>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace tcpflight::test {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void fail(int error, const std::string &what)
{
    throw std::system_error(error, std::generic_category(), what);
}

struct Pipe {
    Fd read;
    Fd write;
};

Pipe make_pipe()
{
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        fail(errno, "pipe2");
    return {Fd(ends[0]), Fd(ends[1])};
}

// The end for the child; ours, if there is one, goes to `ours`.
Fd open_output(const Output &output, Fd &ours)
{
    if (output.kind == Output::Kind::File) {
        Fd file(open(output.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!file.is_open())
            fail(errno, output.path);
        return file;
    }
    Pipe pipe = make_pipe();
    if (output.kind == Output::Kind::Pipe) {
        ours = std::move(pipe.read);
        // O_NONBLOCK belongs to the open file, and the two ends are different ones: the child still blocks.
        if (fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0)
            fail(errno, "fcntl");
    }
    return std::move(pipe.write);
}

std::vector<std::string> merge_environment(const std::vector<std::string> &changes)
{
    auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    std::vector<std::string> result;
    for (char **entry = environ; *entry != nullptr; ++entry) {
        bool changed = std::any_of(changes.begin(), changes.end(),
                                   [&](const std::string &change) { return name_of(change) == name_of(*entry); });
        if (!changed)
            result.emplace_back(*entry);
    }
    std::copy_if(changes.begin(), changes.end(), std::back_inserter(result),
                 [](const std::string &change) { return change.find('=') != std::string::npos; });
    return result;
}

std::vector<char *> as_pointers(std::vector<std::string> &strings)
{
    std::vector<char *> pointers;
    for (std::string &string : strings)
        pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
}

class FileActions {
public:
    FileActions()
    {
        if (int error = posix_spawn_file_actions_init(&actions_); error != 0)
            fail(error, "posix_spawn_file_actions_init");
    }
    FileActions(const FileActions &) = delete;
    FileActions &operator=(const FileActions &) = delete;
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

    void open_null(int fd)
    {
        if (int error = posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDONLY, 0); error != 0)
            fail(error, "posix_spawn_file_actions_addopen");
    }
    void duplicate(int from, int to)
    {
        if (int error = posix_spawn_file_actions_adddup2(&actions_, from, to); error != 0)
            fail(error, "posix_spawn_file_actions_adddup2");
    }
    [[nodiscard]] const posix_spawn_file_actions_t *get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

// A test runner may ignore or block signals; what it runs must not inherit that.
class DefaultSignals {
public:
    DefaultSignals()
    {
        if (int error = posix_spawnattr_init(&attributes_); error != 0)
            fail(error, "posix_spawnattr_init");
        sigset_t all;
        sigset_t none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    }
    DefaultSignals(const DefaultSignals &) = delete;
    DefaultSignals &operator=(const DefaultSignals &) = delete;
    ~DefaultSignals() { posix_spawnattr_destroy(&attributes_); }

    [[nodiscard]] const posix_spawnattr_t *get() const { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

ExitStatus decode_status(int status)
{
    if (WIFSIGNALED(status))
        return killed_by(WTERMSIG(status));
    return exited(WEXITSTATUS(status));
}

pid_t reap(pid_t pid, int &status)
{
    pid_t result = 0;
    do {
        result = waitpid(pid, &status, 0);
    } while (result < 0 && errno == EINTR);
    return result;
}

} // namespace

int patience()
{
    static const char *text = std::getenv("TCPFLIGHT_TEST_PATIENCE");
    return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

Fd &Fd::operator=(Fd &&other) noexcept
{
    if (this != &other) {
        reset();
        fd_ = other.release();
    }
    return *this;
}

int Fd::release()
{
    return std::exchange(fd_, -1);
}

void Fd::reset()
{
    if (fd_ >= 0)
        close(fd_);
    fd_ = -1;
}

std::ostream &operator<<(std::ostream &stream, const ExitStatus &status)
{
    if (status.signal)
        return stream << "killed by signal " << *status.signal;
    return stream << "exit status " << status.code.value_or(-1);
}

Process::Process(const Spawn &spawn)
{
    Fd child_out = open_output(spawn.out, out_.fd);
    Fd child_err = open_output(spawn.err, err_.fd);
    FileActions actions;
    actions.open_null(STDIN_FILENO);
    actions.duplicate(child_out.get(), STDOUT_FILENO);
    actions.duplicate(child_err.get(), STDERR_FILENO);

    DefaultSignals signals;
    std::vector<std::string> argv = spawn.argv;
    std::vector<std::string> environment = merge_environment(spawn.environment);
    if (argv.empty())
        throw std::invalid_argument("Process: argv is empty");
    int error = posix_spawnp(&pid_, argv[0].c_str(), actions.get(), signals.get(), as_pointers(argv).data(),
                             as_pointers(environment).data());
    if (error != 0) {
        pid_ = -1;
        fail(error, argv[0]);
    }
    // By number: glibc has a wrapper only since 2.36. The child is not reaped yet, so the pid is still its own.
    pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_.is_open()) {
        int reason = errno;
        int status = 0;
        kill(pid_, SIGKILL);
        reap(pid_, status);
        fail(reason, "pidfd_open");
    }
}

Process::Process(Process &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), out_(std::move(other.out_)),
      err_(std::move(other.err_)), status_(std::exchange(other.status_, std::nullopt))
{
}

Process::~Process()
{
    if (pid_ < 0 || status_)
        return;
    int status = 0;
    kill(pid_, SIGKILL);
    reap(pid_, status);
}

void Process::Capture::read_some()
{
    std::array<char, 65536> chunk;
    ssize_t size = read(fd.get(), chunk.data(), chunk.size());
    if (size > 0)
        text.append(chunk.data(), static_cast<std::size_t>(size));
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        fd.reset();
}

// Waits until there is something to read, or the process has ended if that is asked for, or the time is over.
void Process::read_ready(Deadline deadline, bool until_exit)
{
    // Negative descriptors are left out by poll(2).
    std::array<pollfd, 3> fds{{
        {out_.fd.get(), POLLIN, 0},
        {err_.fd.get(), POLLIN, 0},
        {until_exit ? pidfd_.get() : -1, POLLIN, 0},
    }};
    auto left = std::chrono::ceil<Duration>(deadline - SteadyClock::now());
    int timeout = static_cast<int>(std::max<Duration::rep>(left.count(), 0));
    if (poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR)
        fail(errno, "poll");
    if (fds[0].revents != 0)
        out_.read_some();
    if (fds[1].revents != 0)
        err_.read_some();
    if (fds[2].revents == 0)
        return;

    int status = 0;
    if (reap(pid_, status) < 0)
        fail(errno, "waitpid");
    status_ = decode_status(status);
    // What it wrote before its end is in the pipes now. Only as much as that: a grandchild may write for ever.
    for (Capture *capture : {&out_, &err_}) {
        std::size_t before = 0;
        do {
            before = capture->text.size();
            if (capture->fd.is_open())
                capture->read_some();
        } while (capture->fd.is_open() && capture->text.size() > before && SteadyClock::now() < deadline);
    }
}

bool Process::read_until(const std::function<bool()> &condition, Duration timeout)
{
    Deadline deadline = SteadyClock::now() + timeout * patience();
    while (!condition()) {
        bool is_open = out_.fd.is_open() || err_.fd.is_open();
        if (!is_open || SteadyClock::now() >= deadline)
            return false;
        read_ready(deadline, false);
    }
    return true;
}

std::optional<ExitStatus> Process::wait(Duration timeout)
{
    Deadline deadline = SteadyClock::now() + timeout * patience();
    while (!status_) {
        read_ready(deadline, true);
        if (!status_ && SteadyClock::now() >= deadline)
            break;
    }
    return status_;
}

void Process::signal(int number) const
{
    if (pid_ >= 0 && !status_)
        kill(pid_, number);
}

Finished run(const Spawn &spawn, Process::Duration timeout)
{
    Process process(spawn);
    std::optional<ExitStatus> status = process.wait(timeout);
    if (!status)
        throw std::runtime_error(spawn.argv[0] + " did not end in time; it said: " + process.out() + process.err());
    return {*status, process.out(), process.err()};
}

bool are_installed(const std::string &programs)
{
    return run({.argv = {"sh", "-c", "command -v " + programs}}).status == exited(0);
}

} // namespace tcpflight::test

#include "hold.h"

#include "connection.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace tcpflight::bench {
namespace {

[[noreturn]] void fail(const char *what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

sigset_t endings()
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void wait_for_ending()
{
    auto set = endings();
    int signal = 0;
    sigwait(&set, &signal);
}

// Files that this process may open; raised as far as it is allowed to.
std::uint32_t raise_file_limit()
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fail("setrlimit");
    return static_cast<std::uint32_t>(std::min<rlim_t>(limit.rlim_max, 1U << 20));
}

void open_and_wait(std::uint32_t connections, std::uint32_t first, const Fd &ready)
{
    Player player;
    std::vector<Connection> open(connections);
    auto number = first;
    for (auto &connection : open)
        connection = player.open(number++);
    if (write(ready.get(), "+", 1) != 1)
        fail("write");
    wait_for_ending();
    // By reset: nothing of them stays behind in TIME_WAIT.
    for (auto &connection : open)
        Player::end(connection, Ending::Reset);
}

[[noreturn]] void be_holder(std::uint32_t connections, std::uint32_t first, const Fd &ready)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    try {
        open_and_wait(connections, first, ready);
        _exit(0);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "load: %s\n", error.what());
    }
    _exit(1);
}

// Returns when it has opened all.
pid_t start_holder(std::uint32_t connections, std::uint32_t first)
{
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        fail("pipe2");
    const Fd ready(ends[0]);
    Fd done(ends[1]);
    auto child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        be_holder(connections, first, done);
    done.reset();
    char byte = 0;
    if (read(ready.get(), &byte, 1) != 1)
        throw std::runtime_error("not all sockets could be opened");
    return child;
}

} // namespace

// One process is not enough where it may open only so many files. They open them one after the other: side by side they
// would leave no core to who watches.
void hold(std::uint32_t sockets)
{
    auto set = endings();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    auto share = (raise_file_limit() - 64) / 2;
    std::vector<pid_t> holders;
    auto left = sockets / 2;
    for (std::uint32_t first = 0; left > 0;) {
        auto count = std::min(left, share);
        holders.push_back(start_holder(count, first));
        first += count;
        left -= count;
    }
    std::printf("holding %u sockets\n", sockets / 2 * 2);
    std::fflush(stdout);
    wait_for_ending();
    for (auto holder : holders)
        kill(holder, SIGTERM);
    for (auto holder : holders)
        waitpid(holder, nullptr, 0);
}

} // namespace tcpflight::bench

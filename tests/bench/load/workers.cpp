#include "workers.h"

#include "connection.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace tcpflight::bench {
namespace {

constexpr std::size_t max_workers = 256;
// Connections that a worker takes at a time: few enough for all workers to end together.
constexpr std::uint64_t chunk = 64;

struct alignas(64) Report {
    std::uint64_t events = 0;
    std::uint64_t connections = 0;
    std::uint64_t behind = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t cpu_ns = 0;
    Histogram latency;
};

// What the processes share.
struct Board {
    alignas(64) std::atomic<std::uint64_t> next{0};
    alignas(64) std::atomic<unsigned> ready{0};
    std::atomic<std::uint64_t> start_ns{0}; // 0: not yet
    std::atomic<bool> failed{false};
    std::array<Report, max_workers> reports{};
};

std::uint64_t read_clock(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void sleep_until(std::uint64_t ns)
{
    timespec until{.tv_sec = static_cast<time_t>(ns / 1'000'000'000U),
                   .tv_nsec = static_cast<long>(ns % 1'000'000'000U)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR)
        ;
}

// To the n-th core that this process may use, counted round.
void pin(unsigned n)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
    auto skip = n % static_cast<unsigned>(CPU_COUNT(&allowed));
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- != 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof(one), &one) != 0)
            throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
        return;
    }
}

// Spread evenly: with 10 %, every tenth. A hundred is the period of the pattern.
Ending ending_of(std::uint64_t number, unsigned reset_percent)
{
    auto turn = number % 100 * reset_percent;
    if (turn % 100 < reset_percent)
        return Ending::Reset;
    return number % 2 == 0 ? Ending::ClientFirst : Ending::ServerFirst;
}

class Worker {
public:
    Worker(const Job &job, Board &board, Report &report) : job_(job), board_(board), report_(report), held_(job.live) {}

    void run();

private:
    struct Held {
        Connection connection;
        Ending ending = Ending::Reset;
    };

    void play(std::uint64_t number);
    void wait_for_turn(std::uint64_t number);
    void end(Held &held);

    const Job &job_;
    Board &board_;
    Report &report_;
    Player player_;
    std::vector<Held> held_; // a ring
    std::uint64_t start_ns_ = 0;
    std::uint64_t played_ = 0;
};

void Worker::run()
{
    board_.ready++;
    while ((start_ns_ = board_.start_ns) == 0)
        sched_yield();
    auto cpu_before = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    // At a given rate the turns are dealt one by one, or a worker would play its chunk alone.
    auto step = job_.rate > 0 ? 1 : chunk;
    for (auto first = board_.next.fetch_add(step); first < job_.connections; first = board_.next.fetch_add(step)) {
        auto last = std::min(first + step, job_.connections);
        for (auto number = first; number < last; number++)
            play(number);
    }
    for (auto &held : held_)
        end(held);
    report_.end_ns = read_clock(CLOCK_MONOTONIC);
    report_.cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
    report_.events += events_of_listener;
}

void Worker::play(std::uint64_t number)
{
    if (job_.rate > 0)
        wait_for_turn(number);
    auto &held = held_[played_++ % held_.size()];
    auto begin = job_.latencies ? read_clock(CLOCK_MONOTONIC) : 0;
    end(held);
    held.connection = player_.open(static_cast<std::uint32_t>(number));
    held.ending = ending_of(number, job_.reset_percent);
    report_.connections++;
    report_.events += events_to_open;
    if (job_.latencies) {
        end(held);
        report_.latency.add(read_clock(CLOCK_MONOTONIC) - begin);
    }
}

void Worker::wait_for_turn(std::uint64_t number)
{
    auto turn = start_ns_ + static_cast<std::uint64_t>(static_cast<double>(number) * 1e9 / job_.rate);
    auto now = read_clock(CLOCK_MONOTONIC);
    if (now < turn)
        sleep_until(turn);
    else if (now - turn > 1'000'000)
        report_.behind++;
}

void Worker::end(Held &held)
{
    if (!held.connection.client.is_open())
        return;
    Player::end(held.connection, held.ending);
    report_.events += events_to_end(held.ending);
}

Board *share_board()
{
    void *memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mmap");
    return new (memory) Board;
}

// In the child: never returns.
[[noreturn]] void be_worker(const Job &job, Board &board, unsigned index)
{
    // The load ends as a whole, however its first process ends.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        pin(index);
        Worker(job, board, board.reports.at(index)).run();
        _exit(0);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "load: worker %u: %s\n", index, error.what());
    }
    board.failed = true;
    _exit(1);
}

void reap(const std::vector<pid_t> &children)
{
    bool failed = false;
    for (auto child : children) {
        int status = 0;
        failed |= waitpid(child, &status, 0) != child || status != 0;
    }
    if (failed)
        throw std::runtime_error("a worker failed");
}

Outcome collect(const Board &board, const Job &job)
{
    Outcome outcome;
    std::uint64_t end_ns = 0;
    std::uint64_t cpu_ns = 0;
    for (unsigned i = 0; i < job.workers; i++) {
        const auto &report = board.reports.at(i);
        outcome.connections += report.connections;
        outcome.events += report.events;
        outcome.behind += report.behind;
        outcome.latency.add(report.latency);
        cpu_ns += report.cpu_ns;
        end_ns = std::max(end_ns, report.end_ns);
    }
    outcome.wall_s = static_cast<double>(end_ns - board.start_ns) / 1e9;
    outcome.cpu_s = static_cast<double>(cpu_ns) / 1e9;
    return outcome;
}

} // namespace

Outcome run_workers(const Job &job)
{
    if (job.workers == 0 || job.workers > max_workers)
        throw std::runtime_error("the number of workers must be 1 to 256");
    auto *board = share_board();
    std::vector<pid_t> children;
    for (unsigned i = 0; i < job.workers; i++) {
        auto child = fork();
        if (child < 0)
            throw std::system_error(errno, std::generic_category(), "fork");
        if (child == 0)
            be_worker(job, *board, i);
        children.push_back(child);
    }
    while (board->ready < job.workers && !board->failed)
        usleep(1000);
    board->start_ns = read_clock(CLOCK_MONOTONIC);
    reap(children);
    auto outcome = collect(*board, job);
    munmap(board, sizeof(*board));
    return outcome;
}

} // namespace tcpflight::bench

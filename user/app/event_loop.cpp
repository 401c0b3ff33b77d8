#include "app/event_loop.h"

#include "model/clock.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <limits>

namespace tcpflight {
namespace {

enum class Tag : std::uint32_t { Ring, Signals, Children, TerminalSignals, Timer, Clock, Output, Input, Sweeper };

tl::unexpected<Error> failed(const char *what)
{
    return failure(fmt::format("cannot set up {}: {}", what, std::strerror(errno)));
}

bool add(int epoll, int fd, std::uint32_t events, Tag tag)
{
    epoll_event event{};
    event.events = events;
    event.data.u32 = static_cast<std::uint32_t>(tag);
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Never due; but becomes readable, with ECANCELED, when the wall clock is set (timerfd_create(2)).
bool await_clock_step(int fd)
{
    itimerspec never{};
    never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

void acknowledge(int fd)
{
    std::uint64_t expirations = 0;
    // Its failure (ECANCELED after a clock step) is the news itself.
    [[maybe_unused]] auto size = read(fd, &expirations, sizeof(expirations));
}

// Its number; 0: it was taken already.
int acknowledge_signal(int fd)
{
    signalfd_siginfo info{};
    const auto size = read(fd, &info, sizeof(info));
    return size == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
}

// A descriptor that is readable when one of these was sent, which is then not delivered otherwise.
FileDescriptor await_signals(std::initializer_list<int> numbers)
{
    sigset_t signals;
    sigemptyset(&signals);
    for (int number : numbers)
        sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

// For epoll_wait(2): in milliseconds, rounded up so that it is not early.
int milliseconds_until(std::optional<std::uint64_t> deadline_ns)
{
    constexpr std::uint64_t ns_per_ms = 1'000'000;
    constexpr std::uint64_t longest = 3'600'000;
    if (!deadline_ns)
        return -1;
    auto now = boot_now_ns();
    if (*deadline_ns <= now)
        return 0;
    return static_cast<int>(std::min((*deadline_ns - now) / ns_per_ms + 1, longest));
}

} // namespace

Result<EventLoop> EventLoop::create()
{
    EventLoop loop;
    loop.epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
    if (!loop.epoll_.is_open())
        return failed("the event loop");

    loop.signals_ = await_signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
    if (!loop.signals_.is_open() || !add(loop.epoll_.get(), loop.signals_.get(), EPOLLIN, Tag::Signals))
        return failed("signals");
    loop.children_ = await_signals({SIGCHLD});
    if (!loop.children_.is_open() || !add(loop.epoll_.get(), loop.children_.get(), EPOLLIN, Tag::Children))
        return failed("signals");

    loop.timer_ = FileDescriptor(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!loop.timer_.is_open() || !add(loop.epoll_.get(), loop.timer_.get(), EPOLLIN, Tag::Timer))
        return failed("a timer");
    loop.clock_ = FileDescriptor(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!loop.clock_.is_open() || !await_clock_step(loop.clock_.get()) ||
        !add(loop.epoll_.get(), loop.clock_.get(), EPOLLIN, Tag::Clock))
        return failed("a timer");
    return loop;
}

Result<void> EventLoop::watch_ring(int ring_fd)
{
    ring_fd_ = ring_fd;
    if (!add(epoll_.get(), ring_fd, EPOLLONESHOT, Tag::Ring)) // armed in wait()
        return failed("reading the ring buffer");
    return {};
}

Result<void> EventLoop::watch_output(int output_fd)
{
    // No events asked for: EPOLLERR and EPOLLHUP are always told. A file is refused (EPERM), and needs no watching.
    if (!add(epoll_.get(), output_fd, 0, Tag::Output) && errno != EPERM)
        return failed("watching the output");
    return {};
}

Result<bool> EventLoop::watch_input(int input_fd)
{
    if (add(epoll_.get(), input_fd, EPOLLIN, Tag::Input))
        return true;
    if (errno != EPERM)
        return failed("watching the input");
    return false;
}

Result<void> EventLoop::watch_sweeper(int sweeper_fd)
{
    if (!add(epoll_.get(), sweeper_fd, EPOLLIN, Tag::Sweeper))
        return failed("looking at the sockets");
    return {};
}

Result<void> EventLoop::watch_terminal_signals()
{
    terminal_signals_ = await_signals({SIGWINCH, SIGTSTP, SIGCONT});
    if (!terminal_signals_.is_open() || !add(epoll_.get(), terminal_signals_.get(), EPOLLIN, Tag::TerminalSignals))
        return failed("signals");
    return {};
}

EventLoop::Wake EventLoop::wait(bool awake, std::optional<std::uint64_t> deadline_ns)
{
    // One-shot: while the batch collects, the ring must not wake us. Arming looks at the ring once more, so nothing
    // that came in between is overlooked.
    if (awake) {
        start_timer();
    } else if (ring_fd_ >= 0 && !ring_armed_ && !timer_running_) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLONESHOT;
        event.data.u32 = static_cast<std::uint32_t>(Tag::Ring);
        ring_armed_ = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, ring_fd_, &event) == 0;
    }
    for (;;) {
        epoll_event event{};
        int count = epoll_wait(epoll_.get(), &event, 1, milliseconds_until(deadline_ns));
        if (count == 0 && deadline_ns && boot_now_ns() >= *deadline_ns)
            return Wake::Deadline;
        if (count < 1)
            continue;
        switch (static_cast<Tag>(event.data.u32)) {
        case Tag::Ring:
            ring_armed_ = false;
            start_timer();
            break;
        case Tag::Timer:
            acknowledge(timer_.get());
            timer_running_ = false;
            return Wake::Batch;
        case Tag::Clock:
            acknowledge(clock_.get());
            await_clock_step(clock_.get());
            return Wake::ClockStep;
        case Tag::Signals: return Wake::Signal;
        case Tag::Children: acknowledge_signal(children_.get()); return Wake::ChildEnded;
        case Tag::TerminalSignals:
            switch (acknowledge_signal(terminal_signals_.get())) {
            case SIGWINCH: return Wake::Resized;
            case SIGTSTP: return Wake::Suspend;
            case SIGCONT: return Wake::Continued;
            default: break;
            }
            break;
        case Tag::Output: return Wake::OutputClosed;
        case Tag::Input: return Wake::Input;
        case Tag::Sweeper: return Wake::Look;
        }
    }
}

void EventLoop::start_timer()
{
    if (timer_running_)
        return;
    constexpr long ns_per_ms = 1'000'000;
    itimerspec once{};
    once.it_value.tv_nsec = batch_ms * ns_per_ms;
    timer_running_ = timerfd_settime(timer_.get(), 0, &once, nullptr) == 0;
}

} // namespace tcpflight

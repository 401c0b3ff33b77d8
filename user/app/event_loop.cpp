#include "app/event_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <limits>

namespace tcpflight {
namespace {

enum class Tag : std::uint32_t { Ring, Signals, Timer, Clock, Output };

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

} // namespace

Result<EventLoop> EventLoop::create()
{
    EventLoop loop;
    loop.epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
    if (!loop.epoll_.is_open())
        return failed("the event loop");

    sigset_t signals;
    sigemptyset(&signals);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    loop.signals_ = FileDescriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!loop.signals_.is_open() || !add(loop.epoll_.get(), loop.signals_.get(), EPOLLIN, Tag::Signals))
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

Result<void> EventLoop::watch(int ring_fd, int output_fd)
{
    ring_fd_ = ring_fd;
    if (!add(epoll_.get(), ring_fd, EPOLLONESHOT, Tag::Ring)) // armed in wait()
        return failed("reading the ring buffer");
    // No events asked for: EPOLLERR and EPOLLHUP are always told. A file is refused (EPERM), and needs no watching.
    if (!add(epoll_.get(), output_fd, 0, Tag::Output) && errno != EPERM)
        return failed("watching the output");
    return {};
}

EventLoop::Wake EventLoop::wait(bool awake)
{
    // One-shot: while the batch collects, the ring must not wake us. Arming looks at the ring once more, so nothing
    // that came in between is overlooked.
    if (awake) {
        start_timer();
    } else if (!ring_armed_ && !timer_running_) {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLONESHOT;
        event.data.u32 = static_cast<std::uint32_t>(Tag::Ring);
        ring_armed_ = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, ring_fd_, &event) == 0;
    }
    for (;;) {
        epoll_event event{};
        if (epoll_wait(epoll_.get(), &event, 1, -1) < 1)
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
        case Tag::Output: return Wake::OutputClosed;
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

#include "support/actor.h"

#include "model/clock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tcpflight::test {
namespace {

constexpr int step_deadline_ms = 20'000;

enum class Op : std::uint8_t {
    Listen,
    Bind,
    Accept,
    Connect,
    Send,
    Fill,
    Receive,
    Shutdown,
    Close,
    Linger0,
    Keepalive,
    UserTimeout,
    FastOpen,
    ConnectWithData,
    Churn,
    Serve,
    Fork,
    AcceptInThread,
    Give,
    Take
};

[[noreturn]] void fail(const std::string &what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

const sockaddr *generic(const SocketAddress &address)
{
    return reinterpret_cast<const sockaddr *>(&address.storage);
}

sockaddr *generic(SocketAddress &address)
{
    address.size = sizeof(address.storage);
    return reinterpret_cast<sockaddr *>(&address.storage);
}

int new_socket(const SocketAddress &address)
{
    int fd = socket(address.storage.ss_family, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

// The rest of the stream, or `limit` bytes of it.
ssize_t receive_up_to(int fd, std::size_t limit)
{
    std::array<char, 16384> buffer{};
    std::size_t got = 0;
    while (got < limit) {
        ssize_t size = recv(fd, buffer.data(), std::min(buffer.size(), limit - got), 0);
        if (size < 0)
            return -1;
        if (size == 0)
            break;
        got += static_cast<std::size_t>(size);
    }
    return static_cast<ssize_t>(got);
}

ssize_t send_all(int fd, std::size_t bytes)
{
    std::array<char, 16384> buffer{};
    buffer.fill('x');
    std::size_t sent = 0;
    while (sent < bytes) {
        ssize_t size = ::send(fd, buffer.data(), std::min(buffer.size(), bytes - sent), MSG_NOSIGNAL);
        if (size < 0)
            return -1;
        sent += static_cast<std::size_t>(size);
    }
    return static_cast<ssize_t>(sent);
}

// Connects too, with the data in the SYN where the two ends allow it.
ssize_t send_first(int fd, std::size_t bytes, const SocketAddress &to)
{
    const std::vector<char> data(bytes, 'x');
    return ::sendto(fd, data.data(), data.size(), MSG_FASTOPEN | MSG_NOSIGNAL, generic(to), to.size);
}

// Returns how many bytes found room.
ssize_t fill_up(int fd)
{
    std::array<char, 16384> buffer{};
    ssize_t sent = 0;
    while (true) {
        ssize_t size = ::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0)
            return errno == EAGAIN ? sent : -1;
        sent += size;
    }
}

// Returns how many connections came to be.
std::int64_t churn(const SocketAddress &to, std::size_t count, std::uint64_t pause_us, std::size_t refused_every)
{
    const SocketAddress nobody = to.with_port(1);
    std::int64_t made = 0;
    for (std::size_t i = 1; i <= count; ++i) {
        if (pause_us)
            usleep(static_cast<useconds_t>(pause_us));
        const bool refused = refused_every && i % refused_every == 0;
        const SocketAddress &target = refused ? nobody : to;
        int fd = new_socket(target);
        if (::connect(fd, generic(target), target.size) == 0) {
            receive_up_to(fd, SIZE_MAX);
            ++made;
        }
        ::close(fd);
    }
    return made;
}

std::int64_t serve(int listener, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        int fd = ::accept(listener, nullptr, nullptr);
        if (fd < 0)
            return -1;
        ::close(fd);
    }
    return static_cast<std::int64_t>(count);
}

} // namespace

struct Actor::Request {
    Op op = Op::Close;
    int fd = -1; // -1 in Connect: with a new socket
    std::uint64_t size = 0;
    std::uint64_t pause_us = 0;
    std::uint64_t every = 0;
    bool shared = false;
    SocketAddress address{};
    std::array<char, 16> name{};
};

struct Actor::Reply {
    Step step;
    int fd = -1;
    SocketAddress local;
    SocketAddress remote;
    pid_t tid = -1;
};

namespace {

void set_name(const char *name)
{
    prctl(PR_SET_NAME, name);
}

std::array<char, 16> as_comm(const std::string &name)
{
    std::array<char, 16> comm{};
    if (name.size() >= comm.size())
        throw std::invalid_argument("comm longer than 15 bytes: " + name);
    std::copy(name.begin(), name.end(), comm.begin());
    return comm;
}

std::pair<Fd, Fd> control_pair()
{
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        fail("socketpair");
    return {Fd(ends[0]), Fd(ends[1])};
}

// The descriptor travels in the message's ancillary data (SCM_RIGHTS, unix(7)).
void send_message(int control, const void *data, std::size_t size, int descriptor)
{
    iovec part{const_cast<void *>(data), size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
        message.msg_control = ancillary.data();
        message.msg_controllen = ancillary.size();
        cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    if (sendmsg(control, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(size))
        fail("message to an actor");
}

// Returns the bytes received; `descriptor` is -1 if none came along.
ssize_t receive_message(int control, void *data, std::size_t size, int &descriptor)
{
    iovec part{data, size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> ancillary{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.data();
    message.msg_controllen = ancillary.size();
    ssize_t received = recvmsg(control, &message, 0);
    descriptor = -1;
    if (cmsghdr *header = received > 0 ? CMSG_FIRSTHDR(&message) : nullptr)
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
    return received;
}

bool enter_cgroup(const std::string &folder)
{
    // "0" is the one that writes.
    const Fd file(open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    return file.is_open() && write(file.get(), "0", 1) == 1;
}

} // namespace

[[noreturn]] void Actor::serve_requests(int control)
{
    Request request;
    int passed = -1;
    while (receive_message(control, &request, sizeof(request), passed) == static_cast<ssize_t>(sizeof(request))) {
        Reply reply;
        reply.fd = request.fd;
        std::int64_t result = 0;
        const bool makes_socket = request.op == Op::Listen || request.op == Op::Bind || request.op == Op::Connect ||
                                  request.op == Op::ConnectWithData;
        if (makes_socket && reply.fd < 0)
            reply.fd = new_socket(request.address);

        reply.step.begin_ns = boot_now_ns();
        switch (request.op) {
        case Op::Listen:
            if (const int on = 1; request.shared)
                setsockopt(reply.fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
            result = ::bind(reply.fd, generic(request.address), request.address.size);
            if (result == 0)
                result = ::listen(reply.fd, SOMAXCONN);
            break;
        case Op::Bind: result = ::bind(reply.fd, generic(request.address), request.address.size); break;
        case Op::Connect: result = ::connect(reply.fd, generic(request.address), request.address.size); break;
        case Op::Accept: result = reply.fd = ::accept(request.fd, nullptr, nullptr); break;
        case Op::Send: result = send_all(request.fd, request.size); break;
        case Op::Fill: result = fill_up(request.fd); break;
        case Op::Receive: result = receive_up_to(request.fd, request.size); break;
        case Op::Shutdown: result = ::shutdown(request.fd, SHUT_WR); break;
        case Op::Close: result = ::close(request.fd); break;
        case Op::UserTimeout: {
            const auto limit_ms = static_cast<unsigned>(request.size);
            result = setsockopt(request.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
            break;
        }
        case Op::Keepalive: {
            int on = 1;
            result = setsockopt(request.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
            break;
        }
        case Op::FastOpen: {
            int waiting = 16;
            result = setsockopt(request.fd, IPPROTO_TCP, TCP_FASTOPEN, &waiting, sizeof(waiting));
            break;
        }
        case Op::ConnectWithData: result = send_first(reply.fd, request.size, request.address); break;
        case Op::Linger0: {
            linger value{1, 0};
            result = setsockopt(request.fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value));
            break;
        }
        case Op::Churn: result = churn(request.address, request.size, request.pause_us, request.every); break;
        case Op::Serve: result = serve(request.fd, request.size); break;
        case Op::Fork:
            result = ::fork();
            if (result == 0) {
                ::close(control);
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                set_name(request.name.data());
                serve_requests(passed);
            }
            ::close(passed);
            break;
        case Op::AcceptInThread: {
            int error = 0; // each thread has its own
            std::thread([&] {
                reply.tid = gettid();
                result = reply.fd = ::accept(request.fd, nullptr, nullptr);
                error = errno;
            }).join();
            errno = error;
            break;
        }
        case Op::Give: break;
        case Op::Take: result = reply.fd = passed; break;
        }
        reply.step.error = result < 0 ? errno : 0;
        reply.step.end_ns = boot_now_ns();
        reply.step.result = result;
        if (makes_socket || request.op == Op::Accept || request.op == Op::AcceptInThread || request.op == Op::Take) {
            getsockname(reply.fd, generic(reply.local), &reply.local.size);
            if (getpeername(reply.fd, generic(reply.remote), &reply.remote.size) != 0)
                reply.remote = request.address;
        }
        send_message(control, &reply, sizeof(reply), request.op == Op::Give ? request.fd : -1);
    }
    _exit(0);
}

Actor::Actor(const std::string &name, const ActorPlace &place) : name_(name)
{
    const std::array<char, 16> comm = as_comm(name);
    auto [ours, theirs] = control_pair();
    // As fork(2), but in another namespace.
    const long flags = SIGCHLD | (place.own_pid_namespace ? CLONE_NEWPID : 0);
    pid_ = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
    if (pid_ < 0)
        fail("clone");
    if (pid_ == 0) {
        if (!place.cgroup.empty() && !enter_cgroup(place.cgroup))
            _exit(1);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        set_name(comm.data());
        // Nothing of the test's: a pipe of the tracer's held open here would never show its end.
        constexpr int control = 3;
        dup2(theirs.get(), control);
        close_range(control + 1, ~0U, 0);
        serve_requests(control);
    }
    control_ = std::move(ours);
}

Actor::Actor(Actor &&other) noexcept
    : name_(std::move(other.name_)), pid_(std::exchange(other.pid_, -1)), control_(std::move(other.control_)),
      child_(other.child_)
{
}

Actor::~Actor()
{
    if (pid_ > 0)
        end();
}

void Actor::end()
{
    Fd handle;
    if (!child_)
        handle = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    ::kill(pid_, SIGKILL);
    if (child_) {
        waitpid(pid_, nullptr, 0);
    } else if (handle.is_open()) {
        // Readable when it has ended, also before its parent has reaped it (pidfd_open(2)).
        pollfd waiting{handle.get(), POLLIN, 0};
        poll(&waiting, 1, step_deadline_ms);
    }
    pid_ = -1;
}

void Actor::post(const Request &request)
{
    send_message(control_.get(), &request, sizeof(request), -1);
}

Actor::Reply Actor::collect(int *descriptor)
{
    pollfd waiting{control_.get(), POLLIN, 0};
    if (poll(&waiting, 1, step_deadline_ms) != 1)
        throw std::runtime_error("actor " + name_ + ": a step took too long");
    Reply reply;
    int passed = -1;
    if (receive_message(control_.get(), &reply, sizeof(reply), passed) != static_cast<ssize_t>(sizeof(reply)))
        throw std::runtime_error("actor " + name_ + " has ended");
    if (descriptor != nullptr)
        *descriptor = passed;
    return reply;
}

Actor::Reply Actor::call(const Request &request)
{
    post(request);
    return collect();
}

Step Actor::call_simple(const Request &request)
{
    return call(request).step;
}

ActorSocket Actor::call_socket(const Request &request)
{
    Reply reply = call(request);
    return {reply.fd, reply.local, reply.remote, reply.step};
}

namespace {

// For steps that only fail where the test itself is wrong.
ActorSocket must(ActorSocket socket, const char *what)
{
    if (socket.step.result < 0)
        throw std::system_error(socket.step.error, std::generic_category(), what);
    return socket;
}

} // namespace

ActorSocket Actor::listen(const SocketAddress &address)
{
    return must(call_socket({.op = Op::Listen, .address = address}), "listen");
}

ActorSocket Actor::listen_shared(const SocketAddress &address)
{
    return must(call_socket({.op = Op::Listen, .shared = true, .address = address}), "listen");
}

ActorSocket Actor::bind(const SocketAddress &address)
{
    return must(call_socket({.op = Op::Bind, .address = address}), "bind");
}

ActorSocket Actor::accept(const ActorSocket &listener)
{
    return must(call_socket({.op = Op::Accept, .fd = listener.fd}), "accept");
}

Actor::ThreadSocket Actor::accept_in_thread(const ActorSocket &listener)
{
    Reply reply = call({.op = Op::AcceptInThread, .fd = listener.fd});
    return {must({reply.fd, reply.local, reply.remote, reply.step}, "accept"), reply.tid};
}

ActorSocket Actor::give(const ActorSocket &socket, Actor &taker)
{
    post({.op = Op::Give, .fd = socket.fd});
    int descriptor = -1;
    collect(&descriptor);
    const Fd ours(descriptor);
    const Request request{.op = Op::Take};
    send_message(taker.control_.get(), &request, sizeof(request), ours.get());
    Reply reply = taker.collect();
    return must({reply.fd, reply.local, reply.remote, reply.step}, "take");
}

ActorSocket Actor::connect(const SocketAddress &to)
{
    return call_socket({.op = Op::Connect, .address = to});
}

void Actor::connect(ActorSocket &socket, const SocketAddress &to)
{
    socket = call_socket({.op = Op::Connect, .fd = socket.fd, .address = to});
}

void Actor::begin_connect(const ActorSocket &socket, const SocketAddress &to)
{
    post({.op = Op::Connect, .fd = socket.fd, .address = to});
}

Step Actor::finish()
{
    return collect().step;
}

bool Actor::is_done() const
{
    pollfd waiting{control_.get(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
}

Step Actor::send(const ActorSocket &socket, std::size_t bytes)
{
    return call_simple({.op = Op::Send, .fd = socket.fd, .size = bytes});
}

Step Actor::fill(const ActorSocket &socket)
{
    return call_simple({.op = Op::Fill, .fd = socket.fd});
}

Step Actor::receive(const ActorSocket &socket, std::size_t bytes)
{
    return call_simple({.op = Op::Receive, .fd = socket.fd, .size = bytes});
}

Step Actor::shut_down_writing(const ActorSocket &socket)
{
    return call_simple({.op = Op::Shutdown, .fd = socket.fd});
}

Step Actor::close(const ActorSocket &socket)
{
    return call_simple({.op = Op::Close, .fd = socket.fd});
}

void Actor::set_keepalive(const ActorSocket &socket)
{
    call_simple({.op = Op::Keepalive, .fd = socket.fd});
}

void Actor::set_user_timeout(const ActorSocket &socket, std::chrono::milliseconds limit)
{
    call_simple({.op = Op::UserTimeout, .fd = socket.fd, .size = static_cast<std::uint64_t>(limit.count())});
}

void Actor::allow_fast_open(const ActorSocket &listener)
{
    call_simple({.op = Op::FastOpen, .fd = listener.fd});
}

ActorSocket Actor::connect_with_data(const SocketAddress &to, std::size_t bytes)
{
    return call_socket({.op = Op::ConnectWithData, .size = bytes, .address = to});
}

void Actor::begin_connect_with_data(const ActorSocket &socket, const SocketAddress &to, std::size_t bytes)
{
    post({.op = Op::ConnectWithData, .fd = socket.fd, .size = bytes, .address = to});
}

void Actor::set_linger_0(const ActorSocket &socket)
{
    call_simple({.op = Op::Linger0, .fd = socket.fd});
}

void Actor::begin_churn(const SocketAddress &to, std::size_t count, std::chrono::microseconds pause,
                        std::size_t refused_every)
{
    post({.op = Op::Churn,
          .size = count,
          .pause_us = static_cast<std::uint64_t>(pause.count()),
          .every = refused_every,
          .address = to});
}

void Actor::begin_serve(const ActorSocket &listener, std::size_t count)
{
    post({.op = Op::Serve, .fd = listener.fd, .size = count});
}

Actor Actor::fork(const std::string &name)
{
    auto [ours, theirs] = control_pair();
    const Request request{.op = Op::Fork, .name = as_comm(name)};
    send_message(control_.get(), &request, sizeof(request), theirs.get());
    theirs.reset();
    const Reply reply = collect();
    if (reply.step.result < 0)
        throw std::system_error(reply.step.error, std::generic_category(), "fork");
    Actor actor(name, static_cast<pid_t>(reply.step.result), std::move(ours));
    actor.child_ = false;
    return actor;
}

Step Actor::kill()
{
    Step step;
    step.begin_ns = boot_now_ns();
    end();
    step.end_ns = boot_now_ns();
    step.result = 0;
    return step;
}

} // namespace tcpflight::test

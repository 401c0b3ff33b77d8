// A process that owns sockets and does as it is told: the scenarios' clients and servers.
#pragma once

#include "support/address.h"
#include "support/process.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <utility>

namespace tcpflight::test {

// What a step came to, and when (CLOCK_BOOTTIME, nanoseconds): the kernel's own events lie between the two times.
struct Step {
    std::int64_t result = -1; // as the system call returned it
    int error = 0;            // errno where result is -1
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
};

// A socket in an actor, and the ends it had when the step that made it was done.
struct ActorSocket {
    int fd = -1;
    SocketAddress local;
    SocketAddress remote;
    Step step;
};

// Where an actor is to be.
struct ActorPlace {
    bool own_pid_namespace = false; // in which it is process 1
    std::string cgroup;             // a folder that is there; empty: where this process is
};

// Steps run in the actor's process, one after the other; each call returns when its step is done, unless it is a
// begin_...(), which returns at once. A step that takes longer than 20 seconds throws. The process ends with its Actor.
class Actor {
public:
    // `name` becomes the process's comm, at most 15 bytes.
    explicit Actor(const std::string &name, const ActorPlace &place = {});
    Actor(Actor &&) noexcept;
    Actor(const Actor &) = delete;
    Actor &operator=(const Actor &) = delete;
    Actor &operator=(Actor &&) = delete;
    ~Actor();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] const std::string &name() const { return name_; }

    // socket, bind, listen. Port 0: the kernel chooses.
    ActorSocket listen(const SocketAddress &address);
    // The same with SO_REUSEPORT: others may listen there too, and each gets some of the connections.
    ActorSocket listen_shared(const SocketAddress &address);
    // socket, bind: a client's port chosen beforehand, so that a packet rule can name it.
    ActorSocket bind(const SocketAddress &address);
    ActorSocket accept(const ActorSocket &listener);
    // In a thread of its own, whose number is returned with it. The thread has ended then.
    struct ThreadSocket {
        ActorSocket socket;
        pid_t tid = -1;
    };
    ThreadSocket accept_in_thread(const ActorSocket &listener);

    // With a new socket, or again with one that is there (`local` is refreshed, also where connecting failed).
    ActorSocket connect(const SocketAddress &to);
    void connect(ActorSocket &socket, const SocketAddress &to);
    // Asynchronously: packets may be withheld for the time being.
    void begin_connect(const ActorSocket &socket, const SocketAddress &to);
    Step finish();
    // Would finish() return at once?
    [[nodiscard]] bool is_done() const;

    Step send(const ActorSocket &socket, std::size_t bytes);
    // As much as there is room for at once; the result is how much.
    Step fill(const ActorSocket &socket);
    // Reads until `bytes` are there or the peer has closed; the result is how many came.
    Step receive(const ActorSocket &socket, std::size_t bytes = SIZE_MAX);
    Step shut_down_writing(const ActorSocket &socket);
    Step close(const ActorSocket &socket);
    // close(2) will send RST instead of FIN.
    void set_linger_0(const ActorSocket &socket);
    // SO_KEEPALIVE, with the times of the namespace (net.ipv4.tcp_keepalive_*).
    void set_keepalive(const ActorSocket &socket);
    // TCP_USER_TIMEOUT (tcp(7)).
    void set_user_timeout(const ActorSocket &socket, std::chrono::milliseconds limit);
    // TCP Fast Open (RFC 7413): the listener takes data with the SYN; and a client that sends some with it, if it has
    // been given a cookie by an earlier connection (net.ipv4.tcp_fastopen). The result is how many bytes were taken.
    void allow_fast_open(const ActorSocket &listener);
    ActorSocket connect_with_data(const SocketAddress &to, std::size_t bytes);
    void begin_connect_with_data(const ActorSocket &socket, const SocketAddress &to, std::size_t bytes);

    // `count` connections one after the other: connect, wait until the peer has closed, close; `pause` before each.
    // Every `refused_every`th (0: none) goes to port 1, where nobody listens.
    void begin_churn(const SocketAddress &to, std::size_t count, std::chrono::microseconds pause = {},
                     std::size_t refused_every = 0);
    // The other end: `count` times accept and close.
    void begin_serve(const ActorSocket &listener, std::size_t count);

    // The same socket, now open in `taker` too (SCM_RIGHTS, unix(7)).
    ActorSocket give(const ActorSocket &socket, Actor &taker);

    // A child process with all sockets of this one, which keeps them open too.
    Actor fork(const std::string &name);

    // SIGKILL: the kernel closes the sockets. Returns when they are closed.
    Step kill();

private:
    struct Request;
    struct Reply;

    Actor(const std::string &name, pid_t pid, Fd control) : name_(name), pid_(pid), control_(std::move(control)) {}
    [[noreturn]] static void serve_requests(int control);
    void end(); // returns when the process is gone and the sockets that it alone had are closed
    void post(const Request &request);
    Reply collect(int *descriptor = nullptr);
    Reply call(const Request &request);
    Step call_simple(const Request &request);
    ActorSocket call_socket(const Request &request);

    std::string name_;
    pid_t pid_ = -1;
    Fd control_;
    bool child_ = true; // of this process, and not of another actor
};

} // namespace tcpflight::test

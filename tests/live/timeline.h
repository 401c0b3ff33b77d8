// What one socket should go through, compared line for line with what tcpflight tells of it.
#pragma once

#include "live/tracer.h"
#include "support/actor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tcpflight::test {

class Timeline {
public:
    // A socket as it is once both ends are known; it begins in `state`.
    static Timeline of_client(const ActorSocket &socket) { return {socket, "CLOSE"}; }
    static Timeline of_child(const ActorSocket &accepted) { return {accepted, "LISTEN"}; }
    static Timeline of_listener(const ActorSocket &listener);
    // The answer to a segment from `remote` to `local`, in `state`, that belongs to no connection.
    static Timeline of_stray_reset(const SocketAddress &local, const SocketAddress &remote, const std::string &state,
                                   const std::string &reason);

    // Who is shown from here on, and how that was learned: "connect", or "inherited|syscall" where it depends on which
    // CPU took the packet.
    Timeline &by(const Actor &owner, std::string sources);

    // The thread of that process that was seen, and where the process is: its number in its own pid namespace (0: that
    // is the initial one) and its container.
    Timeline &in_thread(pid_t tid);
    Timeline &inside(std::uint32_t inner_pid, const std::string &container);

    // The next state.
    Timeline &to(std::string state) { return to(std::move(state), {}); }
    // ... which it entered during `step`.
    Timeline &to(std::string state, const Step &step);
    // The socket is gone, and the connection goes on in this state: "TIME_WAIT", or "FIN_WAIT2|TIME_WAIT" where it
    // depends on which end was faster; "CLOSE" among them: it may also not go on.
    Timeline &leaves(const std::string &states, const Step &step = {});
    // The last change came with this error ("ECONNREFUSED").
    Timeline &with_error(std::string error);

    // `at_least` retransmissions of one segment: tcpdump's letters of its flags, its payload. They are numbered #1, #2
    // and so on, across states.
    Timeline &retransmits(std::string flags, std::size_t at_least, std::uint32_t length = 0, std::uint32_t offset = 0);

    // A RST in this state, or, after > CLOSE, in the one before. `reason` as in JSON, perhaps
    // one of several ("linger_0|disconnected"); empty: none is told.
    Timeline &sends_reset(const std::string &reason) { return resets("sent", reason); }
    Timeline &receives_reset() { return resets("received", {}); }

    // accept(2) by `owner`, who is shown from here on.
    Timeline &accepted(const Actor &owner, const Step &step = {});
    // The same by whom by() has named, with what was said of him since.
    Timeline &accepted_here(const Step &step = {});

    // The socket's next life, with another port: connect(2) again after it had failed.
    Timeline &again_as(const ActorSocket &socket);

    [[nodiscard]] std::size_t minimum() const;
    // Made by of_stray_reset()?
    [[nodiscard]] bool is_stray() const { return stray_; }

    // As it should look, given how often `actual` has what may recur or differ.
    [[nodiscard]] std::string expected(const std::vector<TraceEvent> &actual) const;
    // What `actual` says of times that cannot be: empty if nothing.
    [[nodiscard]] std::string objections_to_times(const std::vector<TraceEvent> &actual) const;

private:
    struct Item {
        std::string ends;         // "ipv4 127.0.0.1.1 > 127.0.0.1.2"
        std::string from;         // state; of a retransmission, the only one
        std::string to;           // empty: retransmissions, accepted, or a reset
        std::string detail;       // error, the segment, or which way the reset went and in which state
        std::string reasons = {}; // of a reset
        bool is_reset = false;
        bool is_left = false; // `to`, perhaps one of several, without a socket
        std::size_t at_least = 1;
        std::string owner; // "name[pid]"
        std::string place; // ", thread 12, inner pid 1, container ..."
        std::string sources;
        Step during;
    };

    Timeline(const ActorSocket &socket, std::string state);
    void set_ends(const ActorSocket &socket);
    Timeline &resets(const std::string &direction, const std::string &reason);

    std::string ends_;
    std::string state_;
    std::string owner_;
    std::string place_;
    std::string sources_;
    std::vector<Item> items_;
    bool stray_ = false;
};

// Where programs can hang on functions, a child begins with its SYN.
bool is_syn_received(const TraceEvent &event);

// An event as Timeline::expected() has it.
std::string summary(const TraceEvent &event);

// The events of each connection ("conn"), in order; connections in the order of their first event. What has no
// connection is by itself.
std::vector<std::vector<TraceEvent>> by_connection(const std::vector<TraceEvent> &events);

// Waits until all of this must be there, stops the tracer, and fails the test unless the events seen are these
// timelines, whole, in order, with plausible times, and nothing else.
Totals expect_exactly(Tracer &tracer, const std::vector<Timeline> &timelines);

} // namespace tcpflight::test

// What the sinks are told: one thing that happened to one connection, complete with the connection's identity.
#pragma once

#include "model/cgroup.h"
#include "model/congestion.h"
#include "model/endpoint.h"
#include "model/handshake.h"
#include "model/holder.h"
#include "model/probe.h"
#include "model/reset.h"
#include "model/shared.h"
#include "model/socket_status.h"
#include "model/tcp_state.h"
#include "model/time_out.h"
#include "model/verdict.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace tcpflight {

// How the owner was learned (enum tf_owner_source in records.h).
enum class OwnerSource : std::uint8_t { Unknown, Inherited, Listen, Connect, Syscall, Accept, Snapshot };

// "unknown", "inherited", "listen", "connect", "syscall", "accept", "snapshot".
std::string_view name(OwnerSource source);

using CommName = std::array<char, 16>;

// Not std::array's own comparison, which calls memcmp(): lines are compared with the ones before by it.
inline bool is_same(const CommName &a, const CommName &b)
{
    using Words = std::array<std::uint64_t, 2>;
    return std::bit_cast<Words>(a) == std::bit_cast<Words>(b);
}

// The process that owns the socket.
struct Owner {
    std::uint32_t pid = 0; // the process (thread group), in the initial pid namespace; 0: not known
    std::uint32_t tid = 0; // the thread that was seen
    OwnerSource source = OwnerSource::Unknown;
    CommName comm{};             // NUL-terminated unless all 16 are used; untrusted: escape before printing
    std::uint32_t inner_pid = 0; // the process as its own pid namespace numbers it; 0: that is the initial one
    CgroupKey cgroup{};          // where it is; id 0: in the socket's cgroup

    [[nodiscard]] bool is_known() const { return source != OwnerSource::Unknown; }
    [[nodiscard]] std::string_view comm_view() const;
    bool operator==(const Owner &) const = default;
};

// Nobody has this number: (uid_t)-1 of setresuid(2).
constexpr std::uint32_t unknown_uid = 0xffffffff;

struct Identity {
    Endpoint local; // the side of the socket that this is about
    Endpoint remote;
    Family family = Family::IPv4; // on the wire: v4-mapped connections of an IPv6 socket are IPv4
    std::uint32_t netns = 0;      // inode number of the network namespace
    std::uint32_t uid = unknown_uid;
    std::uint64_t cgroup = 0; // id of the socket's cgroup (v2); 0: not known
    Owner owner;
    Shared<Cgroup> where; // what is known of cgroup_key(); null: nothing

    // The owner's cgroup, or, where that is not known, the socket's.
    [[nodiscard]] CgroupKey cgroup_key() const
    {
        return owner.cgroup.id != 0 ? owner.cgroup : CgroupKey{.id = cgroup, .hierarchy = 0};
    }
    // Empty: not known; or, of the container, none. Untrusted.
    [[nodiscard]] std::string_view cgroup_path() const { return where ? where->path : std::string_view{}; }
    [[nodiscard]] std::string_view container() const { return where ? where->container : std::string_view{}; }
    bool operator==(const Identity &) const = default;
};

// The sender's state. Times in microseconds, 0: not known; queues in bytes, windows in segments.
struct Metrics {
    std::uint32_t rtt_us = 0;
    std::uint32_t rttvar_us = 0;
    std::uint32_t rto_us = 0;
    std::uint32_t cwnd = 0;
    std::uint32_t ssthresh = 0; // 0x7fffffff (TCP_INFINITE_SSTHRESH): not reached yet
    std::uint32_t send_queue = 0;
    std::uint32_t recv_queue = 0; // of a listener: connections not accepted yet
    std::uint32_t in_flight = 0;
};

constexpr std::uint32_t infinite_ssthresh = 0x7fffffff;

// Why what the kernel keeps in the place of a socket ended (enum tf_gone_reason in records.h).
enum class EndReason : std::uint8_t { Unknown, Timer, Syn, Connect, Reset, Killed, Namespace };

// For programs: "timer", "syn", "connect", "reset", "killed", "netns"; Unknown has no name.
std::string_view name(EndReason reason);
// For people: "timer", "new SYN", "connect", "reset", "killed", "namespace gone".
std::string_view describe(EndReason reason);

// What a socket carried in its life, as the kernel counts and `ss -i` shows: SYN and FIN can be among it, as one byte
// each.
struct ByteCounts {
    std::uint64_t acked = 0;    // sent, and acknowledged by the other end
    std::uint64_t received = 0; // in order
};

// How that went, in segments, as the kernel counts: those that were sent again are sent twice.
struct Traffic {
    std::uint32_t sent = 0; // SYNs and pure ACKs too
    std::uint32_t received = 0;
    std::uint32_t data_sent = 0; // with payload
    std::uint32_t data_received = 0;
    std::uint32_t retransmitted = 0;
    std::uint64_t bytes_retransmitted = 0; // payload
    std::uint32_t rtt_us = 0;              // smoothed; 0: not measured
    std::uint32_t min_rtt_us = 0;          // of the last five minutes (net.ipv4.tcp_min_rtt_wlen); likewise
    std::uint32_t cwnd = 0;                // segments
};

// The end of TIME_WAIT, or of FIN_WAIT2 without a process.
struct TimeWaitEnd {
    EndReason reason = EndReason::Unknown;
    // Where nobody saw it go, it had been in its state for no longer than this when it went; none where it is not known
    // either, or where the duration is.
    std::optional<std::uint64_t> at_most_ns;
};

struct StateChange {
    // Not `= default`, with which all of it would be zeroed first, also what an empty std::optional does not look at:
    // for each event that is a third of what making it costs.
    StateChange() {} // NOLINT(modernize-use-equals-default)

    TcpState from = TcpState::Close;
    TcpState to = TcpState::Close;
    // Time spent in `from`, nanoseconds between kernel timestamps of this socket; none where its begin was not seen.
    std::optional<std::uint64_t> duration_ns;
    // Where that is not known, it was at least this long: watched in `from`, or there when it was looked for last; none
    // otherwise.
    std::optional<std::uint64_t> at_least_ns;
    // The socket is gone, and this is about a smaller thing that the kernel keeps in its place. It is in `to`:
    // TimeWait, or FinWait2 if its process closed it and the other end has not; or Close, see `end`.
    bool time_wait_socket = false;
    // It had taken the socket's place before: for the connection that was, nothing changes any more.
    bool afterwards = false;
    std::uint16_t error = 0;                // sk_err, an errno; 0: none
    TimedOut timed_out = TimedOut::Unknown; // with ETIMEDOUT: what did
    // Was it for TCP_USER_TIMEOUT? None: not known. Of window probes it is known only if none was set.
    std::optional<bool> by_user_timeout;
    // At ESTABLISHED of a socket that came of a SYN: how long its handshake was in the listener's SYN queue, from the
    // SYN (or the SYN-ACK, which follows at once) until the ACK. None: not known.
    std::optional<std::uint64_t> syn_queue_ns;
    std::optional<Metrics> metrics;
    std::optional<ByteCounts> bytes; // the socket has ended; none otherwise, or if it is not known
    std::optional<Traffic> traffic;  // likewise
    std::optional<TimeWaitEnd> end;  // `to` is Close, and what took the socket's place is gone
};

// Why a segment went again.
enum class RetransmitKind : std::uint8_t {
    Unknown,
    Timeout,  // the retransmission time-out expired (RFC 6298)
    Probe,    // tail loss probe: nothing came back for two round trips (RFC 8985 section 7)
    Fast,     // later segments were acknowledged (RFC 5681 section 3.2)
    Recovery, // after a time-out, with what else had been lost
};

// For programs: "timeout", "probe", "fast", "recovery", "unknown".
std::string_view name(RetransmitKind kind);

struct Retransmit {
    TcpState state = TcpState::Established;
    std::uint16_t flags = 0;  // TCP header flags of the segment (RFC 9293 section 3.1)
    std::uint32_t length = 0; // payload bytes: SYN and FIN not counted
    std::uint32_t offset =
        0; // payload bytes before it, modulo 2^32; one too many if we connected and that was not seen
    std::uint32_t attempt = 0; // 1 for the first retransmission of this segment that was seen
    RetransmitKind kind = RetransmitKind::Unknown;
    std::uint32_t timeouts = 0; // consecutive time-outs, this one included
    // At least so many time-outs between the last event of the connection and this one, of which no retransmission was
    // seen: the kernel could not send it, or did not run the program that tells of it.
    std::uint32_t unseen = 0;
    std::uint32_t backoff = 0; // doublings of the time-out
    // Since the other end acknowledged anything, or since there was anything to acknowledge. None: not known.
    std::optional<std::uint64_t> silent_ns;
    // Until the kernel gives up and ends the connection, about; of a time-out only.
    std::optional<std::uint64_t> gives_up_ns;
    std::uint64_t user_timeout_ns = 0; // TCP_USER_TIMEOUT; 0: none
    std::uint32_t total = 0;           // segments retransmitted in the connection's life, as the kernel counts
    std::uint32_t sent = 0;            // segments sent in its life, this one included; 0: not known
    std::uint16_t send_error = 0;      // errno with which sending failed; 0: it was sent
    Metrics metrics;
};

struct CongestionChange {
    TcpState state = TcpState::Established;
    CongestionState from = CongestionState::Open;
    CongestionState to = CongestionState::Open;
    Metrics metrics;
};

// accept(2) gave the connection to a process: the identity's owner.
struct Accept {
    TcpState state = TcpState::Established; // CLOSE_WAIT or CLOSE if the other end was faster
    // Time in the listener's accept queue: from ESTABLISHED until accept returned. None where the begin was not seen.
    std::optional<std::uint64_t> queued_ns;
};

// A socket that was there when it was looked for; nothing happened to it.
struct Found {
    TcpState state = TcpState::Established;
    bool time_wait_socket = false; // a smaller thing that the kernel keeps in the socket's place
    // It is known, and was found again, waiting for its process or for the other end: for verdicts, and not shown.
    bool waits = false;
    std::uint16_t error = 0; // sk_err
    SocketStatus status;
    std::optional<Metrics> metrics;
    // Who has it open, one for each descriptor; none: it was not asked. Valid during the call.
    std::optional<std::span<const Holder>> holders;
};

// A socket that is not there any more, though no event told of its end.
struct Gone {
    TcpState state = TcpState::Established; // when there was a sign of it last
    std::uint64_t unseen_ns = 0;            // since then
};

enum class LossReason : std::uint8_t { RingFull, Nested, DiskFull, Damaged };

// "ring buffer full", "program interrupted by itself", "disk full", "recording damaged".
std::string_view describe(LossReason reason);

// Events are missing before this point of the stream.
struct Lost {
    std::uint64_t count = 0;
    LossReason reason = LossReason::RingFull;
    std::optional<std::uint32_t> cpu; // none: not known
};

struct Event {
    Event() {} // NOLINT(modernize-use-equals-default): see StateChange

    std::uint64_t time_ns = 0;    // CLOCK_BOOTTIME of the kernel
    std::uint64_t connection = 0; // the socket's cookie; 0 for Lost, and where there is no connection
    // Null for Lost, and for a connection whose identity was forgotten. Valid only until the next event.
    const Identity *identity = nullptr;
    // Something was or may have been lost in this connection's timeline before this event.
    bool incomplete = false;
    // The first event of its connection that is marked incomplete.
    bool after_gap = false;
    // The filter's answer for this connection; Lost is always wanted.
    bool wanted = true;
    std::variant<StateChange, Retransmit, Lost, Reset, Found, CongestionChange, Accept, Handshake, ListenQueue, Gone,
                 Probe, Verdict>
        what;
};

// Where a connection lives in the table while it is alive: a number below the table's capacity.
constexpr std::uint32_t no_slot = 0xffffffff;

// Bits of Retransmit::flags.
namespace tcp_flag {
constexpr std::uint16_t fin = 0x01;
constexpr std::uint16_t syn = 0x02;
constexpr std::uint16_t rst = 0x04;
constexpr std::uint16_t psh = 0x08;
constexpr std::uint16_t ack = 0x10;
constexpr std::uint16_t urg = 0x20;
} // namespace tcp_flag

} // namespace tcpflight

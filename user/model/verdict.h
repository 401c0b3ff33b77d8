// What a connection's history means: a name that stays the same, and the evidence in numbers. The rules are in
// diagnose/, one file a family; what each name means is told by diagnose/catalogue.h.
#pragma once

#include "model/reset.h"
#include "model/tcp_state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

enum class VerdictKind : std::uint8_t {
    Orderly,
    HalfClosed,
    ListenerClosed,
    Unclear,
    Refused,
    ConnectCancelled,
    ConnectAbandoned,
    ConnectTimedOut,
    Unreachable,
    HandshakeFailed,
    ResetByPeer,
    ResetByUs,
    AbortedUnread,
    AbortedLinger,
    NotAccepted,
    Killed,
    NoMemory,
    DataTimedOut,
    FinTimedOut,
    KeepaliveTimedOut,
    UserTimedOut,
    ConnectUnanswered,
    HalfOpen,
    CloseWaitHeld,
    FinWaitHeld,
    AcceptStalled,
    ZeroWindow,
    Unread,
    ProbesUnanswered,
    AcceptQueueOverflow,
    SynQueueOverflow,
    SynCookies,
    RetransmissionStorm,
    TimeWaitReused,
    TimeWaitAssassinated,
    PortsRunningOut,
    TimeWaitBuildUp,
    HandshakeUnanswered,
    LossRate,
    RttInflation,
    ConnectionChurn,
    WindowTimedOut,
    PathLoss,
};

constexpr std::size_t verdict_kinds = static_cast<std::size_t>(VerdictKind::PathLoss) + 1;

// In text, in JSON and for `tcpflight explain`: "half-open". Never changed and never used again for something else.
std::string_view name(VerdictKind kind);

// None: it is no verdict's name.
std::optional<VerdictKind> find_verdict(std::string_view name);

enum class Severity : std::uint8_t {
    Normal, // as it should be
    Notice, // it failed, or was cut off; the programs know, and can have meant it
    Alarm,  // something is broken that nobody may have noticed
};

// "normal", "notice", "alarm".
std::string_view name(Severity severity);

Severity severity_of(VerdictKind kind);

enum class Closer : std::uint8_t { Unknown, ThisEnd, OtherEnd, Both };

// "this", "other", "both", "unknown".
std::string_view name(Closer closer);

// What was sent again and again.
enum class Unanswered : std::uint8_t { Nothing, Syn, Data, Fin };

// "nothing", "syn", "data", "fin".
std::string_view name(Unanswered what);

// The other end of the connection, where it is on this host too.
struct OtherEnd {
    std::uint64_t connection = 0;
    TcpState state = TcpState::Close; // Close: it has ended
    std::uint32_t pid = 0;            // of its owner; 0: not known
    std::array<char, 16> comm{};      // NUL-terminated unless all 16 are used; untrusted: escape before printing
};

// Whether the kernel asks the other end of an idle connection for a sign of life.
enum class Keepalive : std::uint8_t { Unknown, Off, On };

struct Verdict {
    VerdictKind kind = VerdictKind::Unclear;
    bool over = false;                // what was said before holds no longer
    bool ended = false;               // the connection has ended: its last verdict
    TcpState state = TcpState::Close; // in which it is, or was before it ended
    Closer closed_first = Closer::Unknown;
    Unanswered unanswered = Unanswered::Nothing;
    ResetReason reason = ResetReason::Unknown;
    Keepalive keepalive = Keepalive::Unknown;
    bool by_somaxconn = false;       // at_most is net.core.somaxconn
    std::uint16_t error = 0;         // errno with which it ended; 0: none
    std::uint32_t kernel_reason = 0; // where the reason is Other
    std::uint32_t times_sent = 0;    // the unanswered segment, the first time included
    std::uint32_t retransmits = 0;   // segments, in all that was seen of it
    std::uint64_t about_ns = 0;      // CLOCK_BOOTTIME of the event that it is about

    // Nanoseconds; 0: not known.
    std::uint64_t lasted_ns = 0;    // since its begin
    std::uint64_t handshake_ns = 0; // from SYN_SENT or SYN_RECV until ESTABLISHED
    std::uint64_t open_ns = 0;      // from ESTABLISHED until the first end closed
    std::uint64_t answer_ns = 0;    // from then on until the second end closed
    std::uint64_t silent_ns = 0;    // so long nothing came back
    std::uint64_t gives_up_ns = 0;  // then the kernel ends it, about; with keepalive, at the latest
    std::uint64_t limit_ns = 0;     // TCP_USER_TIMEOUT
    std::uint64_t waits_ns = 0;     // for its process, or for the other end

    std::uint32_t queued = 0; // bytes that wait: to be read here, or to be sent
    // Connections that are in the same state of affairs, this one included: of its owner, or, of a storm, to its
    // subnet; or that take ports or are in TIME_WAIT; or that were short.
    std::uint32_t alike = 0;
    // Of a listener: SYNs and ACKs that were dropped since it was said last; and how many may wait, or so many ports or
    // TIME_WAITs there can be.
    std::uint32_t dropped = 0;
    std::uint32_t at_most = 0;

    // Of loss: segments that were sent while it was watched (waits_ns), and of these again.
    std::uint32_t segments = 0;
    std::uint32_t repeated = 0;
    std::uint64_t rtt_ns = 0; // smoothed; and the shortest one
    std::uint64_t min_rtt_ns = 0;

    OtherEnd other; // connection 0: not on this host, or not known
};

} // namespace tcpflight

// What the rules need to know of a connection: made from its events, one after the other.
#pragma once

#include "model/event.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace tcpflight {

// How a connection came to be.
enum class Origin : std::uint8_t { Unknown, Outgoing, Incoming, Listener };

// "unknown", "outgoing", "incoming", "listener".
std::string_view name(Origin origin);

// Repetitions of one segment, with nothing but probes in between.
struct Repetition {
    std::uint64_t first_ns = 0; // CLOCK_BOOTTIME of the first and the last one
    std::uint64_t last_ns = 0;
    std::uint64_t silent_ns = 0;   // at the last one; 0: not known
    std::uint64_t gives_up_ns = 0; // from the last one on; 0: not known
    std::uint64_t user_timeout_ns = 0;
    std::uint32_t times = 0; // it was sent again; 0: there is none
    std::uint32_t timeouts = 0;
    std::uint32_t offset = 0;
    Unanswered what = Unanswered::Nothing;
};

// What went again, of all that was sent since the first of it; begun anew after window_ns.
struct LossWindow {
    std::uint64_t begun_ns = 0; // CLOCK_BOOTTIME of the first retransmission; 0: there is none
    std::uint64_t last_ns = 0;
    std::uint32_t sent_before = 0; // segments, in the connection's life
    std::uint32_t total = 0;       // likewise, that were sent again
    std::uint32_t sent = 0;        // in the window, those that were sent again included
    std::uint32_t repeated = 0;    // without what was repeated because nothing at all came back
    std::uint32_t lost = 0;        // likewise, in all that was seen of it

    // Of the window before; 0: there is none, or it ended long ago.
    std::uint32_t sent_then = 0;
    std::uint32_t repeated_then = 0;

    static constexpr std::uint64_t window_ns = 10'000'000'000;

    void add(const Retransmit &retransmit, std::uint64_t time_ns);
};

// The smoothed round-trip time, as far as events tell while the connection lives.
struct Slowness {
    std::uint32_t min_rtt_us = 0;      // 0: not known
    std::uint64_t slow_since_ns = 0;   // since then it has been far longer at each event; 0: it was not
    std::uint32_t timeouts_before = 0; // at the last retransmission

    void add(const Retransmit &retransmit, std::uint64_t handshake_ns);
};

// What a connection without trouble does not need.
struct Trouble {
    Repetition repetition;
    LossWindow loss;
    Slowness slowness;
    std::uint64_t deserted_ns = 0;     // the other end, on this host, was gone, and this one had not been told
    OtherEnd deserted_by;              // that was it
    bool keepalive_told = false;       // whether keepalive will find that
    std::uint64_t half_open_ns = 0;    // when that was said last; 0: never
    std::uint64_t silent_since_ns = 0; // then, since when
    std::uint64_t lossy_ns = 0;        // when that was said last
    std::uint32_t retransmits = 0;
    std::uint64_t alarms = 0; // bits of VerdictKind: those that were raised
    std::uint32_t reset_kernel_reason = 0;
    bool by_user_timeout = false; // it ended because of TCP_USER_TIMEOUT
};

// Times are CLOCK_BOOTTIME in nanoseconds; 0: not seen.
//
// There is one for each connection that is alive, and each event touches it: it fits into a cache line.
struct alignas(64) Story {
    std::uint64_t connection = 0; // 0: there is none
    std::uint64_t begun_ns = 0;   // its first event; of one that was there before, when it was found
    std::uint64_t established_ns = 0;
    std::uint64_t first_fin_ns = 0; // the end that closes first: sent or received here
    std::uint64_t second_fin_ns = 0;
    std::uint64_t ended_ns = 0;
    std::unique_ptr<Trouble> trouble; // null: there was none; see troubles()
    TcpState state = TcpState::Close; // the last one before the end
    Origin origin = Origin::Unknown;
    Closer closed_first = Closer::Unknown;
    ResetReason reset_reason = ResetReason::Unknown; // of the one that was sent
    std::uint16_t error = 0;                         // with which it ended
    TimedOut timed_out = TimedOut::Unknown;          // with ETIMEDOUT: what did
    bool left_time_wait : 1 = false;                 // the kernel keeps a smaller thing in TIME_WAIT
    bool left_orphan : 1 = false;                    // ... in FIN_WAIT2
    bool reset_sent : 1 = false;
    bool reset_received : 1 = false;
    bool whole : 1 = false; // seen from its birth on, and nothing was lost
    bool wanted : 1 = true;
    bool ends_known : 1 = false; // both ports are
    bool accepted : 1 = false;

    [[nodiscard]] bool has_ended() const { return ended_ns != 0; }
    [[nodiscard]] const Trouble &troubles() const;
    [[nodiscard]] const Repetition &repetition() const { return troubles().repetition; }
    Trouble &get_into_trouble();
    // True the first time only, and the first time after it was lowered.
    bool raise(VerdictKind kind);
    void lower(VerdictKind kind);
    [[nodiscard]] bool is_raised(VerdictKind kind) const;

    // The events of this connection in the order of time; those of other kinds are passed over.
    void add(const Event &event);

private:
    void add(const Event &event, const StateChange &change);
    void add(const Event &event, const Retransmit &retransmit);
    void add(const Event &event, const Reset &reset);
    void add(const Event &event, const Found &found);
    void add(const Event &event, const Accept &accept);
    template <typename Other> void add(const Event & /*event*/, const Other & /*other*/) {}

    void enter(const StateChange &change, std::uint64_t time_ns);
};

static_assert(sizeof(Story) == 64);

} // namespace tcpflight

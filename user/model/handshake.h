// Before the socket: handshakes that a listener holds (RFC 9293 section 3.5), and its queues.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

enum class HandshakeStep : std::uint8_t {
    SynReceived,      // and about to be answered
    SynAckRetransmit, // the SYN-ACK was sent again
    NotCompleted,     // it is over, and no connection came of it
};

// For programs: "syn_received", "syn_ack_retransmit", "not_completed".
std::string_view name(HandshakeStep step);

// Why no connection came of it.
enum class HandshakeEnd : std::uint8_t {
    Unknown,   // nothing told of the end: it is over because its time is
    TimedOut,  // the SYN-ACK was sent as often as it may be
    Refused,   // a RST came, an ICMP error, or a segment that made no sense
    NoListener // the listener was closed
};

// For programs: "unknown", "timed_out", "refused", "no_listener".
std::string_view name(HandshakeEnd end);
// For people: "timed out", "refused", "listener closed"; empty: Unknown.
std::string_view describe(HandshakeEnd end);

struct Handshake {
    HandshakeStep step = HandshakeStep::SynReceived;
    HandshakeEnd end = HandshakeEnd::Unknown; // of NotCompleted
    // The client has sent the ACK, but there was no room in the accept queue, or TCP_DEFER_ACCEPT waits for data.
    bool acknowledged = false;
    bool syn_repeated = false; // of SynAckRetransmit: because the SYN came again, and not because of a time-out
    // Retransmissions of the SYN-ACK that were seen, this one included.
    std::uint32_t attempt = 0;
    std::optional<std::uint64_t> rto_ns;       // of SynAckRetransmit: until it is sent once more; none: not known
    std::optional<std::uint64_t> gives_up_ns;  // until the handshake times out if nothing comes
    std::optional<std::uint64_t> since_syn_ns; // since the SYN, or since the first SYN-ACK, which follows at once
};

// A listener had no room, or answers with SYN cookies because it has none.
struct ListenQueue {
    std::uint32_t accept_queue = 0;         // connections that waited to be accepted
    std::optional<std::uint32_t> syn_queue; // handshakes under way; none: not known
    std::uint32_t limit = 0; // of both: the accept queue is full when it is longer, the SYN queue when it is as long
    // SYNs and ACKs dropped since that was told last, or since it listens. None: nobody knows how many were told.
    std::optional<std::uint32_t> dropped;
    // Of these, those that are not known to be an overflow: found while both queues had room, or answered.
    std::uint32_t with_room = 0;
    std::uint32_t dropped_in_all = 0; // in the listener's life
    bool syn_cookies = false;         // SYNs are answered with SYN cookies (RFC 4987 section 3.6)

    [[nodiscard]] bool accept_queue_is_full() const { return accept_queue > limit; }
    [[nodiscard]] bool syn_queue_is_full() const { return syn_queue && *syn_queue >= limit; }
};

} // namespace tcpflight

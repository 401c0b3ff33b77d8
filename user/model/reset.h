// A connection that was cut off, or refused, with a RST (RFC 9293 section 3.5.2).
#pragma once

#include "model/tcp_state.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

enum class ResetDirection : std::uint8_t { Sent, Received };

// Why it was sent (enum tf_reset_reason in records.h, which says what each one means).
enum class ResetReason : std::uint8_t {
    Unknown,
    Other,
    NoSocket,
    UnreadData,
    Linger0,
    Linger2,
    DataAfterClose,
    UnsentData,
    Disconnected,
    Aborted,
    Keepalive,
    NoMemory,
    TimeWait,
    InvalidAck,
    TooOldAck,
    OldAck,
    AckOfUnsent,
    InvalidSyn,
    Flags,
    Paws,
    Mptcp,
    NotAccepted,
};

// For programs: "unread_data".
std::string_view name(ResetReason reason);
// For people: "closed with unread data".
std::string_view describe(ResetReason reason);

struct Reset {
    // In which state the connection was; Close: there was none, or it is not known.
    TcpState state = TcpState::Close;
    ResetDirection direction = ResetDirection::Sent;
    ResetReason reason = ResetReason::Unknown; // of one that was received: always Unknown, it does not say
    std::uint32_t kernel_reason = 0;           // enum sk_rst_reason of that kernel, where the reason is Other
};

} // namespace tcpflight

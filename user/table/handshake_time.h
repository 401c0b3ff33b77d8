// When the kernel gives a handshake up.
#pragma once

#include "tcpflight/records.h"

#include <cstdint>
#include <optional>

namespace tcpflight {

// Until the SYN-ACK is sent again if nothing comes, counted from the record, nanoseconds. None: not known. Worked out
// as reqsk_timer_handler() in net/ipv4/inet_connection_sock.c does; timers expire up to an eighth of their time later.
std::optional<std::uint64_t> next_syn_ack_ns(const tf_handshake &handshake);

// Until the handshake is dropped, likewise. While the SYN queue is more than half full it can be earlier.
std::optional<std::uint64_t> time_until_drop_ns(const tf_handshake &handshake);

} // namespace tcpflight

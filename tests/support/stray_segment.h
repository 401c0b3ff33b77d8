// A segment that no socket sends.
#pragma once

#include "support/address.h"

namespace tcpflight::test {

// An ACK for nothing that was ever sent, between these IPv4 addresses, through a raw socket of this process's
// namespace. Throws std::system_error.
void send_stray_ack(const SocketAddress &from, const SocketAddress &to);

} // namespace tcpflight::test

// Handshakes and the queues of listeners, as text.
#pragma once

#include "model/handshake.h"
#include "sink/line_writer.h"
#include "sink/style.h"

namespace tcpflight {

// "retransmit SYN-ACK #1 (RTO), RTO 2s, SYN 1.035s ago, gives up in 62s".
void put_handshake(LineWriter &line, const Handshake &handshake, const OutputStyle &style);

// "accept queue full (2 of 1), 5 dropped".
void put_listen_queue(LineWriter &line, const ListenQueue &queue, const OutputStyle &style);

} // namespace tcpflight

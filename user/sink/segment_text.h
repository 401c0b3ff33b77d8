// A segment that was sent again, as text.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"

namespace tcpflight {

// "SYN", "FIN with 100 bytes at 1", "1448 bytes at 2897".
void put_segment(LineWriter &line, const Retransmit &retransmit);

// ", 2 before it not seen"; nothing where there are none.
void put_unseen(LineWriter &line, std::uint64_t unseen);

// Why it went again: " (RTO 3)", " (TLP)", and how many before it were not seen.
void put_kind(LineWriter &line, const Retransmit &retransmit);

} // namespace tcpflight

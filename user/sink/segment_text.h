// A segment that was sent again, as text.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"

namespace tcpflight {

// "SYN", "FIN with 100 bytes at 1", "1448 bytes at 2897".
void put_segment(LineWriter &line, const Retransmit &retransmit);

// Why it went again: " (RTO 3)", " (TLP)"; nothing where that is not known.
void put_kind(LineWriter &line, const Retransmit &retransmit);

} // namespace tcpflight

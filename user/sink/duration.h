// How long something took, as text for people.
#pragma once

#include "sink/line_writer.h"
#include "sink/style.h"

namespace tcpflight {

// "108us", "1.204ms", "8.348s", "1h02m03s"; with nanoseconds three more decimals. Cut, never rounded: what is shown has
// passed. Zeros at the end of a fraction are left out.
void put_duration(LineWriter &line, std::uint64_t duration_ns, TimePrecision precision);

} // namespace tcpflight

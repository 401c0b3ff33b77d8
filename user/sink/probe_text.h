// Probes, as text.
#pragma once

#include "model/probe.h"
#include "sink/line_writer.h"
#include "sink/style.h"

namespace tcpflight {

// "keepalive probe #2 of 9", "window probe #1 of 15".
void put_probe(LineWriter &line, const Probe &probe);
// ", 65536 bytes wait, closed for 1.2s, silent for 400ms, next in 800ms, gives up in 15m20s".
void put_probe_times(LineWriter &line, const Probe &probe, TimePrecision precision);

} // namespace tcpflight

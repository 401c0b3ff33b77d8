// A verdict as a sentence for people.
#pragma once

#include "model/verdict.h"
#include "sink/line_writer.h"
#include "sink/style.h"

namespace tcpflight {

// What speaks for it, without its name: "FIN sent 4 times, nothing back for 1.666s, gives up in 106s". "This end" is
// the local socket's.
void put_evidence(LineWriter &line, const Verdict &verdict, TimePrecision precision);

} // namespace tcpflight

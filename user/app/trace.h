// Live tracing: the loop and the wiring.
#pragma once

#include "cli/options.h"

namespace tcpflight {

// Traces until Ctrl-C, SIGTERM, the count, or a closed output. Events go to standard output, everything else to
// standard error. Returns the exit status.
int trace(const Options &options);

} // namespace tcpflight

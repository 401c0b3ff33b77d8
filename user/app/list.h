// The sockets there are, once.
#pragma once

#include "cli/options.h"

namespace tcpflight {

// Writes them to standard output, everything else to standard error. Returns the exit status.
int list(const Options &options);

} // namespace tcpflight

// -r: recordings, through the same pipeline as what is live. Needs no privileges.
#pragma once

#include "cli/options.h"

namespace tcpflight {

// Shows what `options.read` asks for on standard output; everything else goes to standard error. Returns the exit
// status: 1 also if something was damaged.
int replay(const Options &options);

} // namespace tcpflight

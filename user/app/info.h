// tcpflight info: what recordings hold, and whether they are whole.
#pragma once

#include "cli/options.h"

namespace tcpflight {

// On standard output, a paragraph a file. Returns the exit status: 1 if one is damaged or cannot be read.
int info(const Options &options);

} // namespace tcpflight

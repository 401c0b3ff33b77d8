// tcpflight merge: several files of recordings in one, to be read in the order of time.
#pragma once

#include "cli/options.h"

namespace tcpflight {

// Merges `options.read->files` into `options.record->path`. Returns the exit status.
int merge(const Options &options);

} // namespace tcpflight

// Where in a file to begin reading for a time: by the index at its end, or, where it has none (yet), from entry point
// to entry point, each of which names the one before it.
#pragma once

#include "recording/disk.h"

#include <cstdint>

namespace tcpflight {

// Offset of the last Entry block before which all is earlier than `wall_ns`; 0: begin at the begin.
IoResult<std::uint64_t> find_entry_before(InputFile &file, std::int64_t wall_ns);

} // namespace tcpflight

// Where in a file to begin reading for a moment: from the index in its End block, or, where there is none yet, along the
// chain of entry points from the end.
#pragma once

#include "recording/disk.h"
#include "recording/format.h"

#include <cstdint>
#include <optional>

namespace tcpflight {

// The last entry point before which nothing from `wall_ns` on can stand, even if the clock was set back. None: the file's
// begin is as good. What is returned has been looked at: there is an Entry block.
IoResult<std::optional<IndexItem>> find_entry(InputFile &file, std::int64_t wall_ns);

} // namespace tcpflight

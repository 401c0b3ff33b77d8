// Sockets that are simply there.
#pragma once

#include <cstdint>

namespace tcpflight::bench {

// Opens established connections until `sockets` ends exist, prints "holding N sockets" as a line to stdout, and keeps
// them until SIGTERM or SIGINT. Throws std::system_error.
void hold(std::uint32_t sockets);

} // namespace tcpflight::bench

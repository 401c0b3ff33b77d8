// Errors under their symbolic names.
#pragma once

#include "sink/line_writer.h"

namespace tcpflight {

// "ECONNREFUSED"; "errno 524" for one that has no name in user space.
void put_errno(LineWriter &line, std::uint16_t error);

// "ECONNREFUSED (111)"; "524" for one that has no name.
void put_errno_and_number(LineWriter &line, std::uint16_t error);

} // namespace tcpflight

// What a change of state brings with it, as text.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"
#include "sink/style.h"

namespace tcpflight {

// ", 1.2ms in the SYN queue, error ETIMEDOUT (110)"; nothing where there is neither.
void put_change_details(LineWriter &line, const StateChange &change, const OutputStyle &style);

} // namespace tcpflight

// Which events have another end to show.
#pragma once

#include "model/event.h"

namespace tcpflight {

// False for a listener, and where the other end is not known. `event.identity` is not null.
bool has_remote_end(const Event &event);

} // namespace tcpflight

// What the process may do, and giving it up.
#pragma once

#include "model/result.h"

namespace tcpflight {

// May this process trace? If not, the error says what is missing and how to get it.
Result<void> check_privileges();

// Gives up every capability, for good (no_new_privs): the ring buffer is mapped, and nothing else is needed any more.
Result<void> drop_privileges();

} // namespace tcpflight

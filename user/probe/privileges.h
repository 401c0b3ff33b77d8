// What the process may do, and giving it up.
#pragma once

#include "model/result.h"

#include <initializer_list>
#include <string>
#include <string_view>

namespace tcpflight {

// May this process do `what` ("tracing")? If not, the error says what is missing and how to get it.
Result<void> check_privileges(std::string_view what);

// Becomes this user, with the groups that he has, for good: whoever files are written as (-Z).
Result<void> become_user(const std::string &name);

// Gives up every capability, for good (no_new_privs): the ring buffer is mapped, and nothing else is needed any more.
Result<void> drop_privileges();
// The same, but for these (CAP_...), as far as the process has them.
Result<void> keep_privileges(std::initializer_list<unsigned> capabilities);

} // namespace tcpflight

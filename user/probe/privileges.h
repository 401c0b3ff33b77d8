// What the process may do, and giving it up.
#pragma once

#include "model/result.h"

#include <string>

namespace tcpflight {

// May this process trace? If not, the error says what is missing and how to get it.
Result<void> check_privileges();

// Becomes this user, with the groups that he has, for good: whoever files are written as (-Z).
Result<void> become_user(const std::string &name);

// Gives up every capability, for good (no_new_privs): the ring buffer is mapped, and nothing else is needed any more.
Result<void> drop_privileges();
// The same, but root can go on writing into everybody's folders: for a recording of several files.
Result<void> drop_all_but_file_access();

} // namespace tcpflight

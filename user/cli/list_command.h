// `tcpflight list`: which flags go with it.
#pragma once

#include "cli/arguments.h"
#include "cli/flags.h"
#include "cli/options.h"
#include "model/result.h"

#include <string_view>

namespace tcpflight {

// Only those about which connections there are to be, how they are shown, and itself. An error is a whole sentence.
Result<void> check_list_flags(const Arguments &arguments);

// Events, and numbers that a look at a socket does not tell, make no sense there.
Result<void> check_list_filter(const Filter &filter);

// Outside of `list`, those of its own flags that were given.
Result<void> refuse_list_flags(const Arguments &arguments);

Result<void> set_sort_key(const Flag &flag, std::string_view value, ListOptions &options);

} // namespace tcpflight

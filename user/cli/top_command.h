// `tcpflight top`: which flags go with it.
#pragma once

#include "cli/arguments.h"
#include "cli/flags.h"
#include "cli/options.h"
#include "model/result.h"

#include <string_view>

namespace tcpflight {

// Those about which connections there are to be, how timelines are shown, how to trace, and its own. An error is a
// whole sentence.
Result<void> check_top_flags(const Arguments &arguments);

// Outside of `top`, those of its own flags that were given.
Result<void> refuse_top_flags(const Arguments &arguments);

// --sort is also that of `list`, with other keys.
Result<void> set_top_key(const Flag &flag, std::string_view value, TopOptions &options);
Result<void> set_delay(const Flag &flag, std::string_view value, TopOptions &options);
Result<void> set_refreshes(const Flag &flag, std::string_view value, TopOptions &options);

} // namespace tcpflight

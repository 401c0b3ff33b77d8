// What a recording says of itself and its host.
#pragma once

#include "cli/options.h"
#include "model/clock.h"
#include "model/result.h"
#include "recording/format.h"

#include <string>

namespace tcpflight {

// For a recording that begins now, with a new id.
StartInfo describe_recording(const Options &options, std::string hooks, const ClockAnchor &clock);

// StartInfo::filter: the words of the command line, each with a NUL behind it as in /proc/PID/cmdline.
std::string join_words(const std::vector<std::string> &words);
Result<Filter> recorded_filter(const StartInfo &info);
// For people; escaped. Empty: there is none.
std::string filter_text(const StartInfo &info);

} // namespace tcpflight

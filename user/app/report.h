// What is told on standard error.
#pragma once

#include "app/pipeline.h"
#include "cli/options.h"
#include "model/result.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

// "tcpflight: SENTENCE"; with -v -v the detail below it.
void report_error(const Error &error, int verbosity);

// One line, as tcpdump's: what is traced, the filter, the hooks. From then on no event is missed.
void report_listening(const Options &options, std::string_view hooks);

// As tcpdump's, at the end.
void report_totals(const Pipeline::Totals &totals, std::uint64_t filtered_in_kernel);

// What was recorded; a line of its own before the totals.
void report_recorded(std::uint64_t records, std::uint64_t bytes, std::uint32_t files);

} // namespace tcpflight

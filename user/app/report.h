// What is told on standard error.
#pragma once

#include "app/output.h"
#include "app/pipeline.h"
#include "cli/options.h"
#include "model/result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

// "tcpflight: SENTENCE"; with -v -v the detail below it.
void report_error(const Error &error, int verbosity);

// The same at the program's end, if there was one. The exit status: 1 then, otherwise what the result says.
int exit_status(const Result<int> &result, int verbosity);

// One line, as tcpdump's: what is traced, the filter, the hooks. From then on no event is missed.
void report_listening(const Options &options, std::string_view hooks);

// Sockets that are in network namespaces that cannot be entered, if there are any, and what follows from that:
// "missing".
void report_out_of_reach(std::size_t sockets, std::string_view consequence, int verbosity);

// As tcpdump's, at the end.
// `is_recorded_only`: nothing was to be shown, and how many events were is not said.
void report_totals(const Pipeline::Totals &totals, std::uint64_t filtered_in_kernel, bool is_recorded_only = false);

// What standard output did not take, if anything.
void report_unwritten(const Output &output, Output::Outcome outcome, int verbosity);

// "3 files merged into 4711 bytes".
void report_merged(std::size_t files, std::uint64_t bytes);
// What was recorded; a line of its own before the totals.
void report_recorded(std::uint64_t records, std::uint64_t bytes, std::uint32_t files);

} // namespace tcpflight

#include "app/report.h"

#include "filter/quote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

namespace tcpflight {
namespace {

// One write a report, so that lines of several processes do not mix. Where standard error fails nobody can be told.
void print(const std::string &text)
{
    [[maybe_unused]] auto written = write(STDERR_FILENO, text.data(), text.size());
}

std::string size_text(std::uint32_t bytes)
{
    constexpr std::uint32_t mib = 1U << 20;
    return bytes % mib == 0 ? fmt::format("{} MiB", bytes / mib) : fmt::format("{} KiB", bytes >> 10);
}

std::string events(std::uint64_t count)
{
    return fmt::format("{} event{}", count, count == 1 ? "" : "s");
}

} // namespace

void report_error(const Error &error, int verbosity)
{
    std::string text = fmt::format("tcpflight: {}\n", error.message);
    if (verbosity >= 2)
        text += error.detail;
    print(text);
}

int exit_status(const Result<int> &result, int verbosity)
{
    if (result)
        return *result;
    report_error(result.error(), verbosity);
    return 1;
}

void report_listening(const Options &options, std::string_view hooks)
{
    auto filter = options.filter.describe();
    auto recording = options.record ? fmt::format(", recording to {}", quote(options.record->path)) : std::string();
    print(fmt::format("tcpflight: listening on all TCP sockets, filter: {}, hooks: {}, buffer {}{}\n",
                      filter.empty() ? "none" : filter, hooks, size_text(options.ring_bytes), recording));
}

void report_out_of_reach(std::size_t sockets, std::string_view consequence, int verbosity)
{
    if (sockets != 0)
        report_error({fmt::format("sockets of network namespaces that need CAP_SYS_ADMIN to be entered are {}: {}",
                                  consequence, sockets)},
                     verbosity);
}

void report_unwritten(const Output &output, Output::Outcome outcome, int verbosity)
{
    if (outcome == Output::Outcome::Failed)
        report_error({fmt::format("cannot write to standard output: {}: lines missing there: {}",
                                  std::strerror(output.error()), output.lines_missing())},
                     verbosity);
    if (outcome == Output::Outcome::Interrupted)
        report_error(
            {fmt::format("standard output was not being read: lines missing there: {}", output.lines_missing())},
            verbosity);
}

void report_merged(std::size_t files, std::uint64_t bytes)
{
    print(fmt::format("{} file{} merged into {} bytes\n", files, files == 1 ? "" : "s", bytes));
}

void report_recorded(std::uint64_t records, std::uint64_t bytes, std::uint32_t files)
{
    print(fmt::format("{} recorded in {} bytes, {} file{}\n", events(records), bytes, files, files == 1 ? "" : "s"));
}

void report_totals(const Pipeline::Totals &totals, std::uint64_t filtered_in_kernel, bool is_recorded_only)
{
    auto text = is_recorded_only ? std::string() : fmt::format("{} shown\n", events(totals.shown));
    text += fmt::format("{} filtered out\n", events(totals.filtered_out + filtered_in_kernel));
    auto lost = std::accumulate(totals.lost.begin(), totals.lost.end(), std::uint64_t{0});
    text += fmt::format("{} lost", events(lost));
    const char *separator = ": ";
    for (std::size_t reason = 0; reason < totals.lost.size(); reason++) {
        if (totals.lost[reason] == 0)
            continue;
        text += fmt::format("{}{} {}", separator, totals.lost[reason], describe(static_cast<LossReason>(reason)));
        separator = ", ";
    }
    text += '\n';
    if (totals.unseen != 0)
        text += fmt::format("{} retransmission{} not seen: not sent, or not traced by the kernel\n", totals.unseen,
                            totals.unseen == 1 ? "" : "s");
    if (totals.malformed != 0)
        text +=
            fmt::format("{} not understood: a record of another version or a damaged one\n", events(totals.malformed));
    if (totals.undecided != 0)
        text += fmt::format("{} dropped before the filter could decide: too many were waiting for it\n",
                            events(totals.undecided));
    if (totals.forgotten != 0)
        text += fmt::format("{} connections forgotten: more were alive than the table holds\n", totals.forgotten);
    print(text);
}

} // namespace tcpflight

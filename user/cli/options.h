// What the user asked for, validated.
#pragma once

#include "diagnose/thresholds.h"
#include "filter/filter.h"
#include "filter/names.h"
#include "list/sort_key.h"
#include "model/layer.h"
#include "model/moment.h"
#include "model/result.h"
#include "sink/style.h"
#include "top/top_key.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

enum class Flush : std::uint8_t {
    Batch, // after each batch of events (some 10 ms): the default
    Line,  // after each event (-l, -U)
};

struct ListOptions {
    bool wide = false;
    SortKey sort = SortKey::Default;
};

struct TopOptions {
    std::uint64_t delay_ns = 2'000'000'000; // between two pictures
    std::optional<std::uint64_t> refreshes; // end after so many
    TopKey sort = TopKey::Verdict;
};

// -w: names and rotation as tcpdump(8) has them.
struct RecordOptions {
    std::string path;                        // with strftime(3) conversions if `rotate_s`; "-": standard output
    bool print = false;                      // show lines as well
    std::optional<std::uint64_t> file_bytes; // a new file when one is larger
    std::optional<std::uint32_t> rotate_s;   // a new file every so many seconds
    std::optional<std::uint32_t> max_files;
    std::optional<std::uint64_t> keep_bytes; // of all files together
    std::string post_rotate;                 // the command to run for a file that is complete; empty: none
    std::uint64_t flush_interval_ns = 1'000'000'000;
    bool force = false; // replace what is not a recording
};

// -r and info.
struct ReadOptions {
    std::vector<std::string> files; // at least one; "-", standard input, only by itself
    std::optional<Moment> from;
    std::optional<Moment> to;
    bool follow = false;
};

constexpr std::uint64_t default_sweep_ns = 5'000'000'000;

struct Options {
    Filter filter;
    OutputStyle style;
    Verdicts verdicts = Verdicts::Alarms;
    Thresholds thresholds;
    Flush flush = Flush::Batch;
    std::optional<std::uint64_t> count;        // stop after so many events were shown
    std::uint32_t ring_bytes = 4U << 20;       // a power of two
    Layer layer = Layer::Fentry;               // programs attach by this or less
    std::uint64_t sweep_ns = default_sweep_ns; // between looks for ends that no event tells of; 0: none
    bool show_found = false;                   // events for the sockets that were there at the start
    std::optional<ListOptions> list;           // Command::Kind::List
    std::optional<TopOptions> top;             // Command::Kind::Top
    int verbosity = 0;                         // number of -v
    std::string user;                          // to become, after attaching; empty: stay
    bool utc = false;
    std::optional<RecordOptions> record; // at most one of the two
    std::optional<ReadOptions> read;

    // Each timeline ends with its verdict, and a summary counts them. The columns of other tools have no room for any.
    [[nodiscard]] Verdicts shown_verdicts() const
    {
        if (style.format == Format::Tcplife || style.format == Format::Tcpstates)
            return Verdicts::None;
        return style.timelines || style.summary_ns ? Verdicts::All : verdicts;
    }
};

// What the command line comes to.
struct Command {
    enum class Kind : std::uint8_t {
        Run,   // trace or read, with `options`
        List,  // show the sockets there are, with `options.list`
        Top,   // trace on a live screen, with `options.top`
        Info,  // tell what is in `options.read->files`
        Merge, // bring `options.read->files` together in `options.record->path`
        Print, // print `text` (help, version, --explain) and exit with 0
        // Print `text`, one sentence ("tcpflight: ...") without its newline, to stderr and exit with 2. Of an
        // expression two lines follow: the place, and a caret below it.
        Wrong,
    };
    Kind kind = Kind::Run;
    Options options;
    std::string text;
};

// `stdout_is_terminal` and `environment_no_color` (NO_COLOR is set and not empty) decide what --color auto means.
struct Surroundings {
    bool stdout_is_terminal = false;
    bool environment_no_color = false;
    std::uint16_t terminal_columns = 0; // 0: not known
    const Names *names = nullptr;       // what an expression may ask the host for; null: nothing
};

// Looks at nothing but its arguments, and throws nothing.
Command parse_command_line(int argc, const char *const *argv, const Surroundings &surroundings);

// The filter that these words of a command line stand for: an expression, or the options that are short for one. They
// may come from a file.
Result<Filter> parse_filter(const std::vector<std::string> &words);

} // namespace tcpflight

// What the user asked for, validated.
#pragma once

#include "filter/filter.h"
#include "list/sort_key.h"
#include "model/layer.h"
#include "sink/style.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tcpflight {

enum class Flush : std::uint8_t {
    Batch, // after each batch of events (some 10 ms): the default
    Line,  // after each event (-l, -U)
};

struct ListOptions {
    bool wide = false;
    SortKey sort = SortKey::Default;
};

struct Options {
    Filter filter;
    OutputStyle style;
    Flush flush = Flush::Batch;
    std::optional<std::uint64_t> count;  // stop after so many events were shown
    std::uint32_t ring_bytes = 4U << 20; // a power of two
    Layer layer = Layer::Fentry;         // programs attach by this or less
    bool show_found = false;             // events for the sockets that were there at the start
    std::optional<ListOptions> list;     // Command::Kind::List
    int verbosity = 0;                   // number of -v
};

// What the command line comes to.
struct Command {
    enum class Kind : std::uint8_t {
        Run,   // trace with `options`
        List,  // show the sockets there are, with `options.list`
        Print, // print `text` (help, version) and exit with 0
        Wrong, // print `text`, one sentence ("tcpflight: ...") without its newline, to stderr and exit with 2
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
};

// Pure: looks at nothing but its arguments, and throws nothing.
Command parse_command_line(int argc, const char *const *argv, const Surroundings &surroundings);

} // namespace tcpflight

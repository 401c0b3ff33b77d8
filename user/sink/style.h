// How events are shown.
#pragma once

#include <cstdint>
#include <optional>

namespace tcpflight {

enum class Format : std::uint8_t {
    Text,
    Json,
    Tcplife, // the columns of the tools of these names
    Tcpstates,
};

// tcpdump's -t: none, then each further -t.
enum class TimeStyle : std::uint8_t {
    Clock,      // default: 20:28:51.001203, local time
    None,       // -t
    Epoch,      // -tt: 1732221231.001203
    DeltaLine,  // -ttt: since the line before, 00:00:00.000108
    DateClock,  // -tttt: 2026-11-21 20:28:51.001203
    DeltaStart, // -ttttt: since the first line
};

// Which verdicts are shown.
enum class Verdicts : std::uint8_t { None, Alarms, All };

enum class TimePrecision : std::uint8_t { Micro, Nano };

struct OutputStyle {
    Format format = Format::Text;
    TimeStyle time = TimeStyle::Clock;
    TimePrecision precision = TimePrecision::Micro;
    bool quiet = false;                           // -q: no owner, no details
    bool metrics = false;                         // -v: RTT, cwnd, RTO, queues; provenance of the owner
    std::optional<std::uint64_t> summary_ns = {}; // --summary: every so often, 0: at the end; Text only
    bool timelines = false;                       // -g: a block a connection; Text only
    bool color = false;
    std::uint16_t columns = 0; // fold lines to this width at ": " and ", "; 0: never
};

} // namespace tcpflight

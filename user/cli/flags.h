// The table of flags: parsing, error sentences and help are all made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tcpflight {

enum class FlagId : std::uint8_t {
    Port,
    LocalPort,
    RemotePort,
    Pid,
    Comm,
    Ipv4,
    Ipv6,
    Explain,
    Count,
    Time,
    TimePrecision,
    Quiet,
    Verbose,
    Numeric,
    Timelines,
    VerdictChoice,
    ThresholdValue,
    Summary,
    Found,
    Wide,
    Sort,
    Delay,
    Refreshes,
    Format,
    Color,
    FlushLine,
    FlushPacket,
    BufferSize,
    User,
    Write,
    Print,
    FileSize,
    FileSeconds,
    FileCount,
    PostRotate,
    Keep,
    FlushInterval,
    Force,
    Read,
    From,
    To,
    Follow,
    Utc,
    Sweep,
    LayerLimit,
    Help,
    Version,
};

// Hidden flags are for tests and bug reports: neither the help nor a suggestion names them.
enum class FlagGroup : std::uint8_t {
    Connections,
    Display,
    Operation,
    Recording,
    Reading,
    Listing,
    Top,
    Information,
    Hidden,
};

struct Flag {
    FlagId id;
    FlagGroup group;
    std::string_view short_name; // "-c"; may be empty
    std::string_view long_name;  // "--count"; may be empty
    std::string_view value;      // what its value is called in the help; empty: it takes none
    std::string_view noun;       // what a wrong value is not: "a port"
    std::string_view give;       // what would be right: "1 to 65535"
    std::string_view help;       // lines of at most 52 characters

    [[nodiscard]] bool takes_value() const { return !value.empty(); }
    // For error sentences: "-c/--count".
    [[nodiscard]] std::string display() const;
};

// In the order of the help.
std::span<const Flag> all_flags();

const Flag &find_flag(FlagId id);

} // namespace tcpflight

#include "cli/flags.h"

#include <algorithm>
#include <array>

namespace tcpflight {
namespace {

constexpr std::string_view ports_to_give = "1 to 65535, a list (80,443) or a range (8000-8080)";

constexpr std::string_view moments_to_give = "HH:MM[:SS], \"YYYY-MM-DD HH:MM:SS\" or seconds since 1970";

constexpr std::array<Flag, 47> table{{
    {FlagId::Port, FlagGroup::Connections, "", "--port", "PORTS", "a port", ports_to_give,
     "local or remote port: 80, a list 80,443, a range\n"
     "8000-8080, or both mixed; repeat it for more"},
    {FlagId::LocalPort, FlagGroup::Connections, "", "--local-port", "PORTS", "a port", ports_to_give,
     "port of this host's end"},
    {FlagId::RemotePort, FlagGroup::Connections, "", "--remote-port", "PORTS", "a port", ports_to_give,
     "port of the other end"},
    {FlagId::Pid, FlagGroup::Connections, "", "--pid", "N[,N]", "a process id", "1 to 4194304, or a list (12,13)",
     "process that owns the socket; repeat it for more"},
    {FlagId::Comm, FlagGroup::Connections, "", "--comm", "NAME", "a process name",
     "1 to 15 bytes, as /proc/PID/comm shows them",
     "name of that process, whole, as /proc/PID/comm\n"
     "shows it; repeat it for more"},
    {FlagId::Ipv4, FlagGroup::Connections, "-4", "", "", "", "", "IPv4 on the wire, also through an IPv6 socket"},
    {FlagId::Ipv6, FlagGroup::Connections, "-6", "", "", "", "", "IPv6"},
    {FlagId::Explain, FlagGroup::Connections, "", "--explain", "", "", "",
     "show how the expression is understood, and what of\n"
     "it the kernel decides; trace nothing"},

    {FlagId::Time, FlagGroup::Display, "-t", "", "", "", "",
     "once: no time; -tt: seconds since 1970; -ttt: since\n"
     "the line before; -tttt: with the date; -ttttt:\n"
     "since the first line"},
    {FlagId::TimePrecision, FlagGroup::Display, "", "--time-precision", "UNIT", "a precision", "micro or nano",
     "micro (default) or nano"},
    {FlagId::Quiet, FlagGroup::Display, "-q", "--quiet", "", "", "", "less: time, addresses and what happened"},
    {FlagId::Verbose, FlagGroup::Display, "-v", "--verbose", "", "", "",
     "more: round-trip time, windows, queues, how the\n"
     "owner was learned; twice: libbpf's own messages"},
    {FlagId::Numeric, FlagGroup::Display, "-n", "", "", "", "", "accepted as in tcpdump: names are never looked up"},
    {FlagId::Timelines, FlagGroup::Display, "-g", "--timelines", "", "", "",
     "whole timelines: a block a connection when it has\n"
     "ended, with times between the lines and a verdict"},
    {FlagId::VerdictChoice, FlagGroup::Display, "", "--verdicts", "WHICH", "a choice", "alarms, all or none",
     "alarms (default): a line where a connection is\n"
     "broken; all: for each end; none"},
    {FlagId::ThresholdValue, FlagGroup::Display, "", "--threshold", "NAME=N", "a threshold",
     "timeouts, probes, storm, ports, time-waits, loss or rtt=1 to 255; churn=1 to 100000; close-wait, fin-wait, "
     "accept, zero-window or unread=seconds, up to 604800",
     "when a verdict falls: timeouts, probes, storm (how\n"
     "many), ports, time-waits, loss (percent), rtt (times\n"
     "the shortest), churn (a second), close-wait,\n"
     "fin-wait, accept, zero-window, unread (seconds);\n"
     "repeat it for more; tcpflight explain thresholds"},
    {FlagId::Summary, FlagGroup::Display, "", "--summary", "S", "a number of seconds", "0 to 86400",
     "no lines, but numbers of how connections ended,\n"
     "each S seconds and at the end; 0: at the end only"},
    {FlagId::Found, FlagGroup::Display, "", "--found", "", "", "",
     "also a line for each socket that is there at the\n"
     "start"},
    {FlagId::Format, FlagGroup::Display, "", "--format", "FORMAT", "a format", "text, json, tcplife or tcpstates",
     "text (default); json, one object a line; tcplife or\n"
     "tcpstates, in the columns of these tools"},
    {FlagId::Color, FlagGroup::Display, "", "--color", "WHEN", "a choice", "auto, always or never",
     "auto (default: on a terminal, unless NO_COLOR is\n"
     "set), always or never"},

    {FlagId::Utc, FlagGroup::Display, "", "--utc", "", "", "", "times in UTC, also those of options and file names"},

    {FlagId::Count, FlagGroup::Operation, "-c", "--count", "N", "a number of events", "1 or more",
     "end after N events were shown"},
    {FlagId::FlushLine, FlagGroup::Operation, "-l", "", "", "", "",
     "write each line at once; by default all lines of a\n"
     "batch (some 10 ms) go out together"},
    {FlagId::FlushPacket, FlagGroup::Operation, "-U", "", "", "", "", "the same as -l"},
    {FlagId::BufferSize, FlagGroup::Operation, "-B", "--buffer-size", "KIB", "a buffer size in KiB", "4 to 1048576",
     "buffer between kernel and tcpflight, in KiB,\n"
     "rounded up to a power of two (default: 4096)"},
    {FlagId::Sweep, FlagGroup::Operation, "", "--sweep", "S", "a number of seconds", "0 to 3600, also 0.25",
     "look at least S seconds apart (default: 5) for\n"
     "ends that no event tells of; 0: never"},
    {FlagId::User, FlagGroup::Operation, "-Z", "", "USER", "a user", "a name as in /etc/passwd",
     "become this user, before any file is written"},

    {FlagId::Write, FlagGroup::Recording, "-w", "--write", "FILE", "a file", "its name, or - for standard output",
     "record to FILE instead of showing lines; - is\n"
     "standard output"},
    {FlagId::Print, FlagGroup::Recording, "", "--print", "", "", "", "show lines as well"},
    {FlagId::FileSize, FlagGroup::Recording, "-C", "", "SIZE", "a file size",
     "millions of bytes, or with k, m or g KiB, MiB or GiB",
     "a new file when one is larger: millions of bytes,\n"
     "or with k, m, g KiB, MiB, GiB; FILE, FILE1, FILE2..."},
    {FlagId::FileSeconds, FlagGroup::Recording, "-G", "", "SECONDS", "a number of seconds", "1 to 31536000",
     "a new file every so often; its name is FILE with\n"
     "the time filled in, as strftime(3) does it"},
    {FlagId::FileCount, FlagGroup::Recording, "-W", "", "N", "a number of files", "1 to 1000000",
     "with -C: at most N files, then the first again;\n"
     "with -G: end after N files"},
    {FlagId::PostRotate, FlagGroup::Recording, "-z", "", "COMMAND", "a command",
     "a program, which gets the file's name", "run \"COMMAND FILE\" when a new file follows one"},
    {FlagId::Keep, FlagGroup::Recording, "", "--keep", "SIZE", "a size", "1MiB or more: 500MiB, 2GiB, 1TB",
     "delete the oldest files, also of earlier runs, so\n"
     "that all take no more than SIZE (500MiB, 2GiB)"},
    {FlagId::FlushInterval, FlagGroup::Recording, "", "--flush-interval", "S", "a number of seconds",
     "0 to 3600, also 0.25",
     "write at least every S seconds (default: 1); 0:\n"
     "each event at once"},
    {FlagId::Force, FlagGroup::Recording, "", "--force", "", "", "", "replace files that are not recordings, too"},

    {FlagId::Read, FlagGroup::Reading, "-r", "--read", "FILE", "a file", "its name, or - for standard input",
     "show what was recorded, also from several files;\n"
     "- is standard input. Needs no privileges"},
    {FlagId::From, FlagGroup::Reading, "", "--from", "TIME", "a time", moments_to_give,
     "only events from then on: HH:MM, HH:MM:SS,\n"
     "\"YYYY-MM-DD HH:MM:SS\" or seconds since 1970"},
    {FlagId::To, FlagGroup::Reading, "", "--to", "TIME", "a time", moments_to_give, "only events before that"},
    {FlagId::Follow, FlagGroup::Reading, "", "--follow", "", "", "", "go on while FILE is being written"},

    {FlagId::LayerLimit, FlagGroup::Hidden, "", "--layer", "LAYER", "a layer", "core, kprobe or fentry",
     "hang on the kernel by this or less"},

    {FlagId::Wide, FlagGroup::Listing, "", "--wide", "", "", "", "all columns, and every process of a socket"},
    {FlagId::Sort, FlagGroup::Listing, "", "--sort", "KEY", "a key to sort by",
     "state, recvq, sendq, local, remote, process, timer or age",
     "state, recvq, sendq, local, remote, process, timer\n"
     "or age; by default listeners first, then by port"},

    {FlagId::Delay, FlagGroup::Top, "-d", "--delay", "S", "a number of seconds", "0.1 to 3600",
     "a new picture every S seconds (default: 2)"},
    {FlagId::Refreshes, FlagGroup::Top, "", "--refreshes", "N", "a number of pictures", "1 or more",
     "end after N pictures, and leave the last one on the\n"
     "terminal; in top, -n N is short for it"},

    {FlagId::Help, FlagGroup::Information, "-h", "--help", "", "", "", "show this help"},
    {FlagId::Version, FlagGroup::Information, "-V", "--version", "", "", "", "show the version"},
}};

} // namespace

std::string Flag::display() const
{
    std::string result(short_name);
    if (!short_name.empty() && !long_name.empty())
        result += '/';
    return result += long_name;
}

std::span<const Flag> all_flags()
{
    return table;
}

const Flag &find_flag(FlagId id)
{
    return *std::find_if(table.begin(), table.end(), [id](const Flag &flag) { return flag.id == id; });
}

} // namespace tcpflight

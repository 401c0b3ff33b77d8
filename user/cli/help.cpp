#include "cli/help.h"

#include "cli/flags.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t help_column = 28;

constexpr std::string_view beginning =
    R"(Usage: tcpflight [OPTION]... [EXPRESSION]             trace
       tcpflight -w FILE [OPTION]... [EXPRESSION]     record
       tcpflight -r FILE... [OPTION]... [EXPRESSION]  show what was recorded
       tcpflight list [OPTION]... [EXPRESSION]        show the sockets of now
       tcpflight top [OPTION]... [EXPRESSION]         trace on a live screen
       tcpflight info FILE...                         tell what it holds
       tcpflight merge FILE... -w FILE                bring recordings together
       tcpflight explain [VERDICT|thresholds]         tell what a verdict means

Traces the TCP connections of this host, one line an event: every change of
state with the time spent in the state before, every retransmission, and the
process that owns the socket. Ctrl-C ends it. It needs root, or CAP_BPF and
CAP_PERFMON. In a line, the first address is always the local socket's.
)";

constexpr std::array<std::pair<FlagGroup, std::string_view>, 8> groups{{
    {FlagGroup::Connections, "Which connections (each must hold, and the expression)"},
    {FlagGroup::Display, "How they are shown"},
    {FlagGroup::Operation, "Tracing"},
    {FlagGroup::Recording, "Recording"},
    {FlagGroup::Reading, "Reading a recording"},
    {FlagGroup::Listing, "Listing (tcpflight list: goes with the first group, --format and --color)"},
    {FlagGroup::Top, "On a live screen (tcpflight top: with the first group, --threshold, --sort)"},
    {FlagGroup::Information, "Information"},
}};

constexpr std::string_view ending = R"(
Expression, as tcpdump has it (all of it: docs/filter.md, tcpflight(1)):
  host ADDRESS, net NET, port PORT, portrange A-B; before these src or local
  (this host's end), dst or remote; ip, ip6; pid N, comm NAME, uid USER,
  cgroup PATH, container ID, netns ID; outgoing, incoming; joined with and, or,
  not, ( ).
  Lines:   state NAME, event state|error|retransmit|reset|accept|...
  Numbers: duration > 5s, retransmits >= 3, rtt > 200ms, bytes > 1M: such a
           connection is shown from its begin, once it has come to that.

Examples:
  sudo tcpflight                         everything
  sudo tcpflight -q port 80 or 443       connections of two ports, briefly
  sudo tcpflight --local-port 5432 -v    a database server, and its windows
  sudo tcpflight -g --port 5432          whole connections, each with a verdict
  sudo tcpflight --comm curl -ttt -c 20  20 events of curl, and the time between
  sudo tcpflight --format json | jq .    for programs
  sudo tcpflight list --port 443         who has connections of that port now
  sudo tcpflight top                     all of it, live; ? tells its keys
  sudo tcpflight -w rec-%H%M.tfr -G 3600 --keep 2GiB    a flight recorder
  tcpflight -r rec-*.tfr --from 14:05 --to 14:10        yesterday's incident

Exit status: 0 done, 1 it failed at run time, 2 the command line was wrong.
)";

// "  -c, --count N": long names stand below each other.
std::string left_column(const Flag &flag)
{
    std::string result = fmt::format("  {:<2}", flag.short_name);
    if (!flag.long_name.empty())
        result += fmt::format("{} {}", flag.short_name.empty() ? ' ' : ',', flag.long_name);
    if (flag.takes_value())
        result += fmt::format(" {}", flag.value);
    return result;
}

std::string row(const Flag &flag)
{
    std::string result = fmt::format("{:<{}}", left_column(flag), help_column);
    for (char character : flag.help) {
        result += character;
        if (character == '\n')
            result.append(help_column, ' ');
    }
    return result + '\n';
}

} // namespace

std::string help_text()
{
    std::string result(beginning);
    for (const auto &[group, title] : groups) {
        result += fmt::format("\n{}:\n", title);
        for (const Flag &flag : all_flags()) {
            if (flag.group == group)
                result += row(flag);
        }
    }
    return result += ending;
}

std::string version_text()
{
    return "tcpflight " TCPFLIGHT_VERSION "\n";
}

} // namespace tcpflight

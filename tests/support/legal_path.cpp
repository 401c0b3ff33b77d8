#include "support/legal_path.h"

#include <algorithm>
#include <array>

namespace tcpflight::test {
namespace {

struct Change {
    std::string_view from;
    std::string_view to;
    bool left = false;

    bool operator==(const Change &) const = default;
};

constexpr std::array<Change, 27> changes{{
    {"CLOSE", "SYN_SENT"},
    {"CLOSE", "LISTEN"},
    {"LISTEN", "SYN_RECV"},
    {"LISTEN", "CLOSE"},
    {"SYN_SENT", "ESTABLISHED"},
    {"SYN_SENT", "SYN_RECV"}, // simultaneous open
    {"SYN_SENT", "CLOSE"},
    {"SYN_RECV", "ESTABLISHED"},
    {"SYN_RECV", "FIN_WAIT1"},
    {"SYN_RECV", "CLOSE_WAIT"},
    {"SYN_RECV", "CLOSE"},
    {"ESTABLISHED", "FIN_WAIT1"},
    {"ESTABLISHED", "CLOSE_WAIT"},
    {"ESTABLISHED", "CLOSE"},
    {"FIN_WAIT1", "FIN_WAIT2"},
    {"FIN_WAIT1", "CLOSING"},
    {"FIN_WAIT1", "CLOSE"},
    {"FIN_WAIT2", "TIME_WAIT", true},
    {"FIN_WAIT2", "FIN_WAIT2", true},
    {"FIN_WAIT2", "CLOSE", true},
    {"TIME_WAIT", "CLOSE", true},
    {"FIN_WAIT2", "CLOSE"},
    {"CLOSING", "TIME_WAIT", true},
    {"CLOSING", "CLOSE"},
    {"CLOSE_WAIT", "LAST_ACK"},
    {"CLOSE_WAIT", "CLOSE"},
    {"LAST_ACK", "CLOSE"},
}};

} // namespace

bool is_legal(std::string_view from, std::string_view to, bool left)
{
    return std::find(changes.begin(), changes.end(), Change{from, to, left}) != changes.end();
}

} // namespace tcpflight::test

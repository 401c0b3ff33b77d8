// Colours of a terminal (ECMA-48 SGR). Eight colours and attributes only, so that the user's own palette applies.
#pragma once

#include "model/tcp_state.h"

#include <string_view>

namespace tcpflight::color {

constexpr std::string_view reset = "\x1b[0m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view faint = "\x1b[2m";      // times
constexpr std::string_view trouble = "\x1b[1;31m"; // retransmissions, errors
constexpr std::string_view lost = "\x1b[1;7;31m";

// Opening, open, closing, closed and listening can be told apart.
std::string_view of(TcpState state);

} // namespace tcpflight::color

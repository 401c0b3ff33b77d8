// The user's own words, said back on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace tcpflight {

// Control and non-ASCII bytes, backslashes and single quotes become \xNN, so that no byte of an argument or of a
// process's name can act on the terminal or end a quotation.
std::string escape(std::string_view text);

// `text` escaped and between single quotes; what is beyond 60 bytes is left out and shown as "...".
std::string quote(std::string_view text);

} // namespace tcpflight

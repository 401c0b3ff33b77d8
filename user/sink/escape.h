// What processes choose (their names) may hold any byte. Nothing of it reaches a terminal or a parser as it is.
#pragma once

#include "sink/line_writer.h"

namespace tcpflight {

// Printable ASCII as it is; every other byte, and the backslash, as \xNN.
void put_escaped(LineWriter &line, std::string_view untrusted);

// The inside of a JSON string (RFC 8259 section 7). UTF-8 stays UTF-8. What is not UTF-8 becomes U+FFFD, one for each
// byte. Characters that cannot be seen but change how others are shown (controls, bidi, zero width) are escaped.
void put_json_escaped(LineWriter &line, std::string_view untrusted);

} // namespace tcpflight

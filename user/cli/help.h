// What --help and --version print.
#pragma once

#include <string>

namespace tcpflight {

// At most 80 columns wide; ends with a newline.
std::string help_text();

// "tcpflight 0.1.0\n".
std::string version_text();

} // namespace tcpflight

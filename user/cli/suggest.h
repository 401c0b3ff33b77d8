// What an unknown option was probably meant to be.
#pragma once

#include <optional>
#include <string_view>

namespace tcpflight {

// The long name nearest to an unknown option: by a letter or two, or by its beginning. `option` as it was given, value
// included: "--prot=80", "-port".
std::optional<std::string_view> nearest_flag(std::string_view option);

} // namespace tcpflight

// Names compared with a pattern: "*" stands for any bytes, "?" for one, "[a-z]" for one of these, "[!a-z]" for one of
// none of these; "\" takes the special meaning from the byte behind it, and "\xNN" is a byte by its number. Everything
// else stands for itself. "/" is no special byte, so "*" goes across it.
#pragma once

#include <string>
#include <string_view>

namespace tcpflight {

// Takes time in proportion to the product of both lengths, whatever the pattern.
bool glob_matches(std::string_view pattern, std::string_view text);

// The same pattern in printable ASCII without a single quote, so that it can stand between two, and without a backslash
// at the end that would take the second one with it.
std::string normal_pattern(std::string_view pattern);

// The pattern, normal, that matches `text` and nothing else.
std::string literal_pattern(std::string_view text);

} // namespace tcpflight

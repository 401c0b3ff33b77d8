#include "model/number.h"

#include <charconv>
#include <system_error>

namespace tcpflight {

std::optional<std::uint64_t> to_number(std::string_view text, std::uint64_t low, std::uint64_t high)
{
    std::uint64_t value = 0; // not signed: std::from_chars would take "-0"
    const char *end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || value < low || value > high)
        return std::nullopt;
    return value;
}

bool is_digits(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

} // namespace tcpflight

#include "model/number.h"

#include <charconv>
#include <limits>
#include <string>
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

std::optional<std::uint64_t> to_size(std::string_view text, std::uint64_t bare_unit)
{
    constexpr std::string_view letters = "kmgt";
    auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    std::string unit(text.substr(digits.size()));
    for (char &letter : unit)
        letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    std::uint64_t factor = bare_unit;
    if (!unit.empty()) {
        auto exponent = letters.find(unit.front());
        auto rest = std::string_view(unit).substr(1);
        if (exponent == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
            return std::nullopt;
        factor = 1;
        for (std::size_t step = 0; step <= exponent; step++)
            factor *= rest == "b" ? 1000U : 1024U;
    }
    auto count = to_number(digits, 0, std::numeric_limits<std::int64_t>::max() / factor);
    return count ? std::optional(*count * factor) : std::nullopt;
}

} // namespace tcpflight

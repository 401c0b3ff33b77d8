#include "filter/quote.h"

#include <cstddef>

namespace tcpflight {

std::string escape(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        bool plain = byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '\'';
        if (plain) {
            result += character;
            continue;
        }
        result += "\\x";
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

std::string quote(std::string_view text)
{
    constexpr std::size_t max_shown = 60;
    std::string result = "'" + escape(text.substr(0, max_shown));
    if (text.size() > max_shown)
        result += "...";
    return result + "'";
}

} // namespace tcpflight

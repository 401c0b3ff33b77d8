#include "filter/glob.h"

#include <cctype>
#include <cstddef>
#include <optional>

namespace tcpflight {
namespace {

std::optional<unsigned> hex_digit(char character)
{
    constexpr std::string_view digits = "0123456789abcdef";
    auto found = digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(character))));
    return found == std::string_view::npos ? std::nullopt : std::optional(static_cast<unsigned>(found));
}

void put_number(std::string &pattern, unsigned char byte)
{
    constexpr std::string_view digits = "0123456789abcdef";
    pattern += "\\x";
    pattern += digits[byte >> 4];
    pattern += digits[byte & 15];
}

// One byte that may be written with a backslash. Moves `at` behind it.
unsigned char take_byte(std::string_view pattern, std::size_t &at)
{
    auto byte = static_cast<unsigned char>(pattern[at++]);
    if (byte != '\\' || at == pattern.size())
        return byte;
    byte = static_cast<unsigned char>(pattern[at++]);
    if (byte != 'x' || at + 2 > pattern.size())
        return byte;
    auto high = hex_digit(pattern[at]);
    auto low = hex_digit(pattern[at + 1]);
    if (!high || !low)
        return byte;
    at += 2;
    return static_cast<unsigned char>(*high << 4 | *low);
}

// "[...]" at `at`: moves it behind. None: it is no list, because nothing ends it.
std::optional<bool> in_list(std::string_view pattern, std::size_t &at, unsigned char byte)
{
    std::size_t next = at + 1;
    bool negated = next < pattern.size() && (pattern[next] == '!' || pattern[next] == '^');
    next += negated ? 1 : 0;
    bool found = false;
    for (bool first = true; next < pattern.size(); first = false) {
        if (pattern[next] == ']' && !first) {
            at = next + 1;
            return found != negated;
        }
        unsigned char low = take_byte(pattern, next);
        unsigned char high = low;
        if (next + 1 < pattern.size() && pattern[next] == '-' && pattern[next + 1] != ']') {
            next++;
            high = take_byte(pattern, next);
        }
        found |= byte >= low && byte <= high;
    }
    return std::nullopt;
}

// Does what is at `at` stand for `byte`? Moves `at` behind it if so.
bool takes(std::string_view pattern, std::size_t &at, unsigned char byte)
{
    std::size_t next = at;
    bool taken = false;
    if (pattern[at] == '?') {
        next++;
        taken = true;
    } else if (auto listed = pattern[at] == '[' ? in_list(pattern, next, byte) : std::nullopt) {
        taken = *listed;
    } else {
        taken = take_byte(pattern, next) == byte;
    }
    if (taken)
        at = next;
    return taken;
}

} // namespace

// Only the last "*" can be mistaken about how much it stands for: what it took before was the least possible.
bool glob_matches(std::string_view pattern, std::string_view text)
{
    std::size_t at = 0;
    std::size_t done = 0;
    std::optional<std::size_t> behind_star;
    std::size_t star_took = 0;
    while (done < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            behind_star = ++at;
            star_took = done;
        } else if (at < pattern.size() && takes(pattern, at, static_cast<unsigned char>(text[done]))) {
            done++;
        } else if (behind_star) {
            at = *behind_star;
            done = ++star_took;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
        at++;
    return at == pattern.size();
}

std::string normal_pattern(std::string_view pattern)
{
    std::string normal;
    for (std::size_t at = 0; at < pattern.size(); at++) {
        bool is_escaped = pattern[at] == '\\' && at + 1 < pattern.size();
        at += is_escaped ? 1 : 0;
        auto byte = static_cast<unsigned char>(pattern[at]);
        if (byte < 0x20 || byte >= 0x7f || byte == '\'') {
            put_number(normal, byte);
            continue;
        }
        if (is_escaped || byte == '\\')
            normal += '\\';
        normal += pattern[at];
    }
    return normal;
}

std::string literal_pattern(std::string_view text)
{
    std::string pattern;
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte >= 0x7f || character == '\'') {
            put_number(pattern, byte);
            continue;
        }
        if (character == '*' || character == '?' || character == '[' || character == '\\')
            pattern += '\\';
        pattern += character;
    }
    return pattern;
}

} // namespace tcpflight

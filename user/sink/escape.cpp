#include "sink/escape.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::string_view hex = "0123456789abcdef";

bool is_plain(char c)
{
    return c >= 0x20 && c <= 0x7e && c != '\\';
}

bool is_plain_json(char c)
{
    return is_plain(c) && c != '"';
}

struct CodePoint {
    char32_t value = 0;
    std::size_t size = 0; // in bytes; 0: not UTF-8
};

std::uint8_t byte_at(std::string_view text, std::size_t index)
{
    return static_cast<std::uint8_t>(text[index]);
}

// The first code point of a text that is not empty (RFC 3629 section 3): no overlong form, no surrogate, nothing
// beyond U+10FFFF.
CodePoint first_code_point(std::string_view text)
{
    const std::uint8_t lead = byte_at(text, 0);
    if (lead < 0x80)
        return {lead, 1};
    std::size_t size = 0;
    char32_t smallest = 0;
    if ((lead & 0xe0) == 0xc0) {
        size = 2;
        smallest = 0x80;
    } else if ((lead & 0xf0) == 0xe0) {
        size = 3;
        smallest = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
        size = 4;
        smallest = 0x10000;
    }
    if (size == 0 || text.size() < size)
        return {};
    char32_t value = lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; i++) {
        const std::uint8_t next = byte_at(text, i);
        if ((next & 0xc0) != 0x80)
            return {};
        value = value << 6 | (next & 0x3fU);
    }
    const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < smallest || is_surrogate || value > 0x10ffff)
        return {};
    return {value, size};
}

// Invisible, and able to hide or reorder what stands beside it.
bool is_treacherous(char32_t c)
{
    struct Range {
        char32_t first;
        char32_t last;
    };
    static constexpr std::array<Range, 10> ranges{{
        {0x00, 0x1f},       // C0 controls
        {0x7f, 0x9f},       // DEL, C1 controls
        {0xad, 0xad},       // soft hyphen
        {0x61c, 0x61c},     // Arabic letter mark
        {0x200b, 0x200f},   // zero width, left-to-right and right-to-left marks
        {0x2028, 0x202e},   // line and paragraph separator, bidi embeddings and overrides
        {0x2060, 0x206f},   // word joiner, invisible operators, bidi isolates, deprecated formats
        {0xfeff, 0xfeff},   // byte order mark
        {0xfff9, 0xfffb},   // interlinear annotation
        {0xe0000, 0xe007f}, // tags
    }};
    return std::any_of(ranges.begin(), ranges.end(),
                       [c](const Range &range) { return c >= range.first && c <= range.last; });
}

void put_utf16_escape(LineWriter &line, std::uint32_t unit)
{
    line.put("\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        line.put(hex[unit >> shift & 0xf]);
}

void put_code_point_escape(LineWriter &line, char32_t c)
{
    if (c < 0x10000) {
        put_utf16_escape(line, c);
        return;
    }
    put_utf16_escape(line, 0xd800 + ((c - 0x10000) >> 10));
    put_utf16_escape(line, 0xdc00 + ((c - 0x10000) & 0x3ff));
}

} // namespace

void put_escaped(LineWriter &line, std::string_view untrusted)
{
    if (std::all_of(untrusted.begin(), untrusted.end(), is_plain)) [[likely]] {
        line.put(untrusted);
        return;
    }
    for (const char c : untrusted) {
        if (is_plain(c)) {
            line.put(c);
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(c);
        line.put("\\x");
        line.put(hex[byte >> 4]);
        line.put(hex[byte & 0xf]);
    }
}

void put_json_escaped(LineWriter &line, std::string_view untrusted)
{
    if (std::all_of(untrusted.begin(), untrusted.end(), is_plain_json)) [[likely]] {
        line.put(untrusted);
        return;
    }
    while (!untrusted.empty()) {
        const CodePoint c = first_code_point(untrusted);
        const std::size_t size = std::max<std::size_t>(c.size, 1);
        if (c.size == 0) {
            line.put("\xef\xbf\xbd"); // U+FFFD
        } else if (c.value == '"' || c.value == '\\') {
            line.put('\\');
            line.put(untrusted.front());
        } else if (is_treacherous(c.value)) {
            put_code_point_escape(line, c.value);
        } else {
            line.put(untrusted.substr(0, size));
        }
        untrusted.remove_prefix(size);
    }
}

} // namespace tcpflight

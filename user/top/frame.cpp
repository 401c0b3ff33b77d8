#include "top/frame.h"

#include "sink/color.h"
#include "sink/fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tcpflight {
namespace {

constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view erase_screen = "\x1b[0m\x1b[2J";
constexpr std::string_view erase_rest_of_line = "\x1b[K";

} // namespace

std::string cut_columns(std::string_view text, std::size_t columns)
{
    std::size_t width = 0;
    bool in_code = false;
    bool colored = false;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (in_code) {
            in_code = text[i] != 'm';
        } else if (text[i] == '\x1b') {
            in_code = true;
            colored = true;
        } else if (width++ == columns) {
            std::string cut(text.substr(0, i));
            return colored ? cut += color::reset : cut;
        }
    }
    return std::string(text);
}

std::string redraw(const Frame *shown, const Frame &next)
{
    std::string out;
    if (shown == nullptr)
        out += erase_screen;
    bool moved = false;
    for (std::size_t i = 0; i < next.lines.size(); i++) {
        const bool same = shown != nullptr && i < shown->lines.size() && shown->lines[i] == next.lines[i];
        if (same || (shown == nullptr && next.lines[i].empty()))
            continue;
        fmt::format_to(std::back_inserter(out), "\x1b[{};1H", i + 1);
        out += next.lines[i];
        out += color::reset;
        // Behind a full line the cursor stands on its last column, which would be erased.
        if (visible_width(next.lines[i]) < next.columns)
            out += erase_rest_of_line;
        moved = true;
    }
    if (shown != nullptr && shown->lines.size() > next.lines.size()) {
        fmt::format_to(std::back_inserter(out), "\x1b[{};1H\x1b[J", next.lines.size() + 1);
        moved = true;
    }
    const bool cursor_stays = shown != nullptr && shown->cursor == next.cursor;
    if (cursor_stays && (!moved || !next.cursor))
        return out;
    if (next.cursor)
        out += fmt::format("\x1b[{};{}H{}", next.cursor->second + 1, next.cursor->first + 1, show_cursor);
    else
        out += hide_cursor;
    return out;
}

} // namespace tcpflight

#include "sink/fold.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::string_view indent = "\n    ";
constexpr std::size_t indent_width = indent.size() - 1;

// Takes the text up to the next place for a break off `rest`, without the space there.
std::string_view take_part(std::string_view &rest)
{
    const std::size_t at = std::min(rest.find(": "), rest.find(", "));
    const auto part = rest.substr(0, at == std::string_view::npos ? at : at + 1);
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
}

} // namespace

std::size_t visible_width(std::string_view text)
{
    std::size_t width = 0;
    bool in_code = false;
    for (const char c : text) {
        if (in_code)
            in_code = c != 'm';
        else if (c == '\x1b')
            in_code = true;
        else
            width++;
    }
    return width;
}

namespace {

// Where `text` is broken at the latest: at its last space before which there is room, but not before `from`.
std::size_t break_in(std::string_view text, std::size_t from, std::size_t room)
{
    if (text.size() <= room)
        return text.size();
    const auto at = text.rfind(' ', room);
    return at != std::string_view::npos && at >= from ? at : std::min(text.find(' ', from), text.size());
}

// Without colours every byte has a column.
void wrap_plain(std::string &out, std::string_view text, std::size_t columns, std::size_t keep, std::size_t goes_on_at)
{
    for (std::size_t from = keep, room = columns;;) {
        const auto size = break_in(text, from, room);
        out += text.substr(0, size);
        out += '\n';
        text.remove_prefix(std::min(size + 1, text.size()));
        if (text.empty())
            return;
        out.append(goes_on_at, ' ');
        from = 0;
        room = columns - std::min(columns, goes_on_at);
    }
}

void wrap_colored(std::string &out, std::string_view text, std::size_t columns, std::size_t keep,
                  std::size_t goes_on_at)
{
    std::size_t used = 0;
    bool is_first = true;
    while (!text.empty()) {
        auto size = text.find(' ', is_first ? keep : 0);
        // The times in front hold colours, which take bytes and no columns.
        while (is_first && size != std::string_view::npos && visible_width(text.substr(0, size)) < keep)
            size = text.find(' ', size + 1);
        const auto word = text.substr(0, size);
        const auto width = visible_width(word);
        if (is_first) {
            out += word;
            used = width;
        } else if (used + 1 + width <= columns) {
            out += ' ';
            out += word;
            used += 1 + width;
        } else {
            out += '\n';
            out.append(goes_on_at, ' ');
            out += word;
            used = goes_on_at + width;
        }
        is_first = false;
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    out += '\n';
}

} // namespace

void wrap(std::string &out, std::string_view text, std::size_t columns, std::size_t keep, std::size_t goes_on_at)
{
    if (text.find('\x1b') == std::string_view::npos) {
        wrap_plain(out, text, columns, keep, goes_on_at);
    } else if (visible_width(text) <= columns) {
        out += text;
        out += '\n';
    } else {
        wrap_colored(out, text, columns, keep, goes_on_at);
    }
}

void Folder::fold(std::string &out, std::size_t begin, std::size_t columns)
{
    const std::size_t length = out.size() - 1 - begin;
    if (visible_width(std::string_view(out).substr(begin, length)) <= columns)
        return;

    line_.assign(out, begin, length);
    out.resize(begin);
    std::string_view rest = line_;
    const auto head = take_part(rest);
    out += head;
    std::size_t used = visible_width(head);
    while (!rest.empty()) {
        const auto part = take_part(rest);
        const std::size_t width = visible_width(part);
        const bool fits = used + 1 + width <= columns;
        if (fits)
            out += ' ';
        else
            out += indent;
        out += part;
        used = (fits ? used + 1 : indent_width) + width;
    }
    out += '\n';
}

} // namespace tcpflight

#include "top/line_editor.h"

#include <algorithm>

namespace tcpflight {

void LineEditor::take(const Key &key)
{
    switch (key.kind) {
    case Key::Kind::Char:
        if (text_.size() < max_size)
            text_.insert(cursor_++, 1, key.letter);
        break;
    case Key::Kind::Backspace:
        if (cursor_ != 0)
            text_.erase(--cursor_, 1);
        break;
    case Key::Kind::Delete:
        if (cursor_ < text_.size())
            text_.erase(cursor_, 1);
        break;
    case Key::Kind::Left: cursor_ -= std::min<std::size_t>(cursor_, 1); break;
    case Key::Kind::Right: cursor_ = std::min(cursor_ + 1, text_.size()); break;
    case Key::Kind::Home: cursor_ = 0; break;
    case Key::Kind::End: cursor_ = text_.size(); break;
    case Key::Kind::EraseLine:
        text_.erase(0, cursor_);
        cursor_ = 0;
        break;
    case Key::Kind::EraseWord: {
        const auto end = std::string_view(text_).substr(0, cursor_).find_last_not_of(' ');
        const auto blank = end == std::string::npos ? end : text_.rfind(' ', end);
        const auto begin = blank == std::string::npos ? 0 : blank + 1;
        text_.erase(begin, cursor_ - begin);
        cursor_ = begin;
        break;
    }
    default: break;
    }
}

std::pair<std::string_view, std::size_t> LineEditor::window(std::size_t width) const
{
    const auto begin = cursor_ < width ? 0 : cursor_ - width + 1;
    return {std::string_view(text_).substr(begin, width), cursor_ - begin};
}

} // namespace tcpflight

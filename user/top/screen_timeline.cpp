// One connection's timeline, as -g prints it.
#include "sink/color.h"
#include "sink/fold.h"
#include "top/screen.h"

#include <fmt/format.h>

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::size_t indent = 3;
constexpr std::string_view keys_of_timeline = "Esc back  up, down, PgUp, PgDn, Home, End scroll  p pause";

// Which columns of a line stay together, and where it goes on: as TimelineSink breaks them.
struct Shape {
    std::size_t keep;
    std::size_t goes_on_at;
};

Shape shape_of(std::string_view line, std::size_t text_column)
{
    constexpr std::string_view verdict = "   verdict: ";
    constexpr std::string_view look = "   look at: ";
    if (line.starts_with("== "))
        return {.keep = indent, .goes_on_at = indent};
    if (line.starts_with(verdict) || line.starts_with(look))
        return {.keep = indent, .goes_on_at = verdict.size()};
    const auto text = line.substr(std::min(line.size(), indent));
    if (text.starts_with("not ended") || text.starts_with("-- "))
        return {.keep = indent, .goes_on_at = indent + 2};
    return {.keep = text_column, .goes_on_at = text_column + 2};
}

} // namespace

void Screen::open_timeline()
{
    const auto *row = selected_row();
    if (row == nullptr)
        return;
    auto text = find_timeline_(row->connection);
    if (!text) {
        say("this connection is not known any more");
        return;
    }
    select(selected_); // it stays chosen, whatever moves meanwhile
    timeline_of_ = row->connection;
    timeline_ = std::move(*text);
    timeline_over_ = false;
    timeline_at_end_ = true;
    timeline_first_ = 0;
    mode_ = Mode::Timeline;
    break_timeline();
}

void Screen::refresh_timeline()
{
    auto text = find_timeline_(timeline_of_);
    timeline_over_ = !text;
    if (!text)
        return; // what was there last is still worth reading
    timeline_ = std::move(*text);
    break_timeline();
}

void Screen::break_timeline()
{
    timeline_lines_.clear();
    std::string_view rest = timeline_;
    std::string broken;
    // On a narrow screen there is no room for lines that go on below their beginning.
    const auto text_column = std::min(settings_.text_column, size_.columns / 2);
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        auto [keep, goes_on_at] = shape_of(line, text_column);
        broken.clear();
        wrap(broken, line, size_.columns, keep, std::min(goes_on_at, size_.columns / 2));
        for (std::string_view part = broken; !part.empty();) {
            const auto end = part.find('\n');
            timeline_lines_.emplace_back(part.substr(0, end));
            part.remove_prefix(end + 1);
        }
    }
    const auto height = timeline_height();
    const auto last = timeline_lines_.size() > height ? timeline_lines_.size() - height : 0;
    timeline_first_ = timeline_at_end_ ? last : std::min(timeline_first_, last);
}

std::size_t Screen::timeline_height() const
{
    return size_.lines > 2 ? size_.lines - 2 : 1;
}

bool Screen::press_timeline(const Key &key)
{
    if (key.kind == Key::Kind::Escape || key == Key{.kind = Key::Kind::Char, .letter = 'q'}) {
        mode_ = Mode::Table;
        timeline_.clear();
        timeline_lines_.clear();
    } else if (key == Key{.kind = Key::Kind::Char, .letter = 'p'}) {
        paused_ = !paused_;
    } else {
        scroll_timeline(key);
    }
    return true;
}

void Screen::scroll_timeline(const Key &key)
{
    const auto height = timeline_height();
    const auto last = timeline_lines_.size() > height ? timeline_lines_.size() - height : 0;
    auto &first = timeline_first_;
    switch (key.kind) {
    case Key::Kind::Up: first -= std::min<std::size_t>(first, 1); break;
    case Key::Kind::Down:
    case Key::Kind::Enter: first++; break;
    case Key::Kind::PageUp: first -= std::min(first, height); break;
    case Key::Kind::PageDown: first += height; break;
    case Key::Kind::Home: first = 0; break;
    case Key::Kind::End: first = last; break;
    case Key::Kind::Char: first += key.letter == ' ' ? height : 0; break; // as less has it
    default: break;
    }
    first = std::min(first, last);
    timeline_at_end_ = first == last;
}

void Screen::draw_timeline(Frame &frame) const
{
    const auto height = timeline_height();
    const auto end = std::min(timeline_first_ + height, timeline_lines_.size());
    std::string title = fmt::format("\x1b[7mtimeline  {}  lines {}-{} of {}", picture_.clock,
                                    timeline_lines_.empty() ? 0 : timeline_first_ + 1, end, timeline_lines_.size());
    if (paused_)
        title += "  PAUSED";
    if (timeline_over_)
        title += "  over: nothing follows any more";
    title.append(size_.columns > visible_width(title) ? size_.columns - visible_width(title) : 0, ' ');
    frame.lines.push_back(title += color::reset);
    for (auto i = timeline_first_; i < end; i++)
        frame.lines.push_back(timeline_lines_[i]);
    if (size_.lines > 2) {
        frame.lines.resize(size_.lines - 1);
        frame.lines.emplace_back(keys_of_timeline);
    }
}

} // namespace tcpflight

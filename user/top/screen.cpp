// Keys, and which rows are chosen. What is drawn of them is in screen_draw.cpp and screen_timeline.cpp.
#include "top/screen.h"

#include "top/choice.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tcpflight {
namespace {

using Kind = Key::Kind;

constexpr std::array<std::pair<char, TopKey>, top_keys> sort_letters{{{'V', TopKey::Verdict},
                                                                      {'S', TopKey::State},
                                                                      {'F', TopKey::InState},
                                                                      {'A', TopKey::Age},
                                                                      {'X', TopKey::Retransmits},
                                                                      {'T', TopKey::Rtt},
                                                                      {'L', TopKey::Local},
                                                                      {'M', TopKey::Remote},
                                                                      {'P', TopKey::Process},
                                                                      {'E', TopKey::Last}}};

// As far as letters stand for keys that some terminals lack: those of less and vi.
Key plain(const Key &key)
{
    if (key.kind != Kind::Char)
        return key;
    switch (key.letter) {
    case 'j': return {.kind = Kind::Down};
    case 'k': return {.kind = Kind::Up};
    case 'g': return {.kind = Kind::Home};
    case 'G': return {.kind = Kind::End};
    default: return key;
    }
}

} // namespace

Screen::Screen(Settings settings, const Names &names, FindTimeline find_timeline)
    : settings_(std::move(settings)), names_(&names), find_timeline_(std::move(find_timeline)), key_(settings_.sort)
{
}

void Screen::show(Picture picture)
{
    if (paused_)
        return;
    picture_ = std::move(picture);
    choose();
    if (mode_ == Mode::Timeline)
        refresh_timeline();
}

void Screen::resize(const ScreenSize &size)
{
    size_ = {.columns = std::max<std::size_t>(size.columns, 1), .lines = std::max<std::size_t>(size.lines, 1)};
    widths_ = heading_widths();
    break_timeline();
}

void Screen::choose()
{
    chosen_.clear();
    for (std::uint32_t i = 0; i < picture_.rows.size(); i++) {
        if (is_chosen(filter_, picture_.rows[i], picture_.now_ns))
            chosen_.push_back(i);
    }
    sort_rows(picture_.rows, key_, reversed_, picture_.now_ns, chosen_);
    if (!selected_connection_) {
        selected_ = 0;
        return;
    }
    const auto found = std::find_if(chosen_.begin(), chosen_.end(), [&](std::uint32_t i) {
        return picture_.rows[i].connection == *selected_connection_;
    });
    if (found != chosen_.end())
        selected_ = static_cast<std::size_t>(found - chosen_.begin());
    else
        select(selected_); // it is gone, and its neighbour takes its place
}

const Row *Screen::selected_row() const
{
    return selected_ < chosen_.size() ? &picture_.rows[chosen_[selected_]] : nullptr;
}

void Screen::select(std::size_t place)
{
    selected_ = chosen_.empty() ? 0 : std::min(place, chosen_.size() - 1);
    if (const auto *row = selected_row())
        selected_connection_ = row->connection;
    else
        selected_connection_.reset();
}

void Screen::move(std::ptrdiff_t by)
{
    const auto place = static_cast<std::ptrdiff_t>(selected_) + by;
    select(static_cast<std::size_t>(std::max<std::ptrdiff_t>(place, 0)));
}

void Screen::follow_selection()
{
    const auto height = body_height();
    if (selected_ < first_)
        first_ = selected_;
    if (height != 0 && selected_ >= first_ + height)
        first_ = selected_ - height + 1;
    // No empty lines below, while there are rows above.
    const auto last_first = chosen_.size() > height ? chosen_.size() - height : 0;
    first_ = std::min(first_, last_first);
}

bool Screen::press(const Key &key)
{
    message_.clear();
    switch (mode_) {
    case Mode::Table: return press_table(plain(key));
    case Mode::Timeline: return press_timeline(plain(key));
    case Mode::Filter: press_filter(key); break;
    case Mode::Help: mode_ = Mode::Table; break;
    }
    return true;
}

bool Screen::press_table(const Key &key)
{
    const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(body_height(), 1));
    switch (key.kind) {
    case Kind::Char: return press_letter(key.letter);
    case Kind::Up: move(-1); break;
    case Kind::Down: move(1); break;
    case Kind::PageUp: move(-page); break;
    case Kind::PageDown: move(page); break;
    case Kind::Home:
        selected_connection_.reset();
        selected_ = 0;
        break;
    case Kind::End: select(chosen_.size()); break;
    case Kind::Left: step_key(-1); break;
    case Kind::Right: step_key(1); break;
    case Kind::Enter: open_timeline(); break;
    case Kind::Help: mode_ = Mode::Help; break;
    default: break;
    }
    return true;
}

bool Screen::press_letter(char letter)
{
    const auto *sorts = std::find_if(sort_letters.begin(), sort_letters.end(),
                                     [&](const auto &entry) { return entry.first == letter; });
    if (sorts != sort_letters.end()) {
        sort_by(sorts->second);
        return true;
    }
    switch (letter) {
    case 'q': return false;
    case '<': step_key(-1); break;
    case '>': step_key(1); break;
    case 'r':
    case 'R':
        reversed_ = !reversed_;
        choose();
        break;
    case 'p':
    case ' ': paused_ = !paused_; break;
    case '/':
    case 'f':
        editor_ = LineEditor(filter_text_);
        filter_error_.clear();
        mode_ = Mode::Filter;
        break;
    case 'h':
    case '?': mode_ = Mode::Help; break;
    default: break;
    }
    return true;
}

void Screen::sort_by(TopKey key)
{
    reversed_ = false;
    key_ = key;
    choose();
}

void Screen::step_key(int by)
{
    sort_by(static_cast<TopKey>((static_cast<int>(key_) + by + top_keys) % top_keys));
}

void Screen::press_filter(const Key &key)
{
    if (key.kind == Kind::Enter) {
        apply_filter();
    } else if (key.kind == Kind::Escape) {
        filter_error_.clear();
        mode_ = Mode::Table;
    } else {
        filter_error_.clear();
        editor_.take(key);
    }
}

void Screen::apply_filter()
{
    auto filter = parse_choice(editor_.text(), *names_);
    if (!filter) {
        filter_error_ = filter.error().message;
        return;
    }
    filter_ = std::move(*filter);
    filter_text_ = filter_.is_open() ? std::string() : editor_.text();
    filter_error_.clear();
    widths_ = heading_widths();
    mode_ = Mode::Table;
    choose();
}

} // namespace tcpflight

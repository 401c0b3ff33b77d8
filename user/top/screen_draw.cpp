// The table, its header, and the help.
#include "sink/color.h"
#include "sink/escape.h"
#include "sink/fold.h"
#include "top/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace tcpflight {
namespace {

constexpr std::string_view reverse = "\x1b[7m";
constexpr std::array<std::string_view, 7> keys_of_table{"q quit",    "Enter timeline", "/ filter", "< > sort",
                                                        "r reverse", "p pause",        "? help"};

constexpr std::array states_in_order{TcpState::Listen,   TcpState::SynSent,  TcpState::SynRecv,   TcpState::Established,
                                     TcpState::FinWait1, TcpState::FinWait2, TcpState::CloseWait, TcpState::Closing,
                                     TcpState::LastAck,  TcpState::TimeWait};

constexpr std::string_view help_lines = R"(Keys

  up, down, k, j         the connection before, the next one
  PgUp, PgDn             a page
  Home, End, g, G        the first, the last
  Enter                  its timeline, with its verdict; Esc or q leaves it
  /, f                   filter: only rows for which an expression holds, such as
                         "port 443 and retransmits > 3"; an empty one: all
  <, >, left, right      sort by the column before, the next one
  V S F A X              sort by verdict, state, time in it, age, retransmissions
  T L M P E              by round-trip time, local, remote, process, last event
  r                      reverse the order
  p, blank               pause: nothing moves; what happens is kept meanwhile
  ^L                     draw the screen again
  q, ^C                  quit

Faint rows have ended; one with an alarm stays for a minute. `tcpflight explain
VERDICT` tells what a verdict means.)";

std::string escaped(std::string_view untrusted)
{
    std::string out;
    LineWriter line(out);
    put_escaped(line, untrusted);
    line.finish();
    out.pop_back();
    return out;
}

// "12", "0.5": a tenth matters where little happens.
std::string rate(std::uint64_t count, std::uint64_t elapsed_ns)
{
    if (elapsed_ns == 0)
        return "-";
    constexpr double ns_per_s = 1e9;
    constexpr double many = 10;
    const double per_s = static_cast<double>(count) * ns_per_s / static_cast<double>(elapsed_ns);
    return per_s == 0 ? "0" : fmt::format("{:.{}f}", per_s, per_s < many ? 1 : 0);
}

std::vector<std::string> split_lines(std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

// Whole words, as far as they fit.
class Items {
public:
    explicit Items(std::size_t columns) : columns_(columns) {}
    void add(const std::string &item)
    {
        const auto width = visible_width(item) + (text_.empty() ? 0 : 2);
        if (used_ + width > columns_ && !text_.empty()) {
            columns_ = 0;
            return;
        }
        text_ += text_.empty() ? "" : "  ";
        text_ += item;
        used_ += width;
    }
    [[nodiscard]] const std::string &text() const { return text_; }

private:
    std::size_t columns_;
    std::size_t used_ = 0;
    std::string text_;
};

} // namespace

std::string Screen::in_color(std::string_view code, std::string_view text) const
{
    if (!settings_.color || text.empty())
        return std::string(text);
    return fmt::format("{}{}{}", code, text, color::reset);
}

std::string Screen::title() const
{
    Items items(size_.columns);
    items.add(fmt::format("{}tcpflight top{}", color::bold, color::reset));
    items.add(escaped(settings_.host));
    items.add(picture_.clock);
    if (paused_)
        items.add(fmt::format("{}PAUSED{}", reverse, color::reset));
    items.add(fmt::format("by {}{}", name(key_), reversed_ ? ", reversed" : ""));
    items.add(fmt::format("every {}", time_text(settings_.delay_ns)));
    return items.text();
}

std::string Screen::rates() const
{
    const auto alarms =
        std::count_if(picture_.rows.begin(), picture_.rows.end(), [](const Row &row) { return row.is_alarm(); });
    const auto &counts = picture_.counts;
    const auto trouble = [&](std::string_view what, std::uint64_t number) {
        const auto text = fmt::format("{} {}", what, number);
        return number == 0 ? text : in_color(color::trouble, text);
    };
    Items items(size_.columns);
    items.add(trouble("alarms", static_cast<std::uint64_t>(alarms)));
    items.add(trouble("lost", picture_.lost));
    for (const auto &[what, number] :
         {std::pair("forgotten", picture_.forgotten), std::pair("undecided", picture_.undecided),
          std::pair("malformed", picture_.malformed), std::pair("unfollowed", counts.unfollowed)}) {
        if (number != 0)
            items.add(trouble(what, number));
    }
    items.add("events/s " + rate(counts.events, picture_.elapsed_ns));
    items.add("retransmits/s " + rate(counts.retransmits, picture_.elapsed_ns));
    items.add("resets/s " + rate(counts.resets, picture_.elapsed_ns));
    items.add("new/s " + rate(counts.begun, picture_.elapsed_ns));
    items.add("ended/s " + rate(counts.ended, picture_.elapsed_ns));
    if (counts.ended_unshown != 0)
        items.add(fmt::format("ended unshown {}", counts.ended_unshown));
    return items.text();
}

// Lines, broken behind commas.
std::vector<std::string> Screen::state_counts() const
{
    const auto total = std::accumulate(picture_.states.begin(), picture_.states.end(), std::uint64_t{0});
    std::vector<std::string> lines{fmt::format("{} connection{}", total, total == 1 ? "" : "s")};
    bool is_first = true;
    for (const auto state : states_in_order) {
        const auto count = picture_.states.at(static_cast<std::size_t>(state));
        if (count == 0)
            continue;
        const auto item = fmt::format("{} {}", count, in_color(color::of(state), name(state)));
        lines.back() += is_first ? ':' : ',';
        is_first = false;
        if (visible_width(lines.back()) + 1 + visible_width(item) + 1 > size_.columns)
            lines.push_back("  " + item);
        else
            lines.back() += ' ' + item;
    }
    return lines;
}

std::string Screen::filters() const
{
    std::string text;
    if (!settings_.filter.empty())
        text = "only " + escaped(settings_.filter);
    if (!filter_text_.empty())
        text += fmt::format("{}filter: {}  ({} of {})", text.empty() ? "" : "  ", filter_text_, chosen_.size(),
                            picture_.rows.size());
    return text;
}

std::vector<std::string> Screen::header() const
{
    constexpr std::size_t lines_for_one = 6;
    constexpr std::size_t lines_for_all = 10;
    constexpr std::size_t lines_for_more = 16;
    if (size_.lines < lines_for_one)
        return {};
    if (size_.lines < lines_for_all)
        return {rates()};
    std::vector<std::string> lines{title(), rates()};
    auto count_lines = state_counts();
    count_lines.resize(std::min<std::size_t>(count_lines.size(), size_.lines < lines_for_more ? 1 : 3));
    lines.insert(lines.end(), count_lines.begin(), count_lines.end());
    if (auto said = filters(); !said.empty())
        lines.push_back(cut_columns(said, size_.columns));
    return lines;
}

// The last lines.
std::vector<std::string> Screen::bottom() const
{
    if (size_.lines < 3)
        return {};
    if (mode_ != Mode::Filter) {
        if (!message_.empty())
            return {cut_columns(escaped(message_), size_.columns)};
        Items keys(size_.columns);
        for (const auto key : keys_of_table)
            keys.add(std::string(key));
        return {keys.text()};
    }
    std::vector<std::string> lines;
    for (const auto &line : split_lines(filter_error_)) {
        std::string broken;
        wrap(broken, line, size_.columns, 1, 2);
        for (const auto &part : split_lines(broken))
            lines.push_back(cut_columns(part, size_.columns));
    }
    for (auto &line : lines)
        line = in_color(color::trouble, line);
    // The rows are not to vanish behind a long sentence.
    lines.resize(std::min(lines.size(), size_.lines / 2));
    constexpr std::string_view prompt = "filter: ";
    const auto width = size_.columns > prompt.size() ? size_.columns - prompt.size() : 1;
    lines.push_back(cut_columns(fmt::format("{}{}", prompt, editor_.window(width).first), size_.columns));
    return lines;
}

std::size_t Screen::body_height() const
{
    const auto used = header().size() + 1 + bottom().size();
    return size_.lines > used ? size_.lines - used : 0;
}

Frame Screen::draw()
{
    Frame frame;
    frame.columns = size_.columns;
    switch (mode_) {
    case Mode::Table:
    case Mode::Filter: draw_table(frame); break;
    case Mode::Timeline: draw_timeline(frame); break;
    case Mode::Help: draw_help(frame); break;
    }
    frame.lines.resize(size_.lines);
    for (auto &line : frame.lines)
        line = cut_columns(line, size_.columns);
    return frame;
}

void Screen::draw_table(Frame &frame)
{
    follow_selection();
    frame.lines = header();
    const auto height = body_height();
    std::vector<const Row *> rows;
    for (std::size_t i = first_; i < std::min(first_ + height, chosen_.size()); i++)
        rows.push_back(&picture_.rows[chosen_[i]]);
    widen(widths_, rows, picture_.now_ns);
    const auto columns = place_columns(widths_, size_.columns);
    draw_headings(frame, columns);
    for (std::size_t i = 0; i < rows.size(); i++)
        draw_row(frame, columns, *rows[i], first_ + i == selected_);
    const auto last = bottom();
    frame.lines.resize(std::max(size_.lines, last.size()) - last.size());
    frame.lines.insert(frame.lines.end(), last.begin(), last.end());
    if (mode_ == Mode::Filter && !last.empty()) {
        constexpr std::size_t prompt = 8;
        const auto width = size_.columns > prompt ? size_.columns - prompt : 1;
        frame.cursor = {std::min(prompt + editor_.window(width).second, size_.columns - 1), size_.lines - 1};
    }
}

void Screen::draw_headings(Frame &frame, const std::vector<PlacedColumn> &columns) const
{
    std::string line(reverse);
    std::size_t used = 0;
    for (const auto &[column, width] : columns) {
        if (used != 0) {
            line += ' ';
            used++;
        }
        const auto cell = fit_cell(column, heading(column), width);
        const bool sorts = key_of(column) == key_;
        line += sorts ? fmt::format("{}{}{}{}", color::bold, cell, color::reset, reverse) : cell;
        used += width;
    }
    line.append(size_.columns > used ? size_.columns - used : 0, ' ');
    frame.lines.push_back(line += color::reset);
}

void Screen::draw_row(Frame &frame, const std::vector<PlacedColumn> &columns, const Row &row, bool is_selected) const
{
    std::string line;
    std::string cell;
    std::size_t used = 0;
    const bool faint = row.has_ended() && !is_selected;
    if (is_selected)
        line += settings_.color && row.is_alarm() ? color::lost : reverse;
    else if (faint)
        line += color::faint;
    for (const auto &[column, width] : columns) {
        if (used != 0) {
            line += ' ';
            used++;
        }
        put_cell(column, row, picture_.now_ns, cell);
        const auto fitted = fit_cell(column, cell, width);
        used += width;
        if (!is_selected && column == TopColumn::Verdict && row.is_alarm())
            line += in_color(color::trouble, fitted) + std::string(faint ? color::faint : std::string_view());
        else if (!is_selected && !faint && column == TopColumn::State)
            line += in_color(color::of(row.state), fitted);
        else
            line += fitted;
    }
    if (is_selected)
        line.append(size_.columns > used ? size_.columns - used : 0, ' ');
    frame.lines.push_back(line += color::reset);
}

void Screen::draw_help(Frame &frame) const
{
    frame.lines = split_lines(help_lines);
    frame.lines.resize(std::min(frame.lines.size(), size_.lines - 1));
    frame.lines.resize(size_.lines - 1);
    frame.lines.emplace_back("any key goes back");
}

} // namespace tcpflight

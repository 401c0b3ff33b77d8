#include "sink/time_column.h"

#include "sink/line_writer.h"

#include <string_view>

namespace tcpflight {

TimeColumn::TimeColumn(const OutputStyle &style)
{
    using std::string_view_literals::operator""sv;
    auto longest = ""sv;
    switch (style.time) {
    case TimeStyle::Clock: // nothing was asked for
    case TimeStyle::None: return;
    case TimeStyle::Epoch:
        time_ = ClockText(ClockText::Shape::Epoch, style.precision);
        longest = "1795292931.001203"sv;
        break;
    case TimeStyle::DateClock:
        time_ = ClockText(ClockText::Shape::DateClock, style.precision);
        longest = "2026-11-21 20:28:51.001203"sv;
        break;
    case TimeStyle::DeltaLine:
        time_ = DeltaText(DeltaText::Since::LineBefore, style.precision);
        longest = " 00:00:00.000108"sv;
        break;
    case TimeStyle::DeltaStart:
        time_ = DeltaText(DeltaText::Since::FirstLine, style.precision);
        longest = " 00:00:08.347958"sv;
        break;
    }
    width_ = longest.size() + (style.precision == TimePrecision::Nano ? 3 : 0);
}

void TimeColumn::put_title(std::string &out) const
{
    if (width_ == 0)
        return;
    const auto begin = out.size();
    out += "TIME";
    fill_up(out, begin);
}

void TimeColumn::put(std::string &out, std::uint64_t time_ns)
{
    if (width_ == 0)
        return;
    const auto begin = out.size();
    LineWriter line(out);
    if (auto *clock = std::get_if<ClockText>(&time_))
        clock->put(line, anchor_.to_wall(time_ns));
    else if (auto *delta = std::get_if<DeltaText>(&time_))
        delta->put(line, time_ns);
    line.finish();
    out.pop_back();
    fill_up(out, begin);
}

void TimeColumn::fill_up(std::string &out, std::size_t begin) const
{
    const auto taken = out.size() - begin;
    out.append(taken < width_ ? width_ - taken + 1 : 1, ' ');
}

} // namespace tcpflight

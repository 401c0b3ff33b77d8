// The time of day in front of the columns of other tools, where -tt, -ttt, -tttt or -ttttt asks for it: without, they
// have none.
#pragma once

#include "model/clock.h"
#include "sink/clock_text.h"
#include "sink/style.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

namespace tcpflight {

class TimeColumn {
public:
    explicit TimeColumn(const OutputStyle &style);

    void set_clock(const ClockAnchor &anchor) { anchor_ = anchor; }
    // "TIME", filled up; nothing if there is no such column.
    void put_title(std::string &out) const;
    // CLOCK_BOOTTIME.
    void put(std::string &out, std::uint64_t time_ns);

private:
    void fill_up(std::string &out, std::size_t begin) const;

    std::variant<std::monostate, ClockText, DeltaText> time_;
    std::size_t width_ = 0;
    ClockAnchor anchor_;
};

} // namespace tcpflight

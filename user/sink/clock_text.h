// Moments as text. The part down to the second is made once a second; the calendar is what a time stamp costs.
#pragma once

#include "sink/line_writer.h"
#include "sink/style.h"

#include <limits>
#include <optional>

namespace tcpflight {

// A moment on the wall clock.
class ClockText {
public:
    enum class Shape : std::uint8_t {
        Clock,     // 20:28:51.001203, local time
        DateClock, // 2026-11-21 20:28:51.001203, local time
        Epoch,     // 1795292931.001203
        Rfc3339,   // 2026-11-21T20:28:51.001203Z
    };

    // The time zone is TZ's, or the system's, as tzset(3) last read it.
    ClockText(Shape shape, TimePrecision precision) : shape_(shape), nano_(precision == TimePrecision::Nano) {}

    // `wall_ns`: nanoseconds since the epoch, UTC.
    void put(LineWriter &line, std::int64_t wall_ns);

private:
    void enter_second(std::int64_t wall_ns);

    Shape shape_;
    bool nano_;
    std::int64_t second_begin_ns_ = std::numeric_limits<std::int64_t>::min(); // of the second that prefix_ is for
    std::array<char, 32> prefix_{};                                           // "20:28:51."
    std::size_t prefix_size_ = 0;
};

// The distance between two moments, as tcpdump's -ttt has it: " 00:00:00.000108", with '-' for one that lies before.
// Hours go on beyond 24.
class DeltaText {
public:
    enum class Since : std::uint8_t { LineBefore, FirstLine };

    DeltaText(Since since, TimePrecision precision) : since_(since), nano_(precision == TimePrecision::Nano) {}

    // Since `begin_ns`.
    DeltaText(std::uint64_t begin_ns, TimePrecision precision) : DeltaText(Since::FirstLine, precision)
    {
        reference_ns_ = begin_ns;
    }

    // `time_ns`: of any clock, always the same. Kernel time, so that a clock step makes no distance.
    void put(LineWriter &line, std::uint64_t time_ns);

private:
    Since since_;
    bool nano_;
    std::optional<std::uint64_t> reference_ns_;
};

} // namespace tcpflight

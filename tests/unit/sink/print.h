// What a sink makes of events.
#pragma once

#include "sink/make_sink.h"

#include "support/event_builder.h"

#include <initializer_list>
#include <string>

namespace tcpflight::test {

// 2026-11-21T20:28:51Z: where the kernel's clock of these tests starts.
constexpr std::int64_t start_ns = 1'795'292'931'000'000'000;
constexpr ClockAnchor start{.boot_ns = 0, .wall_ns = start_ns};

inline std::string print(const OutputStyle &style, std::initializer_list<EventBuilder> events)
{
    auto sink = make_sink(style);
    sink->set_clock(start);
    std::string out;
    for (const auto &builder : events) {
        const auto event = builder.build();
        sink->write(event.view(), out);
    }
    return out;
}

// The part of a text line that is about the event: no time.
inline std::string print_text(const EventBuilder &event, OutputStyle style = {})
{
    style.time = TimeStyle::None;
    return print(style, {event});
}

} // namespace tcpflight::test

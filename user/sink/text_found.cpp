// A socket that was there when it was looked for, and one that was not.
#include "sink/color.h"
#include "sink/duration.h"
#include "sink/text.h"
#include "sink/text_parts.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Found &found)
{
    put_tuple(line, event);
    line.put("found ");
    put_state(line, found.state);
    if (style_.quiet)
        return;
    if (found.status.in_state_ns) {
        line.put(" for ");
        put_duration(line, *found.status.in_state_ns, style_.precision);
    }
    put_owner(line, event.identity);
    if (!style_.metrics)
        return;
    put_details(line, event.identity, found.metrics ? &*found.metrics : nullptr, true);
    if (found.status.timer != Timer::None) {
        line.put(", ");
        line.put(name(found.status.timer));
        line.put(" timer ");
        put_duration(line, found.status.timer_left_us * ns_per_us, style_.precision);
        if (found.status.retries != 0)
            put_labelled(line, ", retries ", found.status.retries);
    }
}

void TextSink::put_what(LineWriter &line, const Event &event, const Gone &gone)
{
    put_tuple(line, event);
    put_in_color(line, color::trouble);
    line.put("gone");
    put_in_color(line, color::reset);
    line.put(", last seen in ");
    put_state(line, gone.state);
    put_gap(line, event);
    if (style_.quiet)
        return;
    line.put(' ');
    put_duration(line, gone.unseen_ns, style_.precision);
    line.put(" before");
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

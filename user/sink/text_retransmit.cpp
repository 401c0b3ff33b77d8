#include "sink/color.h"
#include "sink/duration.h"
#include "sink/errno_name.h"
#include "sink/segment_text.h"
#include "sink/text.h"
#include "sink/text_parts.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Retransmit &retransmit)
{
    put_tuple(line, event);
    put_in_color(line, color::trouble);
    if (retransmit.send_error != 0) {
        line.put("cannot send (");
        put_errno(line, retransmit.send_error);
        line.put("): ");
        put_segment(line, retransmit);
    } else {
        line.put("retransmit ");
        put_segment(line, retransmit);
        put_labelled(line, " #", retransmit.attempt);
    }
    put_in_color(line, color::reset);
    line.put(" in ");
    put_state(line, retransmit.state);
    if (!style_.quiet)
        put_kind(line, retransmit);
    put_gap(line, event);
    if (style_.quiet)
        return;
    if (retransmit.metrics.rto_us != 0) {
        line.put(", RTO ");
        put_duration(line, retransmit.metrics.rto_us * ns_per_us, style_.precision);
    }
    if (retransmit.silent_ns) {
        line.put(", silent for ");
        put_duration(line, *retransmit.silent_ns, style_.precision);
    }
    if (retransmit.gives_up_ns) {
        line.put(", gives up in ");
        put_duration(line, about(*retransmit.gives_up_ns), style_.precision);
    }
    put_owner(line, event.identity);
    if (!style_.metrics)
        return;
    if (retransmit.backoff != 0)
        put_labelled(line, ", back-off ", retransmit.backoff);
    put_details(line, event.identity, &retransmit.metrics, false);
}

void TextSink::put_what(LineWriter &line, const Event &event, const CongestionChange &change)
{
    put_tuple(line, event);
    line.put("congestion ");
    line.put(name(change.from));
    line.put(" -> ");
    line.put(name(change.to));
    line.put(" in ");
    put_state(line, change.state);
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, &change.metrics, true);
}

} // namespace tcpflight

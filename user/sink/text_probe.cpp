#include "sink/color.h"
#include "sink/probe_text.h"
#include "sink/text.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Probe &probe)
{
    put_tuple(line, event);
    put_in_color(line, color::trouble);
    put_probe(line, probe);
    put_in_color(line, color::reset);
    line.put(" in ");
    put_state(line, probe.state);
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_probe_times(line, probe, style_.precision);
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

#include "sink/color.h"
#include "sink/text.h"
#include "sink/verdict_text.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Verdict &verdict)
{
    const bool alarm = severity_of(verdict.kind) == Severity::Alarm && !verdict.over;
    put_tuple(line, event);
    line.put("verdict ");
    if (alarm)
        put_in_color(line, color::trouble);
    line.put(name(verdict.kind));
    if (alarm)
        put_in_color(line, color::reset);
    if (verdict.over)
        line.put(" is over");
    if (style_.quiet)
        return;
    line.put(": ");
    put_evidence(line, verdict, style_.precision);
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

#include "sink/duration.h"
#include "sink/text.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Accept &accept)
{
    put_tuple(line, event);
    line.put("accepted");
    if (accept.state != TcpState::Established) {
        line.put(" in ");
        put_state(line, accept.state);
    }
    if (accept.queued_ns && !style_.quiet) {
        line.put(" after ");
        put_duration(line, *accept.queued_ns, style_.precision);
        line.put(" in the accept queue");
    }
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

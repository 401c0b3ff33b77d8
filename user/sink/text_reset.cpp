#include "sink/color.h"
#include "sink/text.h"
#include "sink/text_parts.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Reset &reset)
{
    put_tuple(line, event);
    put_in_color(line, color::trouble);
    line.put(reset.direction == ResetDirection::Sent ? std::string_view("reset sent")
                                                     : std::string_view("reset received"));
    put_in_color(line, color::reset);
    if (reset.state != TcpState::Close) {
        line.put(" in ");
        put_state(line, reset.state);
    }
    put_gap(line, event);
    if (style_.quiet)
        return;
    if (reset.reason == ResetReason::Other) {
        put_labelled(line, ": the kernel's reason ", reset.kernel_reason);
    } else if (reset.reason != ResetReason::Unknown) {
        line.put(": ");
        line.put(describe(reset.reason));
    }
    // Where there is no connection, nobody owns it.
    if (event.connection != 0 || (event.identity != nullptr && event.identity->owner.is_known()))
        put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

// Handshakes of which no socket came yet, and the queues of their listeners.
#include "sink/handshake_text.h"
#include "sink/text.h"
#include "sink/text_parts.h"

namespace tcpflight {

void TextSink::put_what(LineWriter &line, const Event &event, const Handshake &handshake)
{
    put_tuple(line, event);
    put_handshake(line, handshake, style_);
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_owner(line, event.identity);
    if (style_.metrics)
        put_details(line, event.identity, nullptr, false);
}

void TextSink::put_what(LineWriter &line, const Event &event, const ListenQueue &queue)
{
    put_tuple(line, event);
    put_listen_queue(line, queue, style_);
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_owner(line, event.identity);
    if (!style_.metrics)
        return;
    if (queue.syn_queue)
        put_labelled(line, ", SYN queue ", *queue.syn_queue);
    put_labelled(line, ", dropped in all ", queue.dropped_in_all);
    put_details(line, event.identity, nullptr, false);
}

} // namespace tcpflight

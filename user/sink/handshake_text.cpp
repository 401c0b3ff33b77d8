#include "sink/handshake_text.h"

#include "sink/color.h"
#include "sink/duration.h"
#include "sink/text_parts.h"

namespace tcpflight {
namespace {

void put_in_color(LineWriter &line, const OutputStyle &style, std::string_view code)
{
    if (style.color)
        line.put(code);
}

void put_ack(LineWriter &line, const Handshake &handshake)
{
    if (handshake.acknowledged)
        line.put(", acknowledged");
}

void put_retransmit(LineWriter &line, const Handshake &handshake, const OutputStyle &style)
{
    put_in_color(line, style, color::trouble);
    put_labelled(line, "retransmit SYN-ACK #", handshake.attempt);
    put_in_color(line, style, color::reset);
    if (style.quiet)
        return;
    line.put(handshake.syn_repeated ? std::string_view(" (SYN again)") : std::string_view(" (RTO)"));
    if (handshake.rto_ns) {
        line.put(", RTO ");
        put_duration(line, *handshake.rto_ns, style.precision);
    }
    if (handshake.since_syn_ns) {
        line.put(", SYN ");
        put_duration(line, *handshake.since_syn_ns, style.precision);
        line.put(" ago");
    }
    put_ack(line, handshake);
    if (handshake.gives_up_ns) {
        line.put(", gives up in ");
        put_duration(line, about(*handshake.gives_up_ns), style.precision);
    }
}

void put_end(LineWriter &line, const Handshake &handshake, const OutputStyle &style)
{
    put_in_color(line, style, color::trouble);
    line.put("handshake not completed");
    put_in_color(line, style, color::reset);
    if (style.quiet)
        return;
    const bool told = handshake.end != HandshakeEnd::Unknown;
    if (told) {
        line.put(": ");
        line.put(describe(handshake.end));
    }
    if (handshake.since_syn_ns) {
        line.put(told ? std::string_view(" after ") : std::string_view(" within "));
        put_duration(line, *handshake.since_syn_ns, style.precision);
    }
    put_labelled(line, ", ", std::uint64_t{handshake.attempt} + 1);
    line.put(handshake.attempt == 0 ? std::string_view(" SYN-ACK sent") : std::string_view(" SYN-ACKs sent"));
    put_ack(line, handshake);
}

// " (2 of 1)".
void put_fill(LineWriter &line, std::uint32_t length, std::uint32_t limit)
{
    put_labelled(line, " (", length);
    put_labelled(line, " of ", limit);
    line.put(')');
}

} // namespace

void put_handshake(LineWriter &line, const Handshake &handshake, const OutputStyle &style)
{
    switch (handshake.step) {
    case HandshakeStep::SynReceived: line.put("SYN received"); break;
    case HandshakeStep::SynAckRetransmit: put_retransmit(line, handshake, style); break;
    case HandshakeStep::NotCompleted: put_end(line, handshake, style); break;
    }
}

void put_listen_queue(LineWriter &line, const ListenQueue &queue, const OutputStyle &style)
{
    put_in_color(line, style, color::trouble);
    if (queue.accept_queue_is_full()) {
        line.put("accept queue full");
        put_fill(line, queue.accept_queue, queue.limit);
    } else if (queue.syn_queue_is_full()) {
        line.put("SYN queue full");
        put_fill(line, *queue.syn_queue, queue.limit);
    } else {
        line.put("accept queue");
        put_fill(line, queue.accept_queue, queue.limit);
    }
    if (const auto dropped = queue.dropped.value_or(queue.dropped_in_all); dropped != 0) {
        put_labelled(line, ", ", dropped);
        line.put(queue.dropped ? std::string_view(" dropped") : std::string_view(" dropped so far"));
        if (queue.with_room != 0) {
            put_labelled(line, " (", queue.with_room);
            line.put(" not known as overflow)");
        }
    }
    put_in_color(line, style, color::reset);
    if (queue.syn_cookies)
        line.put(", answers with SYN cookies");
}

} // namespace tcpflight

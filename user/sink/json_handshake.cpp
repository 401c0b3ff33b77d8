// Handshakes of which no socket came yet, and the queues of their listeners.
#include "sink/json.h"
#include "sink/json_parts.h"

namespace tcpflight {

void JsonSink::put_what(LineWriter &line, const Event &event, const Handshake &handshake)
{
    line.put(R"(","event":"handshake")");
    put_connection(line, event);
    line.put(R"(,"step":")");
    line.put(name(handshake.step));
    put_number(line, R"(","attempt":)", handshake.attempt);
    put_flag(line, ",\"syn_repeated\":", handshake.syn_repeated);
    put_flag(line, ",\"acknowledged\":", handshake.acknowledged);
    put_duration(line, ",\"since_syn_us\":", handshake.since_syn_ns);
    put_number_or_null(line, ",\"rto_us\":", handshake.rto_ns.value_or(0) / 1000);
    put_number_or_null(line, ",\"gives_up_us\":", handshake.gives_up_ns.value_or(0) / 1000);
    if (handshake.step != HandshakeStep::NotCompleted) {
        line.put(",\"reason\":null");
        return;
    }
    line.put(",\"reason\":\"");
    line.put(name(handshake.end));
    line.put('"');
}

void JsonSink::put_what(LineWriter &line, const Event &event, const ListenQueue &queue)
{
    line.put(R"(","event":"listen_queue")");
    put_connection(line, event);
    put_number(line, ",\"accept_queue\":", queue.accept_queue);
    line.put(",\"syn_queue\":");
    if (queue.syn_queue)
        line.put_decimal(*queue.syn_queue);
    else
        line.put("null");
    put_number(line, ",\"limit\":", queue.limit);
    line.put(",\"dropped\":");
    if (queue.dropped)
        line.put_decimal(*queue.dropped);
    else
        line.put("null");
    put_number(line, ",\"dropped_otherwise\":", queue.with_room);
    put_number(line, ",\"dropped_in_all\":", queue.dropped_in_all);
    put_flag(line, ",\"syn_cookies\":", queue.syn_cookies);
}

} // namespace tcpflight

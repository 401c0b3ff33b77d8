#include "top/last_event.h"

#include "sink/handshake_text.h"
#include "sink/line_writer.h"
#include "sink/probe_text.h"

namespace tcpflight {
namespace {

std::string_view segment(const Retransmit &retransmit)
{
    if ((retransmit.flags & tcp_flag::syn) != 0)
        return (retransmit.flags & tcp_flag::ack) != 0 ? "SYN-ACK" : "SYN";
    return (retransmit.flags & tcp_flag::fin) != 0 ? "FIN" : "data";
}

void put(LineWriter &line, const StateChange &change)
{
    line.put(name(change.from));
    line.put(" -> ");
    line.put(name(change.to));
}

void put(LineWriter &line, const Retransmit &retransmit)
{
    line.put(retransmit.send_error != 0 ? std::string_view("cannot send ") : std::string_view("retransmit "));
    line.put(segment(retransmit));
    line.put(" #");
    line.put_decimal(retransmit.attempt);
}

void put(LineWriter &line, const Reset &reset)
{
    line.put(reset.direction == ResetDirection::Sent ? std::string_view("reset sent")
                                                     : std::string_view("reset received"));
}

void put(LineWriter &line, const CongestionChange &change)
{
    line.put("congestion ");
    line.put(name(change.to));
}

void put(LineWriter &line, const Accept & /*accept*/)
{
    line.put("accepted");
}

void put(LineWriter &line, const Handshake &handshake)
{
    switch (handshake.step) {
    case HandshakeStep::SynReceived: line.put("SYN received"); break;
    case HandshakeStep::SynAckRetransmit:
        line.put("retransmit SYN-ACK #");
        line.put_decimal(handshake.attempt);
        break;
    case HandshakeStep::NotCompleted: line.put("handshake not completed"); break;
    }
}

void put(LineWriter &line, const ListenQueue &queue)
{
    if (queue.accept_queue_is_full())
        line.put("accept queue full");
    else
        line.put(queue.syn_cookies ? std::string_view("answers with SYN cookies") : std::string_view("SYN queue full"));
}

void put(LineWriter &line, const Probe &probe)
{
    put_probe(line, probe);
}

void put(LineWriter &line, const Gone & /*gone*/)
{
    line.put("gone");
}

template <typename Other> void put(LineWriter & /*line*/, const Other & /*other*/) {}

} // namespace

void describe_last(const Event &event, std::string &out)
{
    out.clear();
    LineWriter line(out);
    std::visit([&](const auto &what) { put(line, what); }, event.what);
    line.finish();
    out.pop_back();
}

} // namespace tcpflight

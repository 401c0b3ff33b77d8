#include "sink/segment_text.h"

#include "sink/text_parts.h"

namespace tcpflight {

void put_segment(LineWriter &line, const Retransmit &retransmit)
{
    const bool syn = (retransmit.flags & tcp_flag::syn) != 0;
    const bool fin = (retransmit.flags & tcp_flag::fin) != 0;
    if (syn)
        line.put((retransmit.flags & tcp_flag::ack) != 0 ? std::string_view("SYN-ACK") : std::string_view("SYN"));
    if (fin)
        line.put(syn ? std::string_view(" FIN") : std::string_view("FIN"));
    if (syn || fin) {
        if (retransmit.length == 0)
            return;
        line.put(" with ");
    }
    line.put_decimal(retransmit.length);
    line.put(retransmit.length == 1 ? std::string_view(" byte at ") : std::string_view(" bytes at "));
    line.put_decimal(retransmit.offset);
}

void put_unseen(LineWriter &line, std::uint64_t unseen)
{
    if (unseen == 0)
        return;
    put_labelled(line, ", ", unseen);
    line.put(" before it not seen");
}

void put_kind(LineWriter &line, const Retransmit &retransmit)
{
    switch (retransmit.kind) {
    case RetransmitKind::Timeout:
        put_labelled(line, " (RTO ", retransmit.timeouts);
        line.put(')');
        break;
    case RetransmitKind::Probe: line.put(" (TLP)"); break;
    case RetransmitKind::Fast: line.put(" (fast)"); break;
    case RetransmitKind::Recovery: line.put(" (after RTO)"); break;
    case RetransmitKind::Unknown: break;
    }
    put_unseen(line, retransmit.unseen);
}

} // namespace tcpflight

#include "sink/json.h"
#include "sink/json_parts.h"

#include <array>

namespace tcpflight {
namespace {

// tcpdump's letters in tcpdump's order.
void put_flags(LineWriter &line, std::uint16_t flags)
{
    static constexpr std::string_view letters = "FSRP.UEWe";
    static constexpr std::array<std::uint16_t, letters.size()> bits{
        tcp_flag::fin, tcp_flag::syn, tcp_flag::rst, tcp_flag::psh, tcp_flag::ack, tcp_flag::urg,
        0x40,  // ECE, RFC 3168 section 6.1
        0x80,  // CWR, the same
        0x100, // AE, RFC 9768
    };
    line.put(",\"flags\":\"");
    bool any = false;
    for (std::size_t i = 0; i < bits.size(); i++) {
        if ((flags & bits[i]) == 0)
            continue;
        line.put(letters[i]);
        any = true;
    }
    line.put(any ? std::string_view("\"") : std::string_view("none\""));
}

} // namespace

void JsonSink::put_what(LineWriter &line, const Event &event, const Retransmit &retransmit)
{
    line.put(retransmit.send_error == 0 ? std::string_view(R"(","event":"retransmit")")
                                        : std::string_view(R"(","event":"send_failed")"));
    put_connection(line, event);
    put_state(line, ",\"state\":", retransmit.state);
    put_flags(line, retransmit.flags);
    put_number(line, ",\"length\":", retransmit.length);
    put_number(line, ",\"offset\":", retransmit.offset);
    put_number(line, ",\"attempt\":", retransmit.attempt);
    put_number(line, ",\"total\":", retransmit.total);
    line.put(R"(,"kind":")");
    line.put(name(retransmit.kind));
    line.put('"');
    put_number(line, ",\"timeouts\":", retransmit.timeouts);
    put_number(line, ",\"unseen_timeouts\":", retransmit.unseen);
    put_number(line, ",\"backoff\":", retransmit.backoff);
    put_duration(line, ",\"silent_us\":", retransmit.silent_ns);
    put_number_or_null(line, ",\"gives_up_us\":", retransmit.gives_up_ns.value_or(0) / 1000);
    put_errno_or_null(line, ",\"send_error\":", retransmit.send_error);
    put_metrics(line, retransmit.metrics);
}

void JsonSink::put_what(LineWriter &line, const Event &event, const CongestionChange &change)
{
    line.put(R"(","event":"congestion")");
    put_connection(line, event);
    put_state(line, ",\"state\":", change.state);
    line.put(R"(,"old_congestion":")");
    line.put(name(change.from));
    line.put(R"(","new_congestion":")");
    line.put(name(change.to));
    line.put('"');
    put_metrics(line, change.metrics);
}

} // namespace tcpflight

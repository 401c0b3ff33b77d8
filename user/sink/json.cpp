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

std::string_view key_of(LossReason reason)
{
    switch (reason) {
    case LossReason::RingFull: return "ring_full";
    case LossReason::Nested: return "nested";
    case LossReason::DiskFull: return "disk_full";
    case LossReason::Damaged: break;
    }
    return "damaged";
}

} // namespace

JsonSink::JsonSink(TimePrecision precision)
    : nano_(precision == TimePrecision::Nano), time_(ClockText::Shape::Rfc3339, precision)
{
}

void JsonSink::write(const Event &event, std::string &out)
{
    LineWriter line(out);
    line.put("{\"time\":\"");
    time_.put(line, anchor_.to_wall(event.time_ns));
    std::visit([&](const auto &what) { put_what(line, event, what); }, event.what);
    line.put('}');
    line.finish();
}

void JsonSink::put_what(LineWriter &line, const Event &event, const StateChange &change) const
{
    line.put(R"(","event":"state")");
    put_connection(line, event);
    put_state(line, ",\"old_state\":", change.from);
    put_state(line, ",\"new_state\":", change.to);
    line.put(",\"duration_us\":");
    if (!change.duration_ns) {
        line.put("null");
    } else {
        line.put_decimal(*change.duration_ns / 1000);
        if (nano_) {
            line.put('.');
            line.advance_to(write_fixed<3>(line.room(3), static_cast<std::uint32_t>(*change.duration_ns % 1000)));
        }
    }
    put_errno_or_null(line, ",\"error\":", change.error);
    if (change.metrics)
        put_metrics(line, *change.metrics);
}

void JsonSink::put_what(LineWriter &line, const Event &event, const Retransmit &retransmit) const
{
    line.put(R"(","event":"retransmit")");
    put_connection(line, event);
    put_state(line, ",\"state\":", retransmit.state);
    put_flags(line, retransmit.flags);
    put_number(line, ",\"length\":", retransmit.length);
    put_number(line, ",\"offset\":", retransmit.offset);
    put_number(line, ",\"attempt\":", retransmit.attempt);
    put_number(line, ",\"total\":", retransmit.total);
    put_errno_or_null(line, ",\"send_error\":", retransmit.send_error);
    put_metrics(line, retransmit.metrics);
}

void JsonSink::put_what(LineWriter &line, const Event & /*event*/, const Lost &lost) const
{
    put_number(line, R"(","event":"lost","lost_events":)", lost.count);
    line.put(",\"reason\":\"");
    line.put(key_of(lost.reason));
    line.put("\",\"cpu\":");
    if (lost.cpu)
        line.put_decimal(*lost.cpu);
    else
        line.put("null");
}

} // namespace tcpflight

#include "sink/json.h"

#include "sink/address.h"
#include "sink/errno_name.h"
#include "sink/escape.h"
#include "sink/remote_end.h"

namespace tcpflight {
namespace {

// `key` is the text up to and with the colon: ",\"pid\":".
void put_number(LineWriter &line, std::string_view key, std::uint64_t value)
{
    line.put(key);
    line.put_decimal(value);
}

// Zero stands for "not known".
void put_number_or_null(LineWriter &line, std::string_view key, std::uint64_t value)
{
    line.put(key);
    if (value != 0)
        line.put_decimal(value);
    else
        line.put("null");
}

void put_errno_or_null(LineWriter &line, std::string_view key, std::uint16_t error)
{
    line.put(key);
    if (error == 0) {
        line.put("null");
        return;
    }
    line.put('"');
    put_errno(line, error);
    line.put('"');
}

void put_state(LineWriter &line, std::string_view key, TcpState state)
{
    line.put(key);
    line.put('"');
    line.put(name(state));
    line.put('"');
}

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

void put_endpoints(LineWriter &line, const Identity &identity, bool has_remote)
{
    line.put(identity.family == Family::IPv4 ? std::string_view(R"(,"family":"ipv4","local_addr":")")
                                             : std::string_view(R"(,"family":"ipv6","local_addr":")"));
    put_address(line, identity.local.address);
    put_number_or_null(line, "\",\"local_port\":", identity.local.port);
    if (!has_remote) {
        line.put(R"(,"remote_addr":null,"remote_port":null)");
        return;
    }
    line.put(",\"remote_addr\":\"");
    put_address(line, identity.remote.address);
    put_number_or_null(line, "\",\"remote_port\":", identity.remote.port);
}

void put_owner(LineWriter &line, const Owner &owner)
{
    if (!owner.is_known()) {
        line.put(R"(,"pid":null,"tid":null,"comm":null,"owner":"unknown")");
        return;
    }
    put_number(line, ",\"pid\":", owner.pid);
    put_number(line, ",\"tid\":", owner.tid);
    line.put(",\"comm\":\"");
    put_json_escaped(line, owner.comm_view());
    line.put("\",\"owner\":\"");
    line.put(name(owner.source));
    line.put('"');
}

// What every event of a connection has.
void put_connection(LineWriter &line, const Event &event)
{
    put_number(line, ",\"conn\":", event.connection);
    if (event.identity == nullptr) {
        line.put(R"(,"family":null,"local_addr":null,"local_port":null,"remote_addr":null,"remote_port":null)"
                 R"(,"pid":null,"tid":null,"comm":null,"owner":"unknown","uid":null,"netns":null,"cgroup":null)");
    } else {
        put_endpoints(line, *event.identity, has_remote_end(event));
        put_owner(line, event.identity->owner);
        put_number(line, ",\"uid\":", event.identity->uid);
        put_number_or_null(line, ",\"netns\":", event.identity->netns);
        put_number_or_null(line, ",\"cgroup\":", event.identity->cgroup);
    }
    line.put(event.incomplete ? std::string_view(",\"incomplete\":true") : std::string_view(",\"incomplete\":false"));
}

void put_metrics(LineWriter &line, const Metrics &metrics)
{
    put_number_or_null(line, ",\"rtt_us\":", metrics.rtt_us);
    // The deviation of a time that was measured can be zero.
    if (metrics.rtt_us != 0)
        put_number(line, ",\"rttvar_us\":", metrics.rttvar_us);
    else
        line.put(",\"rttvar_us\":null");
    put_number_or_null(line, ",\"rto_us\":", metrics.rto_us);
    put_number(line, ",\"cwnd\":", metrics.cwnd);
    if (metrics.ssthresh != infinite_ssthresh)
        put_number(line, ",\"ssthresh\":", metrics.ssthresh);
    else
        line.put(",\"ssthresh\":null");
    put_number(line, ",\"send_queue\":", metrics.send_queue);
    put_number(line, ",\"recv_queue\":", metrics.recv_queue);
    put_number(line, ",\"in_flight\":", metrics.in_flight);
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

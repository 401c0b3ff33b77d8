#include "sink/json.h"

#include "sink/escape.h"
#include "sink/json_parts.h"
#include "sink/remote_end.h"

namespace tcpflight {
namespace {

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

void put_timed_out(LineWriter &line, const StateChange &change)
{
    line.put(",\"timed_out\":\"");
    line.put(name(change.timed_out));
    if (change.by_user_timeout)
        put_flag(line, "\",\"user_timeout\":", *change.by_user_timeout);
    else
        line.put("\",\"user_timeout\":null");
}

} // namespace

JsonSink::JsonSink(TimePrecision precision)
    : nano_(precision == TimePrecision::Nano), time_(ClockText::Shape::Rfc3339, precision)
{
}

void JsonSink::write(const Event &event, std::string &out)
{
    LineWriter line(out);
    line.put('{');
    put_host(line);
    line.put("\"time\":\"");
    time_.put(line, anchor_.to_wall(event.time_ns));
    std::visit([&](const auto &what) { put_what(line, event, what); }, event.what);
    line.put('}');
    line.finish();
}

void JsonSink::put_host(LineWriter &line) const
{
    if (!host_)
        return;
    line.put("\"host\":");
    if (host_->empty()) {
        line.put("null,");
        return;
    }
    line.put('"');
    put_json_escaped(line, *host_);
    line.put("\",");
}

// What every event of a connection has: which connection, and whose.
void JsonSink::put_connection(LineWriter &line, const Event &event)
{
    put_number_or_null(line, ",\"conn\":", event.connection);
    if (event.identity == nullptr) {
        put_no_identity(line);
    } else {
        const Whose whose{.identity = *event.identity, .has_remote = has_remote_end(event)};
        connections_.put(line, whose, event.connection,
                         [&whose](LineWriter &text) { put_identity(text, whose.identity, whose.has_remote); });
    }
    put_flag(line, ",\"incomplete\":", event.incomplete);
}

void JsonSink::put_duration(LineWriter &line, std::string_view key, std::optional<std::uint64_t> duration_ns) const
{
    line.put(key);
    if (!duration_ns) {
        line.put("null");
        return;
    }
    line.put_decimal(*duration_ns / 1000);
    if (nano_) {
        line.put('.');
        line.advance_to(write_fixed<3>(line.room(3), static_cast<std::uint32_t>(*duration_ns % 1000)));
    }
}

void JsonSink::put_what(LineWriter &line, const Event &event, const StateChange &change)
{
    line.put(R"(","event":"state")");
    put_connection(line, event);
    put_state(line, ",\"old_state\":", change.from);
    put_state(line, ",\"new_state\":", change.to);
    put_flag(line, ",\"time_wait_socket\":", change.time_wait_socket);
    put_duration(line, ",\"duration_us\":", change.duration_ns);
    put_duration(line, ",\"at_least_us\":", change.at_least_ns);
    put_socket_error(line, change.error);
    if (change.timed_out != TimedOut::Unknown)
        put_timed_out(line, change);
    put_duration(line, ",\"syn_queue_us\":", change.syn_queue_ns);
    if (change.bytes) {
        put_number(line, ",\"bytes_acked\":", change.bytes->acked);
        put_number(line, ",\"bytes_received\":", change.bytes->received);
    }
    if (change.traffic)
        put_traffic(line, *change.traffic);
    if (change.metrics)
        put_metrics(line, *change.metrics);
    if (change.end) {
        put_duration(line, ",\"at_most_us\":", change.end->at_most_ns);
        line.put(",\"ended_by\":");
        if (change.end->reason == EndReason::Unknown) {
            line.put("null");
        } else {
            line.put('"');
            line.put(name(change.end->reason));
            line.put('"');
        }
    }
}

void JsonSink::put_what(LineWriter &line, const Event & /*event*/, const Lost &lost)
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

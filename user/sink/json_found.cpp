// A socket that was there when it was looked for, and one that was not.
#include "sink/escape.h"
#include "sink/json.h"
#include "sink/json_parts.h"

namespace tcpflight {
namespace {

void put_holders(LineWriter &line, std::span<const Holder> holders)
{
    std::string_view before = ",\"processes\":[";
    for (const auto &holder : holders) {
        line.put(before);
        before = ",";
        put_number(line, "{\"pid\":", holder.pid);
        put_number(line, ",\"tid\":", holder.tid);
        put_number(line, ",\"fd\":", holder.fd);
        line.put(",\"comm\":\"");
        put_json_escaped(line, holder.comm_view());
        line.put("\"}");
    }
    line.put(holders.empty() ? std::string_view(",\"processes\":[]") : std::string_view("]"));
}

} // namespace

void JsonSink::put_what(LineWriter &line, const Event &event, const Found &found)
{
    const auto &status = found.status;
    line.put(R"(","event":"found")");
    put_connection(line, event);
    put_state(line, ",\"state\":", found.state);
    put_flag(line, ",\"time_wait_socket\":", found.time_wait_socket);
    put_duration(line, ",\"in_state_us\":", status.in_state_ns);
    put_duration(line, ",\"established_us\":", status.established_ns);
    put_socket_error(line, found.error);
    put_number(line, ",\"send_queue\":", status.send_queue);
    put_number(line, ",\"recv_queue\":", status.recv_queue);
    line.put(",\"timer\":\"");
    line.put(name(status.timer));
    line.put("\",\"timer_left_us\":");
    if (status.timer == Timer::None)
        line.put("null");
    else
        line.put_decimal(status.timer_left_us);
    put_number(line, ",\"retries\":", status.retries);
    put_number_or_null(line, ",\"inode\":", status.inode);
    put_number(line, ",\"drops\":", status.drops);
    put_number(line, ",\"mark\":", status.mark);
    put_flag(line, ",\"ipv6_only\":", status.ipv6_only);
    put_flag(line, ",\"shut_read\":", status.shut_read);
    put_flag(line, ",\"shut_write\":", status.shut_write);
    if (found.metrics)
        put_sender(line, *found.metrics);
    if (found.holders)
        put_holders(line, *found.holders);
}

void JsonSink::put_what(LineWriter &line, const Event &event, const Gone &gone)
{
    line.put(R"(","event":"gone")");
    put_connection(line, event);
    put_state(line, ",\"state\":", gone.state);
    put_duration(line, ",\"unseen_us\":", gone.unseen_ns);
}

} // namespace tcpflight

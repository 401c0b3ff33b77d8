#include "sink/escape.h"
#include "sink/json.h"
#include "sink/json_parts.h"

#include <algorithm>

namespace tcpflight {
namespace {

// A name, or null for the first one of its enum, which stands for "not known" or "none".
template <typename Choice> void put_name_or_null(LineWriter &line, std::string_view key, Choice choice)
{
    line.put(key);
    if (choice == Choice{}) {
        line.put("null");
        return;
    }
    line.put('"');
    line.put(name(choice));
    line.put('"');
}

void put_other_end(LineWriter &line, const OtherEnd &other)
{
    if (other.connection == 0) {
        line.put(R"(,"other_conn":null,"other_state":null,"other_pid":null,"other_comm":null)");
        return;
    }
    put_number(line, ",\"other_conn\":", other.connection);
    put_state(line, ",\"other_state\":", other.state);
    if (other.pid == 0) {
        line.put(R"(,"other_pid":null,"other_comm":null)");
        return;
    }
    put_number(line, ",\"other_pid\":", other.pid);
    line.put(",\"other_comm\":\"");
    const auto *end = std::find(other.comm.begin(), other.comm.end(), '\0');
    put_json_escaped(line, {other.comm.data(), static_cast<std::size_t>(end - other.comm.begin())});
    line.put('"');
}

} // namespace

void JsonSink::put_what(LineWriter &line, const Event &event, const Verdict &verdict)
{
    auto put_time = [&](std::string_view key, std::uint64_t duration_ns) {
        put_duration(line, key, duration_ns != 0 ? std::optional(duration_ns) : std::nullopt);
    };
    line.put(R"(","event":"verdict")");
    put_connection(line, event);
    line.put(R"(,"verdict":")");
    line.put(name(verdict.kind));
    line.put(R"(","severity":")");
    line.put(name(severity_of(verdict.kind)));
    line.put('"');
    put_flag(line, ",\"ended\":", verdict.ended);
    put_flag(line, ",\"over\":", verdict.over);
    put_state(line, ",\"state\":", verdict.state);
    put_socket_error(line, verdict.error);
    put_time(",\"lasted_us\":", verdict.lasted_ns);
    put_time(",\"handshake_us\":", verdict.handshake_ns);
    put_name_or_null(line, ",\"closed_first\":", verdict.closed_first);
    put_time(",\"open_us\":", verdict.open_ns);
    put_time(",\"answer_us\":", verdict.answer_ns);
    put_name_or_null(line, ",\"unanswered\":", verdict.unanswered);
    put_number_or_null(line, ",\"times_sent\":", verdict.times_sent);
    put_time(",\"silent_us\":", verdict.silent_ns);
    put_number_or_null(line, ",\"gives_up_us\":", verdict.gives_up_ns / 1000);
    line.put(verdict.keepalive == Keepalive::Unknown ? std::string_view(",\"keepalive\":null")
             : verdict.keepalive == Keepalive::On    ? std::string_view(",\"keepalive\":true")
                                                     : std::string_view(",\"keepalive\":false"));
    put_number_or_null(line, ",\"user_timeout_us\":", verdict.limit_ns / 1000);
    put_time(",\"waits_us\":", verdict.waits_ns);
    put_number_or_null(line, ",\"queued\":", verdict.queued);
    put_number_or_null(line, ",\"alike\":", verdict.alike);
    put_number_or_null(line, ",\"dropped\":", verdict.dropped);
    put_number_or_null(line, ",\"at_most\":", verdict.at_most);
    put_flag(line, ",\"by_somaxconn\":", verdict.by_somaxconn);
    put_number(line, ",\"retransmits\":", verdict.retransmits);
    put_number_or_null(line, ",\"segments\":", verdict.segments);
    put_number_or_null(line, ",\"repeated\":", verdict.repeated);
    put_number_or_null(line, ",\"srtt_us\":", verdict.rtt_ns / 1000);
    put_number_or_null(line, ",\"min_rtt_us\":", verdict.min_rtt_ns / 1000);
    put_name_or_null(line, ",\"reason\":", verdict.reason);
    put_other_end(line, verdict.other);
}

} // namespace tcpflight

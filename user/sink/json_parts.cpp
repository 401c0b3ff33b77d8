#include "sink/json_parts.h"

#include "sink/address.h"
#include "sink/errno_name.h"
#include "sink/escape.h"

namespace tcpflight {

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

void put_socket_error(LineWriter &line, std::uint16_t error)
{
    put_errno_or_null(line, ",\"error\":", error);
    put_number_or_null(line, ",\"errno\":", error);
}

namespace {

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

// Empty: not known. Untrusted.
void put_text_or_null(LineWriter &line, std::string_view key, std::string_view text)
{
    line.put(key);
    if (text.empty()) {
        line.put("null");
        return;
    }
    line.put('"');
    put_json_escaped(line, text);
    line.put('"');
}

void put_owner(LineWriter &line, const Owner &owner)
{
    if (!owner.is_known()) {
        line.put(R"(,"pid":null,"inner_pid":null,"tid":null,"comm":null,"owner":"unknown")");
        return;
    }
    put_number(line, ",\"pid\":", owner.pid);
    put_number_or_null(line, ",\"inner_pid\":", owner.inner_pid);
    put_number(line, ",\"tid\":", owner.tid);
    line.put(",\"comm\":\"");
    put_json_escaped(line, owner.comm_view());
    line.put("\",\"owner\":\"");
    line.put(name(owner.source));
    line.put('"');
}

} // namespace

void put_no_identity(LineWriter &line)
{
    line.put(
        R"(,"family":null,"local_addr":null,"local_port":null,"remote_addr":null,"remote_port":null)"
        R"(,"pid":null,"inner_pid":null,"tid":null,"comm":null,"owner":"unknown","uid":null,"netns":null,"cgroup":null)"
        R"(,"cgroup_path":null,"container":null)");
}

void put_identity(LineWriter &line, const Identity &identity, bool has_remote)
{
    put_endpoints(line, identity, has_remote);
    put_owner(line, identity.owner);
    line.put(",\"uid\":");
    if (identity.uid != unknown_uid)
        line.put_decimal(identity.uid);
    else
        line.put("null");
    put_number_or_null(line, ",\"netns\":", identity.netns);
    put_number_or_null(line, ",\"cgroup\":", identity.cgroup);
    put_text_or_null(line, ",\"cgroup_path\":", identity.cgroup_path());
    put_text_or_null(line, ",\"container\":", identity.container());
}

namespace {

void put_windows(LineWriter &line, const Metrics &metrics)
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
}

} // namespace

void put_traffic(LineWriter &line, const Traffic &traffic)
{
    put_number(line, ",\"segs_out\":", traffic.sent);
    put_number(line, ",\"segs_in\":", traffic.received);
    put_number(line, ",\"data_segs_out\":", traffic.data_sent);
    put_number(line, ",\"data_segs_in\":", traffic.data_received);
    put_number(line, ",\"retransmits\":", traffic.retransmitted);
    put_number(line, ",\"bytes_retransmitted\":", traffic.bytes_retransmitted);
    put_number_or_null(line, ",\"srtt_us\":", traffic.rtt_us);
    put_number_or_null(line, ",\"min_rtt_us\":", traffic.min_rtt_us);
    put_number(line, ",\"snd_cwnd\":", traffic.cwnd);
}

void put_metrics(LineWriter &line, const Metrics &metrics)
{
    put_windows(line, metrics);
    put_number(line, ",\"send_queue\":", metrics.send_queue);
    put_number(line, ",\"recv_queue\":", metrics.recv_queue);
    put_number(line, ",\"in_flight\":", metrics.in_flight);
}

void put_sender(LineWriter &line, const Metrics &metrics)
{
    put_windows(line, metrics);
    put_number(line, ",\"in_flight\":", metrics.in_flight);
}

} // namespace tcpflight

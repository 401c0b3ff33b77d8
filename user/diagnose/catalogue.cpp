#include "diagnose/catalogue.h"

#include "diagnose/thresholds.h"
#include "model/nearest.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tcpflight {
namespace {

constexpr std::array<VerdictEntry, verdict_kinds> entries{{
    {VerdictKind::Orderly, "Both ends have closed, and each knows it of the other.",
     "The connection went through LAST_ACK, or into TIME_WAIT, without an error.", "RFC 9293 section 3.6", ""},
    {VerdictKind::HalfClosed,
     "This end has closed, the other end has acknowledged that, and goes on: it may still send, but nobody would read "
     "it. The kernel alone waits for its FIN, for net.ipv4.tcp_fin_timeout seconds.",
     "A socket in FIN_WAIT2 was replaced by the smaller thing that the kernel keeps for an orphan.",
     "RFC 9293 section 3.6; tcp_close() in net/ipv4/tcp.c", ""},
    {VerdictKind::ListenerClosed, "A process listens no more.", "LISTEN -> CLOSE.", "RFC 9293 section 3.10.4", ""},
    {VerdictKind::Unclear,
     "It has ended, and the events do not say why. Most often some were lost, or it ended before its reason could be "
     "seen.",
     "None of the other rules.", "", "Is the timeline marked with missing events? Then a larger buffer (-B) helps."},
    {VerdictKind::Refused, "The other host answered that nobody listens on that port (or a firewall said so).",
     "The connection ended in SYN_SENT with ECONNREFUSED.",
     "RFC 9293 section 3.5.2 group 1; tcp_reset() in "
     "net/ipv4/tcp_input.c",
     "Does the service run there, on this address and this port (tcpflight list, ss -ltn)? Is the address the right "
     "one, of IPv4 and IPv6?"},
    {VerdictKind::ConnectCancelled,
     "The process closed its socket before an answer could be expected. Programs that try several addresses at once "
     "do that.",
     "SYN_SENT -> CLOSE without an error, and no SYN had been sent again.", "RFC 8305 section 5", ""},
    {VerdictKind::ConnectAbandoned,
     "The process had waited for an answer for longer than a SYN's time-out, and gave up before the kernel did.",
     "SYN_SENT -> CLOSE without an error, after at least one retransmission of the SYN.", "RFC 9293 section 3.10.4",
     "Is there a way to the host (ip route get, ping)? Does a firewall drop the SYN, or its answer? The program has a "
     "time-out of its own, or was ended by somebody."},
    {VerdictKind::ConnectTimedOut, "No SYN of several was answered, until the kernel gave up.",
     "The connection ended in SYN_SENT with ETIMEDOUT.",
     "RFC 1122 section 4.2.3.5; net.ipv4.tcp_syn_retries, tcp_write_timeout() in net/ipv4/tcp_timer.c",
     "Does the host exist, and is there a way to it (ip route get)? Does a firewall drop the SYN, or the answer on "
     "its way back? Does the server's accept queue overflow (nstat TcpExtListenDrops there)?"},
    {VerdictKind::Unreachable,
     "A router, this host's routing or a firewall said that the other host or network cannot be reached; or the "
     "connection timed out after that had been said.",
     "The connection ended with ENETUNREACH, EHOSTUNREACH, EHOSTDOWN, ENETDOWN, ENONET, ENOPROTOOPT, EACCES or EPROTO.",
     "RFC 1122 section 4.2.3.9; icmp_err_convert in net/ipv4/icmp.c",
     "ip route get ADDRESS, ip neigh: is the next hop alive? A firewall with `reject` says this too."},
    {VerdictKind::HandshakeFailed, "A client's SYN was answered, and then the handshake came to nothing.",
     "SYN_RECV -> CLOSE.", "RFC 9293 section 3.10.7.4", "Port scanners and health checks do this on purpose."},
    {VerdictKind::ResetByPeer,
     "The other end, or something between, cut the connection off. What had not arrived by then is lost. `half-open "
     "for` says that the other end had been gone for so long, and that this end found out when it sent something.",
     "A RST was received: ECONNRESET, or EPIPE after the other end had closed.",
     "RFC 9293 section 3.5.3; tcp_reset() in net/ipv4/tcp_input.c",
     "The log of the other end at that time: it crashed, closed with unread data, or uses linger 0. A firewall or load "
     "balancer with an idle time-out sends RSTs too: is it always the same age?"},
    {VerdictKind::ResetByUs, "This end cut the connection off.", "It ended, and a RST was sent.",
     "RFC 9293 section 3.5.2; tcp_send_active_reset() in net/ipv4/tcp_output.c",
     "The reason, where the kernel tells it (Linux 6.10 and later)."},
    {VerdictKind::AbortedUnread,
     "The process closed its socket while data that had come was not read, or data came afterwards. The kernel sent a "
     "RST instead of a FIN, which can destroy what the other end had not read yet.",
     "It ended, and a RST was sent because of unread data or data after close.",
     "RFC 1122 section 4.2.2.13, RFC 2525 section 2.17; tcp_close() in net/ipv4/tcp.c",
     "If the other end misses the end of an answer, the program should read until the end (or shutdown(2), then read) "
     "before it closes."},
    {VerdictKind::AbortedLinger, "The process asked to be cut off: SO_LINGER with 0 seconds, or TCP_LINGER2 below 0.",
     "It ended, and a RST was sent because of linger.", "RFC 9293 section 3.10.5; tcp_close() in net/ipv4/tcp.c",
     "Load balancers and test tools do this on purpose, to keep out of TIME_WAIT. Data under way is lost."},
    {VerdictKind::NotAccepted, "The listener was closed before the connection had been accepted.",
     "A RST was sent for a connection in its listener's queue.",
     "inet_csk_listen_stop() in net/ipv4/inet_connection_sock.c", "Was the server restarted?"},
    {VerdictKind::Killed, "Another process ended it (ss -K, SOCK_DESTROY), or the kernel for want of its interface.",
     "The connection ended with ECONNABORTED, or the RST's reason is an abort.", "tcp_abort() in net/ipv4/tcp.c",
     "Who runs ss -K, or an agent that ends connections?"},
    {VerdictKind::NoMemory, "The kernel dropped it for want of memory, or because there were too many orphans.",
     "The RST's reason is the want of memory.", "tcp_out_of_resources() in net/ipv4/tcp_timer.c",
     "net.ipv4.tcp_mem and tcp_max_orphans; dmesg says \"out of memory\" or \"too many orphaned sockets\"."},
    {VerdictKind::DataTimedOut,
     "Data was sent again and again and never acknowledged, until the kernel gave up. What was written is lost.",
     "The connection ended with ETIMEDOUT, and something that was sent had not been acknowledged.",
     "RFC 1122 section 4.2.3.5 (R2); net.ipv4.tcp_retries2, tcp_write_timeout() in net/ipv4/tcp_timer.c",
     "The way to the other host since the first retransmission: cable, route, firewall, NAT that forgot the "
     "connection. Is the other host up?"},
    {VerdictKind::FinTimedOut,
     "This end has closed, and its FIN was never acknowledged, until the kernel gave up. The other end may believe in "
     "the connection for ever.",
     "The connection ended with ETIMEDOUT, and its FIN alone had not been acknowledged.",
     "RFC 1122 section 4.2.3.5 (R2); net.ipv4.tcp_orphan_retries, tcp_write_timeout() in net/ipv4/tcp_timer.c",
     "The way to the other host since the FIN went out: firewall, NAT, route, a host that is gone? The other end, if "
     "it is "
     "alive, believes in the connection: keepalive would find that."},
    {VerdictKind::KeepaliveTimedOut,
     "Nothing was under way, and the other end did not answer probes: it is gone, or the way to it. Without keepalive "
     "this end would have waited for ever.",
     "The connection ended with ETIMEDOUT when all that was written had been acknowledged, or with a RST because of "
     "keepalive.",
     "RFC 9293 section 3.8.4; tcp_keepalive_timer() in net/ipv4/tcp_timer.c",
     "When did the other host go? NAT and firewalls forget idle connections: is tcp_keepalive_time (TCP_KEEPIDLE) less "
     "than their time-out?"},
    {VerdictKind::UserTimedOut, "What was sent was not acknowledged within the time that the program allows.",
     "The connection ended with ETIMEDOUT, something that was sent had not been acknowledged, and TCP_USER_TIMEOUT was "
     "set.",
     "RFC 5482 section 2; tcp(7), TCP_USER_TIMEOUT",
     "The way to the other host since the first retransmission. Should the program survive such an outage, its "
     "TCP_USER_TIMEOUT is too short."},
    {VerdictKind::ConnectUnanswered, "SYNs have not been answered so far. The kernel goes on until it gives up.",
     "In SYN_SENT, as many time-outs in a row as the threshold timeouts.", "RFC 1122 section 4.2.3.5 (R1)",
     "Is there a way to the host (ip route get, ping)? Does a firewall drop the SYN, or its answer?"},
    {VerdictKind::HalfOpen,
     "One end believes in a connection that the other end, or the way to it, no longer has. Either what this end sends "
     "(data, or its FIN) is not acknowledged; or the other end, on this host, has ended without this one being told: "
     "nothing will tell it until it sends something, or keepalive does.",
     "As many time-outs in a row without an acknowledgement as the threshold timeouts, whatever the state; over when "
     "something is acknowledged, and said again a minute later at the earliest. Or: 10 ms after the other end has "
     "ended "
     "by a time-out or a RST, this end is still ESTABLISHED, CLOSE_WAIT or FIN_WAIT2; the next look at the sockets "
     "tells whether keepalive will find that, at the latest after tcp_keepalive_probes times tcp_keepalive_intvl "
     "behind "
     "the next probe.",
     "RFC 9293 section 3.5.1, RFC 1122 section 4.2.3.5 (R1); net.ipv4.tcp_retries1, tcp_keepalive_intvl and "
     "tcp_keepalive_probes",

     "What changed between the hosts when the silence began: firewall, NAT, route, a host that is gone? "
     "tcpflight list shows the connection's timer; ss -K ends it; keepalive (SO_KEEPALIVE) or TCP_USER_TIMEOUT in the "
     "program finds the next one."},
    {VerdictKind::CloseWaitHeld,
     "The other end has closed, and the process keeps its end open. Each such connection costs it a descriptor and the "
     "kernel memory, and nothing but the process ends it: a leak, where there are many.",
     "In CLOSE_WAIT at each look for longer than the threshold close-wait.",
     "RFC 9293 section 3.6; tcp_fin() in "
     "net/ipv4/tcp_input.c",
     "Does the program read until the end, and close then? An error path or a pool that forgets to close does this; "
     "tcpflight list --pid shows all of a process."},
    {VerdictKind::FinWaitHeld,
     "This end has closed its direction, and the other end goes on. The process keeps the socket, so that the kernel "
     "waits without a limit.",
     "In FIN_WAIT2, with a file, at each look for longer than the threshold fin-wait.", "RFC 9293 section 3.6",
     "Does the other end still send? It may not know that it is asked to end. If nobody reads its answer, the program "
     "should close and not only shut down."},
    {VerdictKind::AcceptStalled,
     "The kernel has made the connection, and the process has not accepted it. Its client takes it for a working one, "
     "and waits.",
     "Established in the listener's queue, without a file, at each look for longer than the threshold accept.",
     "RFC 9293 section 3.9.1.1; inet_csk_accept() in net/ipv4/inet_connection_sock.c",
     "What is the process doing (its stack, strace)? Are all of its workers busy, or did it run out of descriptors?"},
    {VerdictKind::ZeroWindow,
     "The other end takes no more data: whoever should read it there does not. It answers probes, so that the kernel "
     "waits without a limit.",
     "With a timer for probes of the window, of which fewer than the threshold probes are unanswered, at each look for "
     "longer than the threshold zero-window.",
     "RFC 9293 section 3.8.6.1, RFC 1122 section 4.2.2.17; tcp_probe_timer() in net/ipv4/tcp_timer.c",
     "The program at the other end: is it stopped, overloaded, or waiting for something that this end should send?"},
    {VerdictKind::Unread, "Data has come, and the process does not read it.",
     "Bytes in the receive queue that did not become fewer, at each look for longer than the threshold unread.",
     "RFC 9293 section 3.10.5",
     "Pools leave some bytes unread in idle connections, and that is harmless. If there are many, what is the process "
     "waiting for?"},
    {VerdictKind::ProbesUnanswered,
     "Nothing is under way, and the other end does not answer probes, of keepalive or of a closed window: it is gone, "
     "or the way to it. The kernel goes on until it gives up.",
     "As many probes as the threshold probes in a row.",
     "RFC 9293 sections 3.8.4 and 3.8.6.1, RFC 1122 section 4.2.3.5 (R1); tcp_keepalive_timer() in "
     "net/ipv4/tcp_timer.c",
     "What changed between the hosts: firewall, NAT, route, a host that is gone? net.ipv4.tcp_keepalive_probes says "
     "how many the kernel sends."},
    {VerdictKind::AcceptQueueOverflow,
     "More connections came than the process accepts, and the queue of those that wait was full: SYNs and ACKs were "
     "dropped. Clients wait for a second and more, or time out.",
     "A listener whose accept queue was longer than its limit dropped something. Said again when there were ten times "
     "as many.",
     "listen(2); tcp_v4_syn_recv_sock() and tcp_conn_request() in net/ipv4/",
     "What keeps the process from accepting? If bursts are short, a larger backlog helps: that of listen(2), up to "
     "net.core.somaxconn."},
    {VerdictKind::SynQueueOverflow, "More handshakes were under way than the listener keeps, and SYNs were dropped.",
     "A listener whose SYN queue was full dropped something. Said again when there were ten times as many.",
     "tcp_conn_request() in net/ipv4/tcp_input.c; net.ipv4.tcp_max_syn_backlog, tcp_syncookies",
     "Are the clients real, or is it a flood? Are the SYN-ACKs lost on their way? net.ipv4.tcp_syncookies=1 answers "
     "without a queue."},
    {VerdictKind::SynCookies,
     "The SYN queue was full, and the kernel answered SYNs with cookies: connections go on, with fewer options (window "
     "scaling and SACK only where timestamps are on).",
     "A listener answered with SYN cookies.", "RFC 4987 section 3.6; net.ipv4.tcp_syncookies",
     "Are the clients real, or is it a flood? The backlog of listen(2) also limits the SYN queue."},
    {VerdictKind::RetransmissionStorm,
     "Many connections to one part of the network run into time-outs at the same time: the way there loses packets, "
     "and "
     "not a single connection.",
     "As many connections to one subnet (/24, of IPv6 /64) as the threshold storm had two time-outs in a row within "
     "10 seconds. Said again when there are ten times as many, or after it was over.",
     "RFC 6298 section 5; tcp_retransmit_timer() in net/ipv4/tcp_timer.c",
     "The way to that network: link errors (ip -s link), a full queue or a policer, a route that changed. tcpflight "
     "'net NETWORK' shows who is concerned."},
    {VerdictKind::TimeWaitReused, "A new connection between the same ends took the place of one in TIME_WAIT.",
     "TIME_WAIT ended by a SYN, or by connect(2).", "RFC 9293 section 3.10.7.4, RFC 6191; net.ipv4.tcp_tw_reuse", ""},
    {VerdictKind::TimeWaitAssassinated,
     "A RST ended TIME_WAIT before its time. Old segments could now reach a new connection between the same ends.",
     "TIME_WAIT ended because a RST came, or answered a segment.", "RFC 1337; net.ipv4.tcp_rfc1337",
     "The other end sent something after the connection was over: had it crashed, or was its FIN lost?"},
    {VerdictKind::PortsRunningOut,
     "Nearly all ports that connect(2) may choose from are taken, for connections from this address to that address "
     "and "
     "port. When all are, it fails with EADDRNOTAVAIL. `all in` is when, if it goes on as between the last two looks.",
     "Of the ports in net.ipv4.ip_local_port_range of the namespace, the percentage of the threshold ports is taken, "
     "TIME_WAIT included, and ports in ip_local_reserved_ports left out.",
     "RFC 6056 section 2.1; __inet_hash_connect() in net/ipv4/inet_hashtables.c",
     "Does the program open a connection for each request? Keep them open, use more addresses on either side, or widen "
     "net.ipv4.ip_local_port_range. If most are in TIME_WAIT: who closes first? net.ipv4.tcp_tw_reuse=1."},
    {VerdictKind::TimeWaitBuildUp,
     "Nearly as many connections are in TIME_WAIT as the kernel keeps. It drops further ones at once, which is "
     "harmless on "
     "most networks; each one takes a port and some memory.",
     "Of net.ipv4.tcp_max_tw_buckets of the namespace, the percentage of the threshold time-waits.",
     "RFC 9293 section 3.6.1; tcp_time_wait() in net/ipv4/tcp_minisocks.c",
     "Which program closes so many connections first (--summary)? Keep connections open, or let the other end close."},
    {VerdictKind::HandshakeUnanswered,
     "A client's SYN was answered, and its ACK does not come: it is gone, its address is not its own, or the SYN-ACK "
     "does "
     "not reach it.",
     "The SYN-ACK of a handshake was sent again as often as the threshold timeouts says.",
     "RFC 9293 section 3.10.7.4, RFC 4987; net.ipv4.tcp_synack_retries",
     "From one client: does a firewall let SYN-ACKs out, and does the way back lead elsewhere? From many: a flood, or "
     "somebody who scans."},
    {VerdictKind::LossRate,
     "Of what this end sends, so much is sent again that the way there must lose it. From a tenth on, TCP's window is "
     "too "
     "small to notice losses by the segments behind them: it waits for time-outs, and hardly gets on.",
     "Within ten seconds, and over one at least, ten segments or more were sent again, and of all that were sent in "
     "that "
     "time the percentage of the threshold loss. Time-outs in a row, when nobody answers at all, are not counted. Said "
     "again for a connection when it was over.",
     "RFC 5681 section 3.2; Mathis et al., The macroscopic behavior of the TCP congestion avoidance algorithm, 1997",
     "The way to the other host: link errors (ip -s link), a full queue or a policer, Wi-Fi. Are other connections "
     "there "
     "concerned too (tcpflight 'event retransmit and host ADDRESS')?"},
    {VerdictKind::RttInflation,
     "A round trip of this connection takes far longer than its shortest one: what is sent waits in a queue on the "
     "way, "
     "or the other host is slow to answer.",
     "The smoothed round-trip time is as many times the shortest one as the threshold rtt says, and half a second "
     "longer, which is more than an ACK may be delayed: at the end; or before that at each retransmission for a second "
     "or more, without time-outs in a row, against the shortest at a retransmission or the client's handshake.",
     "RFC 8289 section 3, RFC 1122 section 4.2.3.2; tcpi_rtt and tcpi_min_rtt",
     "Which link on the way is full? A queue that is too long there (bufferbloat) does this; tc -s qdisc shows this "
     "host's."},
    {VerdictKind::ConnectionChurn,
     "One process begins very many connections that end at once. Each costs a handshake and, where this end closes "
     "first, "
     "a port for a minute of TIME_WAIT.",
     "Connections that the process began and that ended within a second: ten times the threshold churn of them within "
     "ten "
     "seconds. Said again when there are ten times as many, or after it was over.",
     "RFC 9293 section 3.6.1; net.ipv4.ip_local_port_range, TCP_TIMEWAIT_LEN in include/net/tcp.h",
     "Does the program open a connection for each request? A pool, or keep-alive of its protocol, makes this "
     "unnecessary. "
     "Does it fail and try again without a pause (--summary)?"},
    {VerdictKind::WindowTimedOut,
     "Data waited that the other end had no room for, and probes of its window were not answered until the kernel gave "
     "up; with TCP_USER_TIMEOUT, or where the process had closed its socket, answers that there is still no room do "
     "not "
     "keep it alive for ever either. What was written is lost.",
     "The connection ended with ETIMEDOUT when all that was sent had been acknowledged, and not all had been sent.",
     "RFC 9293 section 3.8.6.1; tcp_probe_timer() in net/ipv4/tcp_timer.c",
     "Does the program at the other end read (tcpflight list there: its receive queue)? Is the other host up, and the "
     "way to it? A firewall on this host that drops what is sent looks the same."},
    {VerdictKind::PathLoss,
     "Connections to one host lose so much together that it must be the way there, though none of them may have sent "
     "enough to tell.",
     "Within ten seconds, and over one at least, of all that connections to that address sent the percentage of the "
     "threshold loss was sent again, ten segments or more of three connections or more: connections that ended, with "
     "all that they had sent, and those that are called loss-rate. Time-outs in a row are not counted. Said once, and "
     "again when it was over.",
     "As of loss-rate; tcpi_segs_out and tcpi_total_retrans",
     "The way to the other host: link errors (ip -s link), a full queue or a policer, Wi-Fi. Are other hosts behind "
     "the "
     "same router concerned?"},
}};

constexpr std::size_t columns = 80;

// Broken at blanks, each line after the first behind `indent` blanks; `used`: columns taken already.
void append_wrapped(std::string &out, std::string_view text, std::size_t indent, std::size_t used)
{
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        if (used + word.size() > columns) {
            out.back() = '\n';
            out.append(indent, ' ');
            used = indent;
        }
        out += word;
        out += ' ';
        used += word.size() + 1;
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    out.back() = '\n';
}

void append_field(std::string &out, std::string_view label, std::string_view text)
{
    constexpr std::size_t indent = 10;
    if (text.empty())
        return;
    out += label;
    out.append(indent - label.size(), ' ');
    append_wrapped(out, text, indent, indent);
}

// "3", "60 s"
std::string default_of(const ThresholdEntry &entry)
{
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    const Thresholds defaults;
    return entry.count != nullptr ? std::to_string(defaults.*entry.count)
                                  : std::to_string(defaults.*entry.time_ns / ns_per_s) + " s";
}

// Nothing, if it goes by none.
std::string setting_of(const ThresholdEntry &entry, std::string_view before)
{
    return entry.setting.empty() ? std::string() : std::string(before) + std::string(entry.setting);
}

} // namespace

std::span<const VerdictEntry> verdict_catalogue()
{
    return entries;
}

std::string explain(VerdictKind kind)
{
    const auto &entry = entries.at(static_cast<std::size_t>(kind));
    std::string out(name(kind));
    out += " (";
    out += name(severity_of(kind));
    out += ")\n\n";
    append_wrapped(out, entry.meaning, 0, 0);
    out += '\n';
    append_field(out, "Rule:", entry.rule);
    append_field(out, "Source:", entry.source);
    append_field(out, "Look at:", entry.look);
    return out;
}

std::string explain_thresholds()
{
    constexpr std::size_t indent = 22;
    std::string out;
    append_wrapped(
        out,
        "When a verdict falls. --threshold NAME=N sets another one, also when a recording is read. By default "
        "some go by a setting of the connection's network namespace, as the last look at it found it.",
        0, 0);
    out += '\n';
    for (const auto &entry : all_thresholds()) {
        auto label = std::string(entry.name) + ' ';
        label.resize(indent - default_of(entry).size() - 2, ' ');
        out += label + default_of(entry) + "  ";
        append_wrapped(out, std::string(entry.meaning) + setting_of(entry, "; goes by net."), indent, indent);
    }
    return out;
}

std::string list_verdicts()
{
    std::string out;
    for (const auto severity : {Severity::Alarm, Severity::Notice, Severity::Normal}) {
        for (const auto &entry : entries) {
            if (severity_of(entry.kind) != severity)
                continue;
            out += name(severity);
            out.append(8 - name(severity).size(), ' ');
            out += name(entry.kind);
            out += '\n';
        }
    }
    return out;
}

std::optional<std::string_view> nearest_verdict(std::string_view given)
{
    std::string plain;
    for (const char c : given)
        plain += c == '_' || c == ' ' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    std::array<std::string_view, verdict_kinds> names;
    std::transform(entries.begin(), entries.end(), names.begin(),
                   [](const VerdictEntry &entry) { return name(entry.kind); });
    return nearest(plain, names);
}

std::string verdicts_document()
{
    std::string out = R"(# Verdicts

What a connection came to, as `-g`, the lines and the JSON objects of verdicts name it. The names stay the same. This page is
made from the program (`tcpflight explain NAME` prints an entry); `tools/renew-golden` renews it.

Alarms are shown in the stream by default: something is broken that nobody may have noticed. Notices and normal ends are
shown by `-g` and `--verdicts all`.
)";
    out += R"(
## Thresholds

When silence counts as trouble. `--threshold NAME=N` sets another one, also when a recording is read; times are in seconds.
By default some go by a setting of the connection's network namespace, as the last look found it: what is in the column
Default holds where that is not known. `tcpflight explain thresholds` prints this table.

| Name | Default | Goes by | What |
|---|---|---|---|
)";
    for (const auto &entry : all_thresholds()) {
        out += "| `";
        out += entry.name;
        out += "` | ";
        out += default_of(entry);
        out += " | ";
        if (!entry.setting.empty())
            out += '`' + setting_of(entry, "net.") + '`';
        out += " | ";
        out += entry.meaning;
        out += " |\n";
    }
    for (const auto severity : {Severity::Alarm, Severity::Notice, Severity::Normal}) {
        out += severity == Severity::Alarm    ? "\n## Alarms\n"
               : severity == Severity::Notice ? "\n## Notices\n"
                                              : "\n## Normal\n";
        for (const auto &entry : entries) {
            if (severity_of(entry.kind) != severity)
                continue;
            out += "\n### ";
            out += name(entry.kind);
            out += "\n\n";
            out += entry.meaning;
            out += "\n\n- Rule: ";
            out += entry.rule;
            if (!entry.source.empty()) {
                out += "\n- Source: ";
                out += entry.source;
            }
            if (!entry.look.empty()) {
                out += "\n- Look at: ";
                out += entry.look;
            }
            out += '\n';
        }
    }
    return out;
}

} // namespace tcpflight

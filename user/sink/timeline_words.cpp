#include "sink/timeline_words.h"

#include "sink/change_text.h"
#include "sink/color.h"
#include "sink/duration.h"
#include "sink/errno_name.h"
#include "sink/escape.h"
#include "sink/handshake_text.h"
#include "sink/probe_text.h"
#include "sink/segment_text.h"
#include "sink/text_parts.h"

#include <algorithm>

namespace tcpflight {

void RetransmitRun::add(const Retransmit &retransmit, std::uint64_t time_ns)
{
    if (times == 0) {
        first = retransmit;
        first_ns = time_ns;
    }
    same_segment &=
        retransmit.offset == first.offset && retransmit.length == first.length && retransmit.flags == first.flags;
    max_rto_us = std::max(max_rto_us, retransmit.metrics.rto_us);
    bytes += retransmit.length;
    unseen += retransmit.unseen;
    last_ns = time_ns;
    times++;
}

void TimelineWords::put(LineWriter &line, const Event &event) const
{
    std::visit([&](const auto &what) { put_what(line, event, what); }, event.what);
    if (event.after_gap) {
        line.put(", ");
        put_trouble(line, "after a gap");
    }
}

void TimelineWords::put(LineWriter &line, const RetransmitRun &run) const
{
    put_in_color(line, color::trouble);
    line.put("retransmit ");
    if (run.same_segment)
        put_segment(line, run.first);
    else
        put_labelled(line, "", run.bytes);
    if (!run.same_segment)
        line.put(run.bytes == 1 ? std::string_view(" byte") : std::string_view(" bytes"));
    if (run.times > 1) {
        put_labelled(line, " x ", run.times);
        line.put(" over ");
        put_duration(line, run.last_ns - run.first_ns, style_.precision);
    }
    put_in_color(line, color::reset);
    if (run.times == 1)
        put_kind(line, run.first);
    else
        put_unseen(line, run.unseen);
    if (run.max_rto_us != 0) {
        line.put(run.times > 1 && run.max_rto_us != run.first.metrics.rto_us ? std::string_view(", RTO up to ")
                                                                             : std::string_view(", RTO "));
        put_duration(line, run.max_rto_us * ns_per_us, style_.precision);
    }
    if (style_.metrics)
        put_sender(line, run.first.metrics);
}

void ProbeRun::add(const Probe &probe, std::uint64_t time_ns)
{
    if (times == 0)
        first_ns = time_ns;
    last = probe;
    last_ns = time_ns;
    times++;
}

void TimelineWords::put(LineWriter &line, const ProbeRun &run) const
{
    put_in_color(line, color::trouble);
    put_probe(line, run.last);
    if (run.times > 1) {
        put_labelled(line, ", x ", run.times);
        line.put(" over ");
        put_duration(line, run.last_ns - run.first_ns, style_.precision);
    }
    put_in_color(line, color::reset);
    put_probe_times(line, run.last, style_.precision);
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const StateChange &change) const
{
    states_.put_change(line, change.from, change.to);
    if (change.time_wait_socket && change.to == TcpState::FinWait2)
        line.put(" (orphan)");
    // Otherwise the times beside the lines tell it.
    if (change.at_least_ns && !change.end) {
        line.put(" after >");
        put_duration(line, *change.at_least_ns, style_.precision);
    }
    put_change_details(line, change, style_);
    if (style_.metrics && change.metrics)
        put_sender(line, *change.metrics);
}

void TimelineWords::put_carried(LineWriter &line, const ByteCounts &bytes, const Traffic *traffic) const
{
    const auto segments = [&](std::uint32_t count) {
        put_labelled(line, " in ", count);
        line.put(count == 1 ? std::string_view(" segment") : std::string_view(" segments"));
    };
    put_labelled(line, "sent ", bytes.acked);
    line.put(bytes.acked == 1 ? std::string_view(" byte") : std::string_view(" bytes"));
    if (traffic != nullptr) {
        segments(traffic->sent);
        if (traffic->retransmitted != 0) {
            put_labelled(line, " (", traffic->retransmitted);
            line.put(" sent again)");
        }
    }
    put_labelled(line, ", received ", bytes.received);
    if (traffic == nullptr)
        return;
    segments(traffic->received);
    if (traffic->rtt_us != 0) {
        line.put(", rtt ");
        put_duration(line, traffic->rtt_us * ns_per_us, style_.precision);
        if (traffic->min_rtt_us != 0) {
            line.put(" (min ");
            put_duration(line, traffic->min_rtt_us * ns_per_us, style_.precision);
            line.put(')');
        }
    }
    put_labelled(line, ", cwnd ", traffic->cwnd);
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const Gone &gone) const
{
    put_trouble(line, "gone");
    line.put(", last seen in ");
    put_state(line, gone.state);
    line.put(' ');
    put_duration(line, gone.unseen_ns, style_.precision);
    line.put(" before");
}

void TimelineWords::put_what(LineWriter &line, const Event &event, const Accept &accept) const
{
    line.put("accepted by ");
    put_owner(line, event.identity);
    if (accept.state != TcpState::Established) {
        line.put(" in ");
        put_state(line, accept.state);
    }
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const Reset &reset) const
{
    put_trouble(line, reset.direction == ResetDirection::Sent ? "reset sent" : "reset received");
    if (reset.state != TcpState::Close) {
        line.put(" in ");
        put_state(line, reset.state);
    }
    if (reset.reason == ResetReason::Other) {
        put_labelled(line, ": the kernel's reason ", reset.kernel_reason);
    } else if (reset.reason != ResetReason::Unknown) {
        line.put(": ");
        line.put(describe(reset.reason));
    }
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const Found &found) const
{
    line.put("found ");
    put_state(line, found.state);
    if (found.status.in_state_ns) {
        line.put(" for ");
        put_duration(line, *found.status.in_state_ns, style_.precision);
    }
    if (style_.metrics && found.metrics)
        put_sender(line, *found.metrics);
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const CongestionChange &change) const
{
    line.put("congestion ");
    line.put(name(change.from));
    line.put(" -> ");
    line.put(name(change.to));
    put_sender(line, change.metrics);
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const Handshake &handshake) const
{
    put_handshake(line, handshake, style_);
}

void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const ListenQueue &queue) const
{
    put_listen_queue(line, queue, style_);
}

// One that failed: the others become runs.
void TimelineWords::put_what(LineWriter &line, const Event & /*event*/, const Retransmit &retransmit) const
{
    put_in_color(line, color::trouble);
    line.put("cannot send (");
    put_errno(line, retransmit.send_error);
    line.put("): ");
    put_segment(line, retransmit);
    put_in_color(line, color::reset);
}

void TimelineWords::put_sender(LineWriter &line, const Metrics &metrics) const
{
    if (metrics.rtt_us != 0) {
        line.put(", rtt ");
        put_duration(line, metrics.rtt_us * ns_per_us, style_.precision);
    }
    put_labelled(line, ", cwnd ", metrics.cwnd);
    put_labelled(line, ", sendq ", metrics.send_queue);
    put_labelled(line, ", recvq ", metrics.recv_queue);
    put_labelled(line, ", in flight ", metrics.in_flight);
}

void TimelineWords::put_owner(LineWriter &line, const Identity *identity) const
{
    if (identity == nullptr || !identity->owner.is_known()) {
        line.put("unknown");
        return;
    }
    put_escaped(line, identity->owner.comm_view());
    put_labelled(line, "[", identity->owner.pid);
    line.put(']');
    if (style_.metrics) {
        line.put(" (");
        line.put(name(identity->owner.source));
        line.put(')');
    }
}

void TimelineWords::put_trouble(LineWriter &line, std::string_view text) const
{
    put_in_color(line, color::trouble);
    line.put(text);
    put_in_color(line, color::reset);
}

void TimelineWords::put_in_color(LineWriter &line, std::string_view code) const
{
    if (style_.color)
        line.put(code);
}

} // namespace tcpflight

#include "sink/text.h"

#include "sink/address.h"
#include "sink/change_text.h"
#include "sink/color.h"
#include "sink/duration.h"
#include "sink/escape.h"
#include "sink/remote_end.h"
#include "sink/text_parts.h"

namespace tcpflight {
namespace {

using TimeText = std::variant<std::monostate, ClockText, DeltaText>;

TimeText make_time(const OutputStyle &style)
{
    switch (style.time) {
    case TimeStyle::None: break;
    case TimeStyle::Clock: return ClockText(ClockText::Shape::Clock, style.precision);
    case TimeStyle::Epoch: return ClockText(ClockText::Shape::Epoch, style.precision);
    case TimeStyle::DateClock: return ClockText(ClockText::Shape::DateClock, style.precision);
    case TimeStyle::DeltaLine: return DeltaText(DeltaText::Since::LineBefore, style.precision);
    case TimeStyle::DeltaStart: return DeltaText(DeltaText::Since::FirstLine, style.precision);
    }
    return {};
}

// Where the owner is.
void put_place(LineWriter &line, const Identity &identity)
{
    if (identity.owner.inner_pid != 0)
        put_labelled(line, ", inner pid ", identity.owner.inner_pid);
    if (const auto path = identity.cgroup_path(); !path.empty()) {
        line.put(", cgroup ");
        put_escaped(line, path);
    } else if (identity.cgroup != 0) {
        put_labelled(line, ", cgroup ", identity.cgroup);
    }
    if (const auto container = identity.container(); !container.empty()) {
        line.put(", container ");
        put_escaped(line, short_container(container));
    }
}

} // namespace

TextSink::TextSink(const OutputStyle &style) : style_(style), time_(make_time(style)), states_(style.color) {}

void TextSink::write(const Event &event, std::string &out)
{
    const std::size_t begin = out.size();
    LineWriter line(out);
    put_time(line, event.time_ns);
    put_host(line);
    std::visit([&](const auto &what) { put_what(line, event, what); }, event.what);
    line.finish();
    if (style_.columns != 0)
        folder_.fold(out, begin, style_.columns);
}

void TextSink::put_in_color(LineWriter &line, std::string_view code) const
{
    if (style_.color)
        line.put(code);
}

void TextSink::put_time(LineWriter &line, std::uint64_t time_ns)
{
    if (time_.index() == 0)
        return;
    put_in_color(line, color::faint);
    if (auto *clock = std::get_if<ClockText>(&time_))
        clock->put(line, anchor_.to_wall(time_ns));
    else if (auto *delta = std::get_if<DeltaText>(&time_))
        delta->put(line, time_ns);
    put_in_color(line, color::reset);
    line.put(' ');
}

void TextSink::put_host(LineWriter &line) const
{
    if (!host_)
        return;
    if (host_->empty())
        line.put('?');
    else
        put_escaped(line, *host_);
    line.put(' ');
}

void TextSink::put_tuple(LineWriter &line, const Event &event)
{
    if (event.identity == nullptr) {
        line.put("IP ? > ?: ");
        return;
    }
    const Ends ends{.local = event.identity->local,
                    .remote = event.identity->remote,
                    .family = event.identity->family,
                    .has_remote = has_remote_end(event)};
    tuples_.put(line, ends, event.connection, [&ends](LineWriter &text) {
        text.put(ends.family == Family::IPv4 ? std::string_view("IP ") : std::string_view("IP6 "));
        put_endpoint(text, ends.local);
        text.put(" > ");
        if (ends.has_remote)
            put_endpoint(text, ends.remote);
        else
            text.put('*');
        text.put(": ");
    });
}

// Also with -q: what follows a gap cannot be taken for the whole story.
void TextSink::put_gap(LineWriter &line, const Event &event) const
{
    if (!event.after_gap)
        return;
    line.put(", ");
    put_in_color(line, color::trouble);
    line.put("after a gap");
    put_in_color(line, color::reset);
}

void TextSink::put_length(LineWriter &line, const StateChange &change) const
{
    if (const auto &length = change.duration_ns ? change.duration_ns : change.at_least_ns) {
        bool open = !change.duration_ns && !(change.end && change.end->at_most_ns);
        line.put(open ? std::string_view(" after >") : std::string_view(" after "));
        put_duration(line, *length, style_.precision);
    }
    if (!change.end)
        return;
    if (const auto &at_most = change.end->at_most_ns) {
        line.put(change.at_least_ns ? std::string_view(" to ") : std::string_view(" after <"));
        put_duration(line, *at_most, style_.precision);
    }
    if (change.end->reason != EndReason::Unknown) {
        line.put(" (");
        line.put(describe(change.end->reason));
        line.put(')');
    }
}

void TextSink::put_what(LineWriter &line, const Event &event, const StateChange &change)
{
    put_tuple(line, event);
    states_.put_change(line, change.from, change.to);
    if (change.time_wait_socket && change.to == TcpState::FinWait2)
        line.put(" (orphan)");
    if (!style_.quiet)
        put_length(line, change);
    put_gap(line, event);
    if (style_.quiet)
        return;
    put_change_details(line, change, style_);
    put_owner(line, event.identity);
    if (style_.metrics && change.bytes)
        put_bytes(line, *change.bytes);
    if (style_.metrics && change.traffic)
        put_segments(line, *change.traffic);
    if (style_.metrics)
        put_details(line, event.identity, change.metrics ? &*change.metrics : nullptr, true);
}

void TextSink::put_what(LineWriter &line, const Event & /*event*/, const Lost &lost)
{
    line.put("-- ");
    put_in_color(line, color::lost);
    line.put_decimal(lost.count);
    line.put(lost.count == 1 ? std::string_view(" event lost here") : std::string_view(" events lost here"));
    put_in_color(line, color::reset);
    line.put(": ");
    line.put(describe(lost.reason));
    if (lost.cpu)
        put_labelled(line, ", cpu ", *lost.cpu);
}

void TextSink::put_owner(LineWriter &line, const Identity *identity)
{
    if (identity == nullptr || !identity->owner.is_known()) {
        line.put(", unknown");
        return;
    }
    const Owner &owner = identity->owner;
    owners_.put(line, Process{.pid = owner.pid, .comm = owner.comm}, owner.pid, [&owner](LineWriter &text) {
        text.put(", ");
        put_escaped(text, owner.comm_view());
        put_labelled(text, "[", owner.pid);
        text.put(']');
    });
    if (style_.metrics) {
        line.put(" (");
        line.put(name(owner.source));
        line.put(')');
    }
}

// `with_rto`: unless the line has it already.
void TextSink::put_details(LineWriter &line, const Identity *identity, const Metrics *metrics, bool with_rto) const
{
    if (metrics != nullptr) {
        if (metrics->rtt_us != 0) {
            line.put(", rtt ");
            put_duration(line, metrics->rtt_us * ns_per_us, style_.precision);
            line.put(" var ");
            put_duration(line, metrics->rttvar_us * ns_per_us, style_.precision);
        }
        if (with_rto && metrics->rto_us != 0) {
            line.put(", RTO ");
            put_duration(line, metrics->rto_us * ns_per_us, style_.precision);
        }
        put_labelled(line, ", cwnd ", metrics->cwnd);
        if (metrics->ssthresh != infinite_ssthresh)
            put_labelled(line, ", ssthresh ", metrics->ssthresh);
        put_labelled(line, ", sendq ", metrics->send_queue);
        put_labelled(line, ", recvq ", metrics->recv_queue);
        put_labelled(line, ", in flight ", metrics->in_flight);
    }
    if (identity == nullptr)
        return;
    if (identity->netns != 0)
        put_labelled(line, ", netns ", identity->netns);
    if (identity->uid != unknown_uid)
        put_labelled(line, ", uid ", identity->uid);
    put_place(line, *identity);
}

} // namespace tcpflight

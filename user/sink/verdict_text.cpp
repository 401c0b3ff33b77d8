#include "sink/verdict_text.h"

#include "sink/duration.h"
#include "sink/errno_name.h"
#include "sink/escape.h"
#include "sink/text_parts.h"

#include <algorithm>

namespace tcpflight {
namespace {

class Evidence {
public:
    Evidence(LineWriter &line, const Verdict &verdict, TimePrecision precision)
        : line_(line), verdict_(verdict), precision_(precision)
    {
    }

    void put();

private:
    void put_main();
    void put_orderly();
    void put_unanswered(std::string_view after);
    void put_sent();
    void put_cut_off();
    void put_half_open();
    void put_stuck();
    void put_queue();
    // "22000 of 28232 ports taken"
    void put_taken(std::string_view what);
    void put_other_end();
    bool put_owner();
    void put_in_state();
    // `before` and the time, unless it is not known.
    void put_time(std::string_view before, std::uint64_t duration_ns);
    // It is worked out, and not known to the microsecond.
    void put_about(std::string_view before, std::uint64_t duration_ns) { put_time(before, about(duration_ns)); }

    LineWriter &line_;
    const Verdict &verdict_;
    TimePrecision precision_;
};

void Evidence::put()
{
    put_main();
    if (verdict_.unanswered == Unanswered::Nothing && verdict_.retransmits != 0 &&
        verdict_.kind != VerdictKind::LossRate) {
        put_labelled(line_, ", ", verdict_.retransmits);
        line_.put(verdict_.retransmits == 1 ? std::string_view(" segment retransmitted")
                                            : std::string_view(" segments retransmitted"));
    }
    put_other_end();
}

void Evidence::put_main()
{
    switch (verdict_.kind) {
    case VerdictKind::Orderly: put_orderly(); break;
    case VerdictKind::HalfClosed:
        line_.put("this end closed");
        put_time(" after ", verdict_.open_ns);
        line_.put(", the other has not yet");
        put_about(", the kernel waits for ", verdict_.gives_up_ns);
        break;
    case VerdictKind::ListenerClosed:
        line_.put("closed by its process");
        put_time(" after ", verdict_.lasted_ns);
        break;
    case VerdictKind::Unclear:
        line_.put("it ended");
        put_in_state();
        line_.put(" without a reason that is known");
        break;
    case VerdictKind::Refused:
        line_.put("answered with a RST");
        put_time(" after ", verdict_.lasted_ns);
        break;
    case VerdictKind::ConnectCancelled:
        line_.put("closed");
        put_time(" after ", verdict_.lasted_ns);
        line_.put(", before an answer could come");
        break;
    case VerdictKind::ConnectAbandoned:
        line_.put("closed by its process: ");
        put_unanswered("no answer");
        break;
    case VerdictKind::ConnectTimedOut: put_unanswered("no answer"); break;
    case VerdictKind::Unreachable:
        if (verdict_.unanswered == Unanswered::Nothing) {
            line_.put("ended");
            put_in_state();
        } else {
            put_unanswered("no answer");
        }
        break;
    case VerdictKind::HandshakeFailed: line_.put("ended before the handshake was over"); break;
    case VerdictKind::ResetByPeer:
        line_.put("RST received");
        put_in_state();
        put_time(", after ", verdict_.lasted_ns);
        put_time(", half-open for ", verdict_.silent_ns);
        break;
    case VerdictKind::ResetByUs:
    case VerdictKind::AbortedUnread:
    case VerdictKind::AbortedLinger:
    case VerdictKind::NotAccepted:
    case VerdictKind::Killed:
    case VerdictKind::NoMemory: put_cut_off(); break;
    case VerdictKind::DataTimedOut:
    case VerdictKind::FinTimedOut: put_unanswered("never acknowledged"); break;
    case VerdictKind::KeepaliveTimedOut: line_.put("the other end did not answer keepalive probes"); break;
    case VerdictKind::UserTimedOut:
        put_unanswered("never acknowledged");
        put_time(", TCP_USER_TIMEOUT is ", verdict_.limit_ns);
        break;
    case VerdictKind::ConnectUnanswered:
        put_unanswered("no answer");
        put_about(", gives up in ", verdict_.gives_up_ns);
        break;
    case VerdictKind::HalfOpen: put_half_open(); break;
    case VerdictKind::CloseWaitHeld:
    case VerdictKind::FinWaitHeld:
    case VerdictKind::AcceptStalled:
    case VerdictKind::ZeroWindow:
    case VerdictKind::Unread:
    case VerdictKind::ProbesUnanswered: put_stuck(); break;
    case VerdictKind::AcceptQueueOverflow:
    case VerdictKind::SynQueueOverflow:
    case VerdictKind::SynCookies: put_queue(); break;
    case VerdictKind::RetransmissionStorm:
        line_.put_decimal(verdict_.alike);
        line_.put(" connections to its subnet had time-outs");
        put_time(" within ", verdict_.waits_ns);
        break;
    case VerdictKind::PortsRunningOut: put_taken(" ports taken, from this address to that address and port"); break;
    case VerdictKind::TimeWaitBuildUp: put_taken(" in TIME_WAIT, in its network namespace"); break;
    case VerdictKind::HandshakeUnanswered:
        put_labelled(line_, "SYN-ACK sent ", verdict_.times_sent);
        line_.put(" times");
        put_about(" in ", verdict_.silent_ns);
        line_.put(", no ACK");
        put_about(", gives up in ", verdict_.gives_up_ns);
        break;
    case VerdictKind::TimeWaitReused:
        line_.put("a new connection took its place");
        put_time(" after ", verdict_.waits_ns);
        break;
    case VerdictKind::TimeWaitAssassinated:
        line_.put("a RST ended it");
        put_time(" after ", verdict_.waits_ns);
        break;
    case VerdictKind::LossRate:
        line_.put_decimal(verdict_.repeated);
        put_labelled(line_, " of ", verdict_.segments);
        line_.put(" segments sent again");
        put_about(" within ", verdict_.waits_ns);
        break;
    case VerdictKind::RttInflation:
        put_time("a round trip takes ", verdict_.rtt_ns);
        put_time(", and took ", verdict_.min_rtt_ns);
        line_.put(" at its shortest");
        break;
    case VerdictKind::WindowTimedOut:
        line_.put("data waited for room at the other end, and window probes brought none");
        break;
    case VerdictKind::PathLoss:
        line_.put_decimal(verdict_.repeated);
        put_labelled(line_, " of ", verdict_.segments);
        put_labelled(line_, " segments sent again, of ", verdict_.alike);
        line_.put(" connections to that host that lost some");
        put_about(", within ", verdict_.waits_ns);
        break;
    case VerdictKind::ConnectionChurn:
        line_.put_decimal(verdict_.alike);
        line_.put(" connections of its process ended within a second each");
        put_about(", in ", verdict_.waits_ns);
        break;
    }
    if (verdict_.kind == VerdictKind::Unreachable || verdict_.kind == VerdictKind::Unclear) {
        if (verdict_.error != 0) {
            line_.put(", error ");
            put_errno(line_, verdict_.error);
        }
    }
}

void Evidence::put_orderly()
{
    switch (verdict_.closed_first) {
    case Closer::ThisEnd:
        line_.put("this end closed first");
        put_time(" after ", verdict_.open_ns);
        put_time(", the other ", verdict_.answer_ns);
        break;
    case Closer::OtherEnd:
        line_.put("the other end closed first");
        put_time(" after ", verdict_.open_ns);
        put_time(", this one ", verdict_.answer_ns);
        break;
    case Closer::Both:
        line_.put("both ends closed at the same time");
        put_time(" after ", verdict_.open_ns);
        return;
    case Closer::Unknown: line_.put("both ends closed"); return;
    }
    if (verdict_.answer_ns != 0)
        line_.put(" later");
}

// "9 SYNs in 19.6s, no answer", "FIN sent 10 times in 108s, never acknowledged".
void Evidence::put_unanswered(std::string_view after)
{
    if (verdict_.times_sent == 0) { // no repetition was seen
        line_.put(verdict_.unanswered == Unanswered::Fin ? std::string_view("FIN ") : std::string_view("data "));
        line_.put(after);
        return;
    }
    put_sent();
    put_time(" in ", verdict_.silent_ns);
    line_.put(", ");
    line_.put(after);
}

void Evidence::put_sent()
{
    if (verdict_.unanswered == Unanswered::Syn) {
        line_.put_decimal(verdict_.times_sent);
        line_.put(verdict_.times_sent == 1 ? std::string_view(" SYN") : std::string_view(" SYNs"));
        return;
    }
    line_.put(verdict_.unanswered == Unanswered::Fin ? std::string_view("FIN") : std::string_view("data"));
    put_labelled(line_, " sent ", verdict_.times_sent);
    line_.put(" times");
}

void Evidence::put_cut_off()
{
    if (verdict_.kind == VerdictKind::Killed && verdict_.reason == ResetReason::Unknown)
        line_.put("ended by another process");
    else if (verdict_.reason == ResetReason::Other)
        put_labelled(line_, "RST sent, the kernel's reason ", verdict_.kernel_reason);
    else if (verdict_.reason == ResetReason::Unknown)
        line_.put("RST sent");
    else
        line_.put(describe(verdict_.reason));
    put_in_state();
    put_time(", after ", verdict_.lasted_ns);
}

void Evidence::put_half_open()
{
    if (verdict_.over) {
        line_.put("the other end answers again");
        put_about(", after ", verdict_.silent_ns);
        return;
    }
    if (verdict_.unanswered == Unanswered::Nothing) {
        line_.put("the other end ");
        if (put_owner())
            line_.put(' ');
        line_.put("has been gone");
        put_time(" for ", verdict_.silent_ns);
        line_.put(", and this one was not told");
        if (verdict_.keepalive == Keepalive::Off) {
            line_.put(": no keepalive, so this would last for ever");
        } else if (verdict_.keepalive == Keepalive::On) {
            line_.put(": keepalive finds it");
            put_about(" in at most ", verdict_.gives_up_ns);
        }
        return;
    }
    put_sent();
    put_time(", nothing back for ", verdict_.silent_ns);
    put_about(", gives up in ", verdict_.gives_up_ns);
}

void Evidence::put_taken(std::string_view what)
{
    line_.put_decimal(verdict_.alike);
    put_labelled(line_, " of ", verdict_.at_most);
    line_.put(what);
    put_about(", all in ", verdict_.gives_up_ns);
}

// "3 of 1 wait, 5 SYNs and ACKs dropped"
void Evidence::put_queue()
{
    line_.put_decimal(verdict_.queued);
    put_labelled(line_, " of ", verdict_.at_most);
    line_.put(verdict_.kind == VerdictKind::AcceptQueueOverflow ? std::string_view(" wait to be accepted")
                                                                : std::string_view(" handshakes under way"));
    if (verdict_.by_somaxconn)
        line_.put(" (net.core.somaxconn)");
    if (verdict_.dropped != 0) {
        put_labelled(line_, ", ", verdict_.dropped);
        line_.put(" SYNs and ACKs dropped");
    }
    if (verdict_.kind == VerdictKind::SynCookies)
        line_.put(", answered with SYN cookies");
}

// What it waits for, how long, and how many of the same owner do.
void Evidence::put_stuck()
{
    switch (verdict_.kind) {
    case VerdictKind::CloseWaitHeld:
        line_.put("the other end closed");
        put_about(" ", verdict_.waits_ns);
        line_.put(" ago, and this process has not");
        break;
    case VerdictKind::FinWaitHeld:
        line_.put("this end closed");
        put_about(" ", verdict_.waits_ns);
        line_.put(" ago, and the other has not");
        break;
    case VerdictKind::AcceptStalled:
        line_.put("not accepted");
        put_about(" for ", verdict_.waits_ns);
        break;
    case VerdictKind::ZeroWindow:
        put_labelled(line_, "the other end has not taken ", verdict_.queued);
        line_.put(" bytes");
        put_about(" for ", verdict_.waits_ns);
        break;
    case VerdictKind::Unread:
        put_labelled(line_, "", verdict_.queued);
        line_.put(" bytes not read");
        put_about(" for ", verdict_.waits_ns);
        break;
    default:
        put_labelled(line_, "", verdict_.times_sent);
        line_.put(" probes not answered");
        break;
    }
    if (verdict_.alike > 1) {
        put_labelled(line_, ", ", verdict_.alike);
        line_.put(" such connections of its owner");
    }
}

void Evidence::put_other_end()
{
    const auto &other = verdict_.other;
    const bool matters = severity_of(verdict_.kind) == Severity::Alarm || verdict_.kind == VerdictKind::HalfClosed;
    const bool was_said = verdict_.kind == VerdictKind::HalfOpen && verdict_.unanswered == Unanswered::Nothing;
    if (other.connection == 0 || !matters || was_said)
        return;
    line_.put(", other end ");
    if (put_owner())
        line_.put(' ');
    if (other.state == TcpState::Close) {
        line_.put("has ended");
        return;
    }
    line_.put("is ");
    line_.put(name(other.state));
}

// Of the other end: "client[77]".
bool Evidence::put_owner()
{
    const auto &other = verdict_.other;
    if (other.pid == 0)
        return false;
    const auto *end = std::find(other.comm.begin(), other.comm.end(), '\0');
    put_escaped(line_, {other.comm.data(), static_cast<std::size_t>(end - other.comm.begin())});
    put_labelled(line_, "[", other.pid);
    line_.put(']');
    return true;
}

void Evidence::put_in_state()
{
    line_.put(" in ");
    line_.put(name(verdict_.state));
}

void Evidence::put_time(std::string_view before, std::uint64_t duration_ns)
{
    if (duration_ns == 0)
        return;
    line_.put(before);
    put_duration(line_, duration_ns, precision_);
}

} // namespace

void put_evidence(LineWriter &line, const Verdict &verdict, TimePrecision precision)
{
    Evidence(line, verdict, precision).put();
}

} // namespace tcpflight

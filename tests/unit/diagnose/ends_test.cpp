// Why a connection is over: each verdict of the family, and the near miss that is another one.
#include "unit/diagnose/judged.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcpflight::test {
namespace {

using enum TcpState;
using enum VerdictKind;

// How a client ends that was ESTABLISHED from 100us on.
Verdict after_open(std::initializer_list<EventBuilder> events)
{
    Judged judged;
    judged.open_client(1);
    for (const auto &event : events)
        judged.add(event);
    judged.finish();
    return judged.fallen.empty() ? Verdict{} : judged.last();
}

Verdict while_connecting(std::initializer_list<EventBuilder> events)
{
    Judged judged;
    judged.add(Judged::client(1).changes(Close, SynSent));
    for (const auto &event : events)
        judged.add(event);
    judged.finish();
    return judged.fallen.empty() ? Verdict{} : judged.last();
}

EventBuilder at(std::uint64_t time_ns)
{
    return Judged::client(time_ns);
}

TEST(Ends, OrderlyClosedHereFirst)
{
    const auto verdict = after_open({at(1 * s).changes(Established, FinWait1),
                                     at(1 * s + ms).changes(FinWait1, FinWait2), at(3 * s).leaves(FinWait2, TimeWait)});
    EXPECT_EQ(verdict.kind, Orderly);
    EXPECT_TRUE(verdict.ended);
    EXPECT_EQ(verdict.closed_first, Closer::ThisEnd);
    EXPECT_EQ(verdict.open_ns, 1 * s - 100 * us - 1);
    EXPECT_EQ(verdict.answer_ns, 2 * s);
    EXPECT_EQ(verdict.lasted_ns, 3 * s - 1);
    EXPECT_EQ(verdict.about_ns, 3 * s);
}

TEST(Ends, OrderlyClosedThereFirst)
{
    const auto verdict = after_open({at(1 * s).changes(Established, CloseWait), at(4 * s).changes(CloseWait, LastAck),
                                     at(4 * s + ms).changes(LastAck, Close)});
    EXPECT_EQ(verdict.kind, Orderly);
    EXPECT_EQ(verdict.closed_first, Closer::OtherEnd);
    EXPECT_EQ(verdict.answer_ns, 3 * s);
}

TEST(Ends, OrderlyClosedOnBothSidesAtOnce)
{
    const auto verdict = after_open({at(1 * s).changes(Established, FinWait1), at(2 * s).changes(FinWait1, Closing),
                                     at(3 * s).leaves(Closing, TimeWait)});
    EXPECT_EQ(verdict.kind, Orderly);
    EXPECT_EQ(verdict.closed_first, Closer::Both);
}

TEST(Ends, HalfClosedWhereTheOtherEndGoesOn)
{
    const auto verdict =
        after_open({at(1 * s).changes(Established, FinWait1), at(1 * s + ms).changes(FinWait1, FinWait2),
                    at(1 * s + ms).leaves(FinWait2, FinWait2)});
    EXPECT_EQ(verdict.kind, HalfClosed);
    EXPECT_EQ(severity_of(verdict.kind), Severity::Normal);
}

TEST(Ends, Refused)
{
    const auto verdict =
        while_connecting({at(90 * us).resets({.state = SynSent, .direction = ResetDirection::Received}),
                          at(91 * us).changes(SynSent, Close, 90 * us, ECONNREFUSED)});
    EXPECT_EQ(verdict.kind, Refused);
    EXPECT_EQ(verdict.error, ECONNREFUSED);
    EXPECT_EQ(severity_of(verdict.kind), Severity::Notice);
}

TEST(Ends, ConnectTimedOut)
{
    const auto verdict = while_connecting({at(1 * s).retransmits(Judged::timeout(1, SynSent, tcp_flag::syn)),
                                           at(2 * s).retransmits(Judged::timeout(2, SynSent, tcp_flag::syn)),
                                           at(4 * s).changes(SynSent, Close, 4 * s, ETIMEDOUT)});
    EXPECT_EQ(verdict.kind, ConnectTimedOut);
    EXPECT_EQ(verdict.unanswered, Unanswered::Syn);
    EXPECT_EQ(verdict.times_sent, 3U);
    EXPECT_EQ(verdict.silent_ns, 4 * s) << "2s at the last SYN, and 2s since";
}

TEST(Ends, ConnectAbandonedAfterARetransmission)
{
    const auto verdict = while_connecting(
        {at(1 * s).retransmits(Judged::timeout(1, SynSent, tcp_flag::syn)), at(2 * s).changes(SynSent, Close, 2 * s)});
    EXPECT_EQ(verdict.kind, ConnectAbandoned);
    EXPECT_EQ(severity_of(verdict.kind), Severity::Alarm);
}

// What programs do that try several addresses at once.
TEST(Ends, ConnectCancelledBeforeThat)
{
    const auto verdict = while_connecting({at(250 * ms).changes(SynSent, Close, 250 * ms)});
    EXPECT_EQ(verdict.kind, ConnectCancelled);
    EXPECT_EQ(severity_of(verdict.kind), Severity::Normal);
}

TEST(Ends, Unreachable)
{
    for (const int error : {ENETUNREACH, EHOSTUNREACH, EACCES})
        EXPECT_EQ(while_connecting({at(1 * s).changes(SynSent, Close, 1 * s, static_cast<std::uint16_t>(error))}).kind,
                  Unreachable)
            << error;
}

TEST(Ends, ResetByPeer)
{
    EXPECT_EQ(after_open({at(1 * s).resets({.state = Established, .direction = ResetDirection::Received}),
                          at(1 * s).changes(Established, Close, 1 * s, ECONNRESET)})
                  .kind,
              ResetByPeer);
    EXPECT_EQ(after_open({at(1 * s).changes(Established, CloseWait),
                          at(2 * s).resets({.state = CloseWait, .direction = ResetDirection::Received}),
                          at(2 * s).changes(CloseWait, Close, 1 * s, EPIPE)})
                  .kind,
              ResetByPeer);
}

// The RST is told after the end.
TEST(Ends, ResetByUsForTheReasonThatComesLater)
{
    const auto cut_off = [](ResetReason reason) {
        return after_open({at(1 * s).changes(Established, Close, 1 * s),
                           at(1 * s + 50 * us).resets({.state = Established, .reason = reason})});
    };
    EXPECT_EQ(cut_off(ResetReason::UnreadData).kind, AbortedUnread);
    EXPECT_EQ(cut_off(ResetReason::Linger0).kind, AbortedLinger);
    EXPECT_EQ(cut_off(ResetReason::Disconnected).kind, ResetByUs);
    EXPECT_EQ(cut_off(ResetReason::Unknown).kind, ResetByUs) << "older kernels do not tell";
    EXPECT_EQ(cut_off(ResetReason::NoMemory).kind, NoMemory);
    EXPECT_EQ(cut_off(ResetReason::UnreadData).reason, ResetReason::UnreadData);
}

TEST(Ends, KilledByAnotherProcess)
{
    EXPECT_EQ(after_open({at(1 * s).changes(Established, Close, 1 * s, ECONNABORTED)}).kind, Killed);
}

TEST(Ends, DataTimedOut)
{
    const auto verdict = after_open({at(10 * s).retransmits(Judged::timeout(1, Established, tcp_flag::ack, 100)),
                                     at(20 * s).retransmits(Judged::timeout(2, Established, tcp_flag::ack, 100)),
                                     at(70 * s).changes(Established, Close, 70 * s, ETIMEDOUT)});
    EXPECT_EQ(verdict.kind, DataTimedOut);
    EXPECT_EQ(verdict.times_sent, 3U);
    EXPECT_EQ(verdict.silent_ns, 52 * s);
}

TEST(Ends, FinTimedOut)
{
    const auto verdict = after_open({at(1 * s).changes(Established, FinWait1),
                                     at(10 * s).retransmits(Judged::timeout(1, FinWait1, tcp_flag::fin)),
                                     at(60 * s).changes(FinWait1, Close, 59 * s, ETIMEDOUT)});
    EXPECT_EQ(verdict.kind, FinTimedOut);
    EXPECT_EQ(verdict.unanswered, Unanswered::Fin);
}

TEST(Ends, UserTimedOut)
{
    auto last = Judged::timeout(1, Established, tcp_flag::ack, 100);
    last.user_timeout_ns = 5 * s;
    const auto verdict =
        after_open({at(10 * s).retransmits(last), at(14 * s).changes(Established, Close, 14 * s, ETIMEDOUT)});
    EXPECT_EQ(verdict.kind, UserTimedOut);
    EXPECT_EQ(verdict.limit_ns, 5 * s);
}

// Nothing was in flight: what was lost an hour before had been acknowledged since.
TEST(Ends, KeepaliveTimedOut)
{
    const auto verdict = after_open({at(1 * s).retransmits(Judged::timeout(1, Established, tcp_flag::ack, 100)),
                                     at(3600 * s).changes(Established, Close, 3600 * s, ETIMEDOUT)});
    EXPECT_EQ(verdict.kind, KeepaliveTimedOut);
    EXPECT_EQ(verdict.unanswered, Unanswered::Nothing);
}

// Where the end says what timed out, that is it, whatever was or was not seen before.
TEST(Ends, TimedOutAsTheEndItselfSays)
{
    const auto repeated = at(10 * s).retransmits(Judged::timeout(1, Established, tcp_flag::ack, 100));
    const auto ends = [&](TimedOut what, bool user = false) {
        return after_open({repeated, at(12 * s).times_out(Established, what, user)});
    };
    EXPECT_EQ(ends(TimedOut::Keepalive).kind, KeepaliveTimedOut);
    EXPECT_EQ(ends(TimedOut::Keepalive).unanswered, Unanswered::Nothing);
    EXPECT_EQ(ends(TimedOut::Keepalive, true).kind, KeepaliveTimedOut);
    EXPECT_EQ(ends(TimedOut::WindowProbe).kind, WindowTimedOut);
    EXPECT_EQ(ends(TimedOut::WindowProbe).unanswered, Unanswered::Nothing);
    EXPECT_EQ(severity_of(WindowTimedOut), Severity::Alarm);
    EXPECT_EQ(ends(TimedOut::Data).kind, DataTimedOut);
    EXPECT_EQ(ends(TimedOut::Data).times_sent, 2U);
    EXPECT_EQ(ends(TimedOut::Data, true).kind, UserTimedOut);

    const auto unseen =
        after_open({at(1 * s).changes(Established, FinWait1), at(3600 * s).times_out(FinWait1, TimedOut::Fin)});
    EXPECT_EQ(unseen.kind, FinTimedOut) << "no retransmission was seen";
    EXPECT_EQ(unseen.unanswered, Unanswered::Fin);
    EXPECT_EQ(unseen.times_sent, 0U);
    EXPECT_EQ(while_connecting({at(2 * s).times_out(SynSent, TimedOut::Syn)}).kind, ConnectTimedOut);
}

TEST(Ends, AListenerIsClosed)
{
    Judged judged;
    judged.add(Judged::client(1).remote("0.0.0.0", 0).changes(Close, Listen));
    judged.add(Judged::client(2 * s).remote("0.0.0.0", 0).changes(Listen, Close)).finish();
    ASSERT_EQ(judged.fallen.size(), 1U);
    EXPECT_EQ(judged.last().kind, ListenerClosed);
}

TEST(Ends, UnclearWhereNothingSaysWhy)
{
    EXPECT_EQ(after_open({at(1 * s).changes(Established, Close, 1 * s)}).kind, Unclear);
    EXPECT_EQ(after_open({at(1 * s).changes(Established, Close, 1 * s, ENOMEM)}).kind, Unclear);
}

// A connection whose begin was not seen, or of which something was lost, did not last from its first event on.
TEST(Ends, DoesNotSayHowLongItLastedWhereThatIsNotKnown)
{
    Judged judged;
    judged.add(at(1 * s).changes(Established, CloseWait));
    judged.add(at(2 * s).changes(CloseWait, LastAck)).add(at(3 * s).changes(LastAck, Close)).finish();
    EXPECT_EQ(judged.last().lasted_ns, 0U);
    EXPECT_EQ(after_open({at(1 * s).changes(Established, CloseWait), at(2 * s).changes(CloseWait, LastAck).after_gap(),
                          at(3 * s).changes(LastAck, Close).incomplete()})
                  .lasted_ns,
              0U);
}

} // namespace
} // namespace tcpflight::test

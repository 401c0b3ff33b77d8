// --format tcpstates: the columns of libbpf-tools' tcpstates.
#include "unit/sink/print.h"

#include "sink/tcpstates.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;

std::string print(std::initializer_list<EventBuilder> events)
{
    OutputStyle style;
    style.format = Format::Tcpstates;
    return test::print(style, events);
}

TEST(Tcpstates, HasTheToolsHeader)
{
    std::string out;
    TcpstatesSink().begin(out);
    EXPECT_EQ(out,
              "SKADDR           PID     COMM       LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE"
              "    MS\n");
}

TEST(Tcpstates, PutsValuesBelowTheirNames)
{
    EXPECT_EQ(
        print({EventBuilder().changes(TcpState::Established, TcpState::FinWait1, 103'669'999)}),
        "1267             2231    telnet     127.0.0.1       57374 127.0.0.1       12345 ESTABLISHED -> FIN_WAIT1  "
        " 103.669\n");
}

// As the tool's -T: in front, and as wide as the times are.
TEST(Tcpstates, HasATimeColumnWhereOneIsAskedFor)
{
    const auto lines = [](TimeStyle time, TimePrecision precision = TimePrecision::Micro) {
        OutputStyle style;
        style.format = Format::Tcpstates;
        style.time = time;
        style.precision = precision;
        auto sink = make_sink(style);
        sink->set_clock(test::start);
        std::string out;
        sink->begin(out);
        for (const std::uint64_t time_ns : {1'000U, 1'000'001'000U}) {
            const auto event = EventBuilder().at(time_ns).changes(TcpState::Close, TcpState::SynSent).build();
            sink->write(event.view(), out);
        }
        return out;
    };
    EXPECT_EQ(lines(TimeStyle::Clock).find("SKADDR "), 0U) << "nobody asked";
    EXPECT_EQ(lines(TimeStyle::None), lines(TimeStyle::Clock));
    const auto epoch = lines(TimeStyle::Epoch);
    EXPECT_EQ(epoch.find("TIME              SKADDR "), 0U) << epoch;
    EXPECT_NE(epoch.find("\n1795292931.000001 1267 "), std::string::npos) << epoch;
    EXPECT_NE(epoch.find("\n1795292932.000001 1267 "), std::string::npos) << epoch;
    const auto nano = lines(TimeStyle::Epoch, TimePrecision::Nano);
    EXPECT_EQ(nano.find("TIME                 SKADDR "), 0U) << nano;
    EXPECT_NE(nano.find("\n1795292931.000001000 1267 "), std::string::npos) << nano;
    const auto date = lines(TimeStyle::DateClock);
    EXPECT_EQ(date.find("TIME                       SKADDR "), 0U) << date;
    EXPECT_NE(lines(TimeStyle::DeltaLine).find("\n 00:00:01.000000 1267 "), std::string::npos);
    EXPECT_NE(lines(TimeStyle::DeltaStart).find("\n 00:00:01.000000 1267 "), std::string::npos);
}

TEST(Tcpstates, CountsFromNothingWhereALifeBegins)
{
    const std::string begin = "1267             2231    telnet     127.0.0.1       57374 127.0.0.1       12345 ";
    EXPECT_EQ(print({EventBuilder().changes(TcpState::Close, TcpState::SynSent)}),
              begin + "CLOSE       -> SYN_SENT    0.000\n");
    EXPECT_EQ(print({EventBuilder().changes(TcpState::Listen, TcpState::SynRecv)}),
              begin + "LISTEN      -> SYN_RECV    0.000\n");
    EXPECT_EQ(print({EventBuilder().changes(TcpState::Established, TcpState::CloseWait)}),
              begin + "ESTABLISHED -> CLOSE_WAIT  -\n");
}

TEST(Tcpstates, HasTimeWaitToo)
{
    const std::string begin = "1267             2231    telnet     127.0.0.1       57374 127.0.0.1       12345 ";
    EXPECT_EQ(print({EventBuilder().leaves(TcpState::FinWait2, TcpState::TimeWait)}),
              begin + "FIN_WAIT2   -> TIME_WAIT   -\n");
    EXPECT_EQ(print({EventBuilder().ends(TcpState::TimeWait, EndReason::Timer, 61'300'000'000)}),
              begin + "TIME_WAIT   -> CLOSE       61300.000\n");
}

TEST(Tcpstates, AListenerHasNoOtherEnd)
{
    EXPECT_EQ(
        print({EventBuilder().remote("0.0.0.0", 0).changes(TcpState::Close, TcpState::Listen)}),
        "1267             2231    telnet     127.0.0.1       57374 0.0.0.0         0     CLOSE       -> LISTEN      "
        "0.000\n");
    EXPECT_EQ(
        print({EventBuilder().local("::1", 80).remote("2001:db8::1", 443).changes(TcpState::Listen, TcpState::Close)}),
        "1267             2231    telnet     ::1             80    ::              0     LISTEN      -> CLOSE       "
        "-\n");
}

TEST(Tcpstates, NamesCannotShiftColumns)
{
    const auto named = [](std::string_view name) {
        const auto line = print({EventBuilder().owner(name, 7, OwnerSource::Connect)});
        return line.substr(17, line.find(" 127") - 17);
    };
    EXPECT_EQ(named("a b"), "7       a\\x20b    ");
    EXPECT_EQ(named("\x1b[31m"), "7       \\x1b[31m  ");
    EXPECT_EQ(named("ksoftirqd/0"), "7       ksoftirqd/");
    EXPECT_EQ(named("a\nbc\nd"), "7       a\\x0abc   ") << "an escape is not cut in two";
    EXPECT_EQ(named(""), "7       -         ");
}

TEST(Tcpstates, SaysWhatIsNotKnown)
{
    EXPECT_EQ(
        print({EventBuilder().unknown_owner().local("127.0.0.1", 0)}),
        "1267             -       -          127.0.0.1       -     127.0.0.1       12345 CLOSE       -> SYN_SENT    "
        "0.000\n");
    EXPECT_EQ(
        print({EventBuilder().unknown_identity()}),
        "1267             -       -          -               -     -               -     CLOSE       -> SYN_SENT    "
        "0.000\n");
}

TEST(Tcpstates, ShowsNothingButChangesOfState)
{
    EXPECT_EQ(print({EventBuilder().retransmits({}), EventBuilder().accepted({}), EventBuilder().resets({}),
                     EventBuilder().goes({})}),
              "");
    EXPECT_EQ(print({EventBuilder().loses(12, LossReason::RingFull, 1)}),
              "# 12 events lost here: ring buffer full, cpu 1\n");
    const TcpstatesSink sink;
    EXPECT_TRUE(sink.shows(EventBuilder().build().view()));
    EXPECT_FALSE(sink.shows(EventBuilder().retransmits({}).build().view()));
}

} // namespace
} // namespace tcpflight

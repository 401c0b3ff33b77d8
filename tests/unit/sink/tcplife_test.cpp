// --format tcplife: the columns of libbpf-tools' tcplife.
#include "unit/sink/print.h"

#include "sink/tcplife.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;

constexpr std::uint64_t ns_per_us = 1000;

std::string print(std::initializer_list<EventBuilder> events)
{
    OutputStyle style;
    style.format = Format::Tcplife;
    return test::print(style, events);
}

EventBuilder change(std::uint64_t time_us, TcpState from, TcpState to)
{
    return EventBuilder().at(time_us * ns_per_us).changes(from, to);
}

// The last two columns but one, and the last.
std::string numbers(const std::string &line)
{
    return line.substr(line.find("12345 ") + 6);
}

TEST(Tcplife, HasTheToolsHeader)
{
    std::string out;
    OutputStyle dated;
    dated.time = TimeStyle::Epoch;
    TcplifeSink(dated).begin(out);
    EXPECT_EQ(out, "TIME              " + std::string(TcplifeSink::header)) << "where -tt asks for it";
    out.clear();
    TcplifeSink().begin(out);
    EXPECT_EQ(out, "PID     COMM             LADDR           LPORT RADDR           RPORT TX_KB  RX_KB  MS\n");
}

// From ESTABLISHED on, as the tool counts.
TEST(Tcplife, IsALineWhenAConnectionEnds)
{
    EXPECT_EQ(
        print({change(1000, TcpState::Close, TcpState::SynSent), change(2000, TcpState::SynSent, TcpState::Established),
               change(100'000, TcpState::Established, TcpState::CloseWait),
               change(153'000, TcpState::CloseWait, TcpState::LastAck),
               change(153'679, TcpState::LastAck, TcpState::Close).carried(5001, 2048)}),
        "2231    telnet           127.0.0.1       57374 127.0.0.1       12345 4.88   2.00   151.67\n");
}

TEST(Tcplife, EndsWithTheSocketAndNotWithWhatTakesItsPlace)
{
    EXPECT_EQ(print({change(0, TcpState::SynRecv, TcpState::Established),
                     EventBuilder().at(10'000 * ns_per_us).leaves(TcpState::FinWait2, TcpState::TimeWait).carried(0, 1),
                     EventBuilder().ends(TcpState::TimeWait, EndReason::Timer).afterwards()}),
              "2231    telnet           127.0.0.1       57374 127.0.0.1       12345 0.00   0.00   10.00\n");
}

TEST(Tcplife, OneThatNeverCameToBeCountsFromItsAttempt)
{
    EXPECT_EQ(numbers(print({change(1000, TcpState::Close, TcpState::SynSent),
                             change(1056, TcpState::SynSent, TcpState::Close).carried(0, 0)})),
              "0.00   0.00   0.05\n");
}

TEST(Tcplife, RoundsBytesAsPrintfDoes)
{
    const auto kb = [](std::uint64_t bytes) {
        const auto text = numbers(print({change(0, TcpState::LastAck, TcpState::Close).carried(bytes, 0)}));
        return text.substr(0, text.find(' '));
    };
    EXPECT_EQ(kb(5), "0.00");
    EXPECT_EQ(kb(6), "0.01");
    EXPECT_EQ(kb(128), "0.12"); // 0.125
    EXPECT_EQ(kb(384), "0.38"); // 0.375
    EXPECT_EQ(kb(1023), "1.00");
    EXPECT_EQ(kb(std::uint64_t{1} << 40), "1073741824.00");
    EXPECT_EQ(kb(0xffffffffffffffff), "18014398509481984.00");
}

TEST(Tcplife, SaysWhatIsNotKnown)
{
    EXPECT_EQ(print({EventBuilder().unknown_owner().changes(TcpState::LastAck, TcpState::Close)}),
              "-       -                127.0.0.1       57374 127.0.0.1       12345 -      -      -\n");
    // ESTABLISHED was lost.
    EXPECT_EQ(numbers(print({change(0, TcpState::Close, TcpState::SynSent),
                             change(9, TcpState::LastAck, TcpState::Close).incomplete()})),
              "-      -      -\n");
}

TEST(Tcplife, KnowsWhatTheKernelKnowsOfAnOldOne)
{
    EXPECT_EQ(numbers(print(
                  {EventBuilder().at(9'000'000'000).changes(TcpState::Established, TcpState::CloseWait, 8'000'000'000),
                   change(9'500'000, TcpState::LastAck, TcpState::Close).carried(0, 0)})),
              "0.00   0.00   8500.00\n");
}

TEST(Tcplife, ANewLifeOfTheSameSocketBeginsAnew)
{
    const auto out = print({change(0, TcpState::SynSent, TcpState::Established),
                            change(10, TcpState::Established, TcpState::Close).carried(0, 0),
                            change(5000, TcpState::Close, TcpState::SynSent),
                            change(5010, TcpState::SynSent, TcpState::Close).carried(0, 0)});
    EXPECT_EQ(numbers(out.substr(out.find('\n') + 1)), "0.00   0.00   0.01\n");
}

TEST(Tcplife, LeavesOutListenersAndAllOtherEvents)
{
    EXPECT_EQ(print({EventBuilder().remote("0.0.0.0", 0).changes(TcpState::Listen, TcpState::Close),
                     EventBuilder().retransmits({}), EventBuilder().goes({})}),
              "");
    EXPECT_EQ(print({EventBuilder().loses(1, LossReason::Nested, {})}),
              "# 1 event lost here: program interrupted by itself\n");
    const TcplifeSink sink;
    EXPECT_TRUE(sink.shows(change(0, TcpState::LastAck, TcpState::Close).build().view()));
    EXPECT_FALSE(sink.shows(change(0, TcpState::Close, TcpState::SynSent).build().view()));
    EXPECT_FALSE(sink.shows(change(0, TcpState::Listen, TcpState::Close).build().view()));
}

TEST(Tcplife, KeepsNoMoreThanItMay)
{
    TcplifeSink sink({}, 1);
    std::string out;
    for (std::uint64_t connection = 1; connection <= 2; connection++)
        sink.write(change(0, TcpState::SynSent, TcpState::Established).connection(connection).build().view(), out);
    for (std::uint64_t connection = 1; connection <= 2; connection++)
        sink.write(change(20, TcpState::LastAck, TcpState::Close).connection(connection).build().view(), out);
    EXPECT_EQ(numbers(out), "-      -      0.02\n2231    telnet           127.0.0.1       57374 127.0.0.1       12345 "
                            "-      -      -\n");
    out.clear();
    sink.write(change(30, TcpState::SynSent, TcpState::Established).connection(3).build().view(), out);
    sink.write(change(50, TcpState::LastAck, TcpState::Close).connection(3).build().view(), out);
    EXPECT_EQ(numbers(out), "-      -      0.02\n");
}

} // namespace
} // namespace tcpflight

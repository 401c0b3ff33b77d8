#include "sink/fold.h"

#include "support/lines.h"
#include "unit/sink/print.h"
#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <random>
#include <vector>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::lines_of;

std::string folded(std::string line, std::size_t columns)
{
    Folder folder;
    line = "before\n" + line + "\n";
    folder.fold(line, 7, columns);
    EXPECT_EQ(line.substr(0, 7), "before\n");
    return line.substr(7);
}

TEST(Fold, WhatFitsStaysAsItIs)
{
    EXPECT_EQ(folded("a > b: c, d", 11), "a > b: c, d\n");
    EXPECT_EQ(folded("", 1), "\n");
}

TEST(Fold, OneColumnTooMany)
{
    EXPECT_EQ(folded("a > b: c, d", 10), "a > b: c,\n    d\n");
}

TEST(Fold, AsFewBreaksAsItTakes)
{
    EXPECT_EQ(folded("aaaa: bb, cc, dd, ee, ff", 12), "aaaa: bb,\n    cc, dd,\n    ee, ff\n");
}

TEST(Fold, EveryColonIsAPlaceForABreak)
{
    EXPECT_EQ(folded("aaaa: failed (EPERM): x", 22), "aaaa: failed (EPERM):\n    x\n");
    EXPECT_EQ(folded("aaaa: failed (EPERM): x", 20), "aaaa:\n    failed (EPERM):\n    x\n");
}

TEST(Fold, NothingIsCutInside)
{
    EXPECT_EQ(folded("aaaaaaaaaaaa: bbbbbbbbbbbbbbb, c", 10), "aaaaaaaaaaaa:\n    bbbbbbbbbbbbbbb,\n    c\n");
    EXPECT_EQ(folded("nothing to break here", 10), "nothing to break here\n");
}

TEST(Fold, ColoursTakeNoWidth)
{
    EXPECT_EQ(visible_width("\x1b[1;31mred\x1b[0m"), 3U);
    EXPECT_EQ(folded("a > b: \x1b[32mc\x1b[0m, d", 11), "a > b: \x1b[32mc\x1b[0m, d\n");
    EXPECT_EQ(folded("a > b: \x1b[32mc\x1b[0m, d", 10), "a > b: \x1b[32mc\x1b[0m,\n    d\n");
}

std::string wrapped(std::string_view text, std::size_t columns, std::size_t keep, std::size_t goes_on_at)
{
    std::string out = "before\n";
    wrap(out, text, columns, keep, goes_on_at);
    EXPECT_EQ(out.substr(0, 7), "before\n");
    return out.substr(7);
}

TEST(Wrap, BreaksAtTheLastBlankThatFits)
{
    EXPECT_EQ(wrapped("one two three", 13, 0, 2), "one two three\n");
    EXPECT_EQ(wrapped("one two three", 12, 0, 2), "one two\n  three\n");
    EXPECT_EQ(wrapped("one two three four", 7, 0, 2), "one two\n  three\n  four\n");
    EXPECT_EQ(wrapped("one two", 6, 0, 2), "one\n  two\n");
    EXPECT_EQ(wrapped("", 6, 0, 2), "\n");
}

TEST(Wrap, KeepsTheBeginTogetherAndLongWordsWhole)
{
    EXPECT_EQ(wrapped("1 2 3 four", 5, 4, 1), "1 2 3\n four\n");
    EXPECT_EQ(wrapped("1 2 3 four", 3, 4, 1), "1 2 3\n four\n");
    EXPECT_EQ(wrapped("longer than that", 3, 0, 1), "longer\n than\n that\n");
    EXPECT_EQ(wrapped("a bb ccc", 2, 0, 5), "a\n     bb\n     ccc\n");
}

// Colours take another way, and break where plain text is broken.
TEST(Wrap, ColoursChangeNoBreak)
{
    std::mt19937 random(1);
    for (int i = 0; i < 2000; i++) {
        std::string plain;
        std::string colored;
        for (auto words = 1 + random() % 12; words != 0; words--) {
            const std::string word(1 + random() % 9, 'x');
            if (!plain.empty()) {
                plain += ' ';
                colored += ' ';
            }
            plain += word;
            colored += random() % 3 == 0 ? "\x1b[32m" + word + "\x1b[0m" : word;
        }
        colored += "\x1b[0m";
        const auto columns = 1 + random() % 30;
        const auto keep = random() % 12;
        const auto goes_on_at = random() % 8;
        auto broken = wrapped(colored, columns, keep, goes_on_at);
        for (auto code = broken.find('\x1b'); code != std::string::npos; code = broken.find('\x1b'))
            broken.erase(code, broken.find('m', code) + 1 - code);
        ASSERT_EQ(wrapped(plain, columns, keep, goes_on_at), broken)
            << plain << ", " << columns << " columns, " << keep << " kept, on at " << goes_on_at;
    }
}

EventBuilder with_longest_ipv4_tuple()
{
    return EventBuilder().local("255.255.255.255", 65535).remote("255.255.255.254", 65534);
}

TEST(FoldedText, LongestIPv4TupleFits80Columns)
{
    const test::TimeZone zone("UTC0");
    OutputStyle style;
    style.columns = 80;
    EXPECT_EQ(test::print(style, {with_longest_ipv4_tuple().changes(TcpState::Established, TcpState::CloseWait,
                                                                    1'204'000, ECONNRESET)}),
              "20:28:51.000000 IP 255.255.255.255.65535 > 255.255.255.254.65534:\n"
              "    ESTABLISHED -> CLOSE_WAIT after 1.204ms, error ECONNRESET (104),\n"
              "    telnet[2231]\n");
}

TEST(FoldedText, AShortLineIsOneLine)
{
    const test::TimeZone zone("UTC0");
    OutputStyle style;
    style.columns = 80;
    EXPECT_EQ(test::print(style, {EventBuilder().local("10.0.0.1", 1).remote("10.0.0.2", 2)}),
              "20:28:51.000000 IP 10.0.0.1.1 > 10.0.0.2.2: CLOSE -> SYN_SENT, telnet[2231]\n");
}

TEST(FoldedText, NoEventOfIPv4IsWiderThan80Columns)
{
    const Metrics large{.rtt_us = 3'599'999'999,
                        .rttvar_us = 3'599'999'999,
                        .rto_us = 3'599'999'999,
                        .cwnd = 4'000'000'000,
                        .ssthresh = 4'000'000'000,
                        .send_queue = 4'000'000'000,
                        .recv_queue = 4'000'000'000,
                        .in_flight = 4'000'000'000};
    Retransmit worst;
    worst.state = TcpState::FinWait1;
    worst.flags = tcp_flag::fin | tcp_flag::ack;
    worst.length = 65535;
    worst.offset = 4'294'967'295;
    worst.attempt = 15;
    worst.send_error = EAFNOSUPPORT;
    const auto base = with_longest_ipv4_tuple()
                          .owner("fifteen letters", 4'194'304, OwnerSource::Inherited)
                          .after_gap()
                          .uid(4'294'967'294)
                          .cgroup(18'446'744'073'709'551'615U);
    for (const bool color : {false, true}) {
        for (const auto time : {TimeStyle::Clock, TimeStyle::DateClock, TimeStyle::DeltaLine}) {
            OutputStyle style;
            style.metrics = true;
            style.color = color;
            style.columns = 80;
            style.time = time;
            const std::uint64_t long_ago = 3'599'999'999'999;
            const std::string text =
                test::print(style, {EventBuilder(base)
                                        .changes(TcpState::Established, TcpState::CloseWait, long_ago, ECONNREFUSED)
                                        .metrics(large),
                                    EventBuilder(base).retransmits(worst).metrics(large),
                                    EventBuilder(base).loses(18'446'744'073'709'551'615U, LossReason::Nested, 255)});
            for (const auto &line : lines_of(text))
                EXPECT_LE(visible_width(line), 80U) << line;
        }
    }
}

} // namespace
} // namespace tcpflight

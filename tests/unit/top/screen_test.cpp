// Keys and pictures in, lines out.
#include "top/screen.h"

#include "row_builder.h"
#include "sink/fold.h"

#include <gmock/gmock.h>

#include <map>

namespace tcpflight::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Kind = Key::Kind;
using enum TcpState;

// What is between the sequences.
std::string plain(const std::string &text)
{
    std::string out;
    bool in_code = false;
    for (const char c : text) {
        if (in_code)
            in_code = c < '@' || c > '~' || c == '[';
        else if (c == '\x1b')
            in_code = true;
        else
            out += c;
    }
    return out;
}

class TopScreenTest : public testing::Test {
protected:
    TopScreenTest() : screen_(make({})) { screen_.resize({.columns = 80, .lines = 24}); }

    Screen make(Screen::Settings settings)
    {
        settings.host = "web1";
        settings.text_column = 30;
        return {settings, no_names(), [this](std::uint64_t connection) -> std::optional<std::string> {
                    const auto found = timelines_.find(connection);
                    return found == timelines_.end() ? std::nullopt : std::optional(found->second);
                }};
    }
    void show(std::vector<Row> rows)
    {
        Picture picture;
        picture.now_ns = 100 * row_s;
        picture.elapsed_ns = 2 * row_s;
        picture.clock = "20:28:51";
        picture.rows = std::move(rows);
        picture.states.at(static_cast<std::size_t>(Established)) = picture.rows.size();
        picture.lost = lost_;
        picture.counts.events = 5;
        screen_.show(std::move(picture));
    }
    void press(const std::string &letters)
    {
        for (const char c : letters)
            EXPECT_TRUE(screen_.press({.kind = Kind::Char, .letter = c}));
    }
    void press(Kind kind) { EXPECT_TRUE(screen_.press({.kind = kind})); }

    std::vector<std::string> lines()
    {
        std::vector<std::string> texts;
        for (const auto &line : screen_.draw().lines)
            texts.push_back(plain(line));
        return texts;
    }
    std::string all()
    {
        std::string text;
        for (const auto &line : lines())
            text += line + '\n';
        return text;
    }
    // The local ports of the rows, in order; the selected one with a '>'.
    std::string ports()
    {
        std::string text;
        for (const auto &line : screen_.draw().lines) {
            const auto shown = plain(line);
            const auto at = shown.find("127.0.0.1.");
            if (!shown.starts_with("ESTABLISHED") || at == std::string::npos)
                continue;
            text += text.empty() ? "" : " ";
            text += line.starts_with("\x1b[7m") ? ">" : "";
            text += std::to_string(std::stoi(shown.substr(at + 10)));
        }
        return text;
    }
    static std::vector<Row> rows(int count)
    {
        std::vector<Row> rows;
        for (int i = 1; i <= count; i++)
            rows.push_back(RowBuilder(static_cast<std::uint64_t>(i))
                               .local("127.0.0.1", static_cast<std::uint16_t>(1000 + i))
                               .remote("10.0.0.1", 80)
                               .retransmits(static_cast<std::uint32_t>(i * 7 % 5)));
        return rows;
    }

    std::map<std::uint64_t, std::string> timelines_;
    std::uint64_t lost_ = 0;
    Screen screen_;
};

TEST_F(TopScreenTest, HasAHeaderTheRowsAndTheKeys)
{
    show(rows(2));
    const auto shown = lines();
    ASSERT_EQ(shown.size(), 24U);
    EXPECT_EQ(shown[0], "tcpflight top  web1  20:28:51  by verdict  every 2s");
    EXPECT_EQ(shown[1], "alarms 0  lost 0  events/s 2.5  retransmits/s 0  resets/s 0  new/s 0  ended/s 0");
    EXPECT_EQ(shown[2], "2 connections: 2 ESTABLISHED");
    EXPECT_EQ(shown[3], "STATE           FOR     AGE RETR LOCAL          REMOTE      PROCESS      VERDICT");
    EXPECT_EQ(shown[4], "ESTABLISHED   1m39s   1m39s    2 127.0.0.1.1001 10.0.0.1.80 telnet[2231]        ");
    EXPECT_EQ(shown[6], "");
    EXPECT_EQ(shown[23], "q quit  Enter timeline  / filter  < > sort  r reverse  p pause  ? help");
}

TEST_F(TopScreenTest, NeverHidesLossesAndAlarms)
{
    lost_ = 12;
    show({RowBuilder().judged(VerdictKind::HalfOpen)});
    for (const ScreenSize size : {ScreenSize{80, 24}, ScreenSize{40, 10}, ScreenSize{40, 6}}) {
        screen_.resize(size);
        EXPECT_THAT(all(), HasSubstr("alarms 1  lost 12"));
    }
}

TEST_F(TopScreenTest, FitsEverySize)
{
    timelines_[1] = "== a b\n   20:28:51.001203             " + std::string(200, 'x') + " y z\n";
    for (const auto &keys : {"", "/state (", "?"}) {
        screen_ = make({});
        show(rows(50));
        press(keys);
        for (std::size_t columns = 1; columns <= 130; columns += 3) {
            for (std::size_t count = 1; count <= 30; count++) {
                screen_.resize({.columns = columns, .lines = count});
                const auto frame = screen_.draw();
                ASSERT_EQ(frame.lines.size(), count);
                for (const auto &line : frame.lines)
                    ASSERT_LE(visible_width(line), columns) << columns << 'x' << count << ": " << line;
                if (frame.cursor) {
                    ASSERT_LT(frame.cursor->first, columns);
                    ASSERT_LT(frame.cursor->second, count);
                }
            }
        }
    }
    screen_ = make({});
    screen_.resize({.columns = 10, .lines = 4});
    show(rows(50));
    press(Kind::Enter);
    for (const auto &line : screen_.draw().lines)
        EXPECT_LE(visible_width(line), 10U);
}

TEST_F(TopScreenTest, SortsByKeysAndReverses)
{
    show(rows(4)); // retransmits 2 4 1 3
    press("X");
    EXPECT_EQ(ports(), ">1002 1004 1001 1003");
    EXPECT_THAT(lines()[0], HasSubstr("by retransmits  "));
    press("r");
    EXPECT_EQ(ports(), ">1003 1001 1004 1002");
    EXPECT_THAT(lines()[0], HasSubstr("by retransmits, reversed"));
    press("L");
    EXPECT_EQ(ports(), ">1001 1002 1003 1004");
    press(">");
    EXPECT_THAT(lines()[0], HasSubstr("by remote"));
    press(Kind::Left);
    press("<");
    EXPECT_THAT(lines()[0], HasSubstr("by rtt"));
}

TEST_F(TopScreenTest, KeepsTheSelectionOnItsConnection)
{
    show(rows(4));
    press("L");
    press(Kind::Down);
    EXPECT_EQ(ports(), "1001 >1002 1003 1004");
    press("X");
    EXPECT_EQ(ports(), ">1002 1004 1001 1003");
    auto fewer = rows(4);
    fewer.erase(fewer.begin() + 1);
    show(fewer);
    EXPECT_EQ(ports(), ">1004 1001 1003") << "it is gone, and its neighbour takes its place";
    press(Kind::End);
    EXPECT_EQ(ports(), "1004 1001 >1003");
    press(Kind::Down);
    EXPECT_EQ(ports(), "1004 1001 >1003");
    press(Kind::Home);
    press(Kind::Up);
    EXPECT_EQ(ports(), ">1004 1001 1003");
    show({});
    press(Kind::Down);
    EXPECT_EQ(ports(), "");
}

TEST_F(TopScreenTest, ScrollsByPages)
{
    screen_.resize({.columns = 80, .lines = 10}); // 5 rows
    show(rows(12));
    press("L");
    EXPECT_EQ(ports(), ">1001 1002 1003 1004 1005");
    press(Kind::PageDown);
    EXPECT_EQ(ports(), "1002 1003 1004 1005 >1006");
    press(Kind::End);
    EXPECT_EQ(ports(), "1008 1009 1010 1011 >1012");
    press(Kind::PageUp);
    press(Kind::PageUp);
    EXPECT_EQ(ports(), ">1002 1003 1004 1005 1006");
    screen_.resize({.columns = 80, .lines = 24});
    EXPECT_EQ(ports().substr(0, 10), "1001 >1002") << "no empty lines below, while there are rows above";
}

TEST_F(TopScreenTest, FiltersByAnExpression)
{
    show(rows(4));
    press("/port 1002 or port 1003");
    EXPECT_EQ(lines().back(), "filter: port 1002 or port 1003");
    const auto cursor = screen_.draw().cursor;
    ASSERT_TRUE(cursor);
    EXPECT_EQ(*cursor, std::pair(std::size_t{30}, std::size_t{23}));
    press(Kind::Enter);
    EXPECT_EQ(ports(), ">1002 1003");
    EXPECT_THAT(all(), HasSubstr("filter: port 1002 or port 1003  (2 of 4)"));
    EXPECT_FALSE(screen_.draw().cursor);
    // It is there to be changed, and Esc leaves it as it was.
    press("/ and port 9");
    press(Kind::Escape);
    EXPECT_EQ(ports(), ">1002 1003");
    press("f");
    press(Kind::EraseLine);
    press(Kind::Enter);
    EXPECT_THAT(all(), AllOf(HasSubstr("1004"), Not(HasSubstr("filter:"))));
}

TEST_F(TopScreenTest, PointsAtAnErrorInTheFilterAndGoesOnEditing)
{
    show(rows(4));
    press("/port 1002 andd state LISTEN");
    press(Kind::Enter);
    const auto shown = lines();
    EXPECT_EQ(shown[20], "'andd' is no keyword: did you mean 'and'?");
    EXPECT_EQ(shown[21], "    port 1002 andd state LISTEN");
    EXPECT_EQ(shown[22], "              ^~~~");
    EXPECT_EQ(shown[23], "filter: port 1002 andd state LISTEN");
    press("x");
    EXPECT_THAT(all(), Not(HasSubstr("no keyword")));
    press(Kind::Escape);
    EXPECT_EQ(ports(), ">1001 1002 1003 1004");
}

TEST_F(TopScreenTest, StandsStillWhilePaused)
{
    show(rows(2));
    press("p");
    show(rows(4));
    EXPECT_EQ(ports(), ">1001 1002");
    EXPECT_THAT(lines()[0], HasSubstr("PAUSED"));
    press("X");
    EXPECT_EQ(ports(), ">1002 1001") << "keys work all the same";
    press("p");
    show(rows(4));
    EXPECT_EQ(ports(), ">1002 1004 1001 1003");
}

TEST_F(TopScreenTest, ShowsTheTimelineOfTheSelectedConnection)
{
    timelines_[2] = "== telnet[2231] a > b\n"
                    "   20:28:51.001305   +1ms      LISTEN -> SYN_RECV\n"
                    "   verdict: half-open: FIN sent 5 times, nothing back for 1.666s, gives up in 106s\n";
    show(rows(3));
    press("L");
    press(Kind::Down);
    press(Kind::Enter);
    auto shown = lines();
    EXPECT_THAT(shown[0], HasSubstr("timeline  20:28:51  lines 1-4 of 4"));
    EXPECT_EQ(shown[1], "== telnet[2231] a > b");
    EXPECT_EQ(shown[3], "   verdict: half-open: FIN sent 5 times, nothing back for 1.666s, gives up in");
    EXPECT_EQ(shown[4], "            106s");
    // It is live.
    timelines_[2] += "   more\n";
    show(rows(3));
    EXPECT_THAT(lines(), Contains("   more"));
    // And what was there stays when the connection is not known any more.
    timelines_.clear();
    show({});
    EXPECT_THAT(lines(), Contains("   more"));
    EXPECT_THAT(lines()[0], HasSubstr("nothing follows any more"));
    press("q");
    EXPECT_THAT(lines()[0], HasSubstr("tcpflight top"));
    EXPECT_FALSE(screen_.press({.kind = Kind::Char, .letter = 'q'}));
}

TEST_F(TopScreenTest, ScrollsATimelineAndFollowsItsEnd)
{
    screen_.resize({.columns = 80, .lines = 6}); // 4 lines of it
    std::string text;
    for (int i = 1; i <= 9; i++)
        text += "   line " + std::to_string(i) + '\n';
    timelines_[1] = text;
    show(rows(1));
    press(Kind::Enter);
    EXPECT_EQ(lines()[4], "   line 9") << "the end is what matters";
    timelines_[1] += "   line 10\n";
    show(rows(1));
    EXPECT_EQ(lines()[4], "   line 10");
    press(Kind::Home);
    EXPECT_EQ(lines()[1], "   line 1");
    timelines_[1] += "   line 11\n";
    show(rows(1));
    EXPECT_EQ(lines()[1], "   line 1") << "whoever reads is left alone";
    press("j");
    press(Kind::PageDown);
    EXPECT_EQ(lines()[1], "   line 6");
    press("G");
    EXPECT_EQ(lines()[4], "   line 11");
    press(Kind::Escape);
    EXPECT_THAT(lines()[0], HasSubstr("alarms"));
}

TEST_F(TopScreenTest, SaysThatATimelineIsNotKnown)
{
    show(rows(1));
    press(Kind::Enter);
    EXPECT_EQ(lines().back(), "this connection is not known any more");
    press("k");
    EXPECT_THAT(lines().back(), HasSubstr("q quit"));
}

TEST_F(TopScreenTest, Helps)
{
    show(rows(1));
    press("?");
    EXPECT_THAT(all(), HasSubstr("sort by verdict, state"));
    press("x");
    EXPECT_EQ(ports(), ">1001");
}

TEST_F(TopScreenTest, EscapesWhatIsUntrusted)
{
    screen_.say("a\x1b[2Jb");
    EXPECT_EQ(lines().back(), "a\\x1b[2Jb");
}

TEST_F(TopScreenTest, IsWithoutColoursIfThatIsWanted)
{
    const std::vector<Row> some{RowBuilder(1).judged(VerdictKind::HalfOpen),
                                RowBuilder(2).judged(VerdictKind::HalfOpen)};
    const auto has_color = [&] {
        std::string text;
        for (const auto &line : screen_.draw().lines)
            text += line;
        return text.find("\x1b[32m") != std::string::npos || text.find("31m") != std::string::npos;
    };
    show(some);
    EXPECT_FALSE(has_color());
    screen_ = make({.color = true});
    show(some);
    EXPECT_TRUE(has_color());
}

} // namespace
} // namespace tcpflight::test

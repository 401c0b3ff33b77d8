// `tcpflight top`.
#include "command_line.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

TEST(TopCommand, ShowsAllConnectionsEveryTwoSecondsByDefault)
{
    const Command command = parse({"top"});
    EXPECT_EQ(command.kind, Command::Kind::Top);
    ASSERT_TRUE(command.options.top);
    EXPECT_EQ(command.options.top->delay_ns, 2'000'000'000U);
    EXPECT_FALSE(command.options.top->refreshes);
    EXPECT_EQ(command.options.top->sort, TopKey::Verdict);
    EXPECT_TRUE(command.options.filter.is_open());
    EXPECT_EQ(command.options.shown_verdicts(), Verdicts::All);
    EXPECT_FALSE(parse({"-q"}).options.top);
}

TEST(TopCommand, TakesWhatSaysWhichAndHow)
{
    const Command command = parse({"top",      "--port",      "80",
                                   "-4",       "-d",          "0.5",
                                   "-n",       "3",           "--sort",
                                   "rtt",      "--utc",       "--color",
                                   "never",    "--threshold", "close-wait=5",
                                   "--sweep",  "1",           "-v",
                                   "incoming", "and",         "retransmits >= 3"});
    EXPECT_EQ(command.kind, Command::Kind::Top) << command.text;
    EXPECT_EQ(command.options.top->delay_ns, 500'000'000U);
    EXPECT_EQ(command.options.top->refreshes, 3U);
    EXPECT_EQ(command.options.top->sort, TopKey::Rtt);
    EXPECT_TRUE(command.options.utc);
    EXPECT_EQ(command.options.filter.describe(), "port 80 and ip and incoming and retransmits >= 3");
    EXPECT_EQ(parse({"top", "--refreshes", "3"}).options.top->refreshes, 3U);
}

struct WrongTop {
    Words words;
    std::string text;
};

void PrintTo(const WrongTop &c, std::ostream *stream)
{
    *stream << join(c.words);
}

class TopRefuses : public testing::TestWithParam<WrongTop> {};

TEST_P(TopRefuses, InOneSentence)
{
    const Command command = parse(GetParam().words);
    EXPECT_EQ(command.kind, Command::Kind::Wrong);
    EXPECT_EQ(command.text, "tcpflight: " + GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TopRefuses,
    testing::Values(
        WrongTop{{"top", "-w", "x"}, "-w/--write: does not go with top, which is a live screen: see --help"},
        WrongTop{{"top", "-q"}, "-q/--quiet: does not go with top, which is a live screen: see --help"},
        WrongTop{{"top", "-r", "x"},
                 "-r/--read: does not go with top, which shows what happens now: tcpflight -g -r FILE shows the "
                 "connections of a recording"},
        WrongTop{{"top", "-d", "0"}, "-d/--delay: '0' is not a number of seconds: give 0.1 to 3600"},
        WrongTop{{"top", "-n", "x"}, "--refreshes: 'x' is not a number of pictures: give 1 or more"},
        WrongTop{{"top", "-n"}, "--refreshes: needs a value: give 1 or more"},
        WrongTop{{"top", "--sort", "recvq"},
                 "--sort: 'recvq' is not a key to sort by: give verdict, state, in-state, age, retransmits, rtt, "
                 "local, remote, process or last"},
        WrongTop{{"-d", "1"}, "-d/--delay: goes with top only: tcpflight top --delay"},
        WrongTop{{"list", "-d", "1"}, "-d/--delay: goes with top only: tcpflight top --delay"},
        WrongTop{{"--sort", "rtt"}, "--sort: goes with list and top only: tcpflight list --sort"}));

// As in tcpdump, it takes nothing elsewhere.
TEST(TopCommand, LeavesTheLetterNAsItIsForTracing)
{
    const Command command = parse({"-n", "port", "80"});
    EXPECT_EQ(command.kind, Command::Kind::Run) << command.text;
    EXPECT_EQ(command.options.filter.describe(), "port 80");
}

TEST(TopCommand, IsOnlyTheFirstWord)
{
    EXPECT_EQ(parse({"--comm", "top"}).kind, Command::Kind::Run);
}

TEST(TopCommand, Helps)
{
    EXPECT_EQ(parse({"top", "-d", "1", "--help"}).kind, Command::Kind::Print);
}

} // namespace
} // namespace tcpflight::test

// What --help and --version say, and the table they are made from.
#include "cli/flags.h"
#include "cli/help.h"
#include "command_line.h"
#include "support/lines.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace tcpflight::test {
namespace {

using testing::HasSubstr;

TEST(Help, FitsEightyColumnsOfPlainAscii)
{
    for (const std::string &line : lines_of(help_text())) {
        EXPECT_LE(line.size(), 80U) << line;
        EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; })) << line;
        EXPECT_EQ(line.find_last_not_of(' ') + 1, line.size()) << "blank at the end: " << line;
    }
    EXPECT_EQ(help_text().back(), '\n');
}

// Each but the hidden ones once, and those never.
TEST(Help, NamesEveryFlagWithItsValueAtTheBeginningOfALine)
{
    std::vector<std::string> lines = lines_of(help_text());
    for (const Flag &flag : all_flags()) {
        std::string beginning = "  " + std::string(flag.short_name.empty() ? "  " : flag.short_name);
        if (!flag.long_name.empty())
            beginning += (flag.short_name.empty() ? "  " : ", ") + std::string(flag.long_name);
        if (flag.takes_value())
            beginning += " " + std::string(flag.value);
        EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                                [&](const std::string &line) { return line.starts_with(beginning + " "); }),
                  flag.group == FlagGroup::Hidden ? 0 : 1)
            << beginning;
    }
}

TEST(Help, GivesExamplesThatAreRight)
{
    int examples = 0;
    for (const std::string &line : lines_of(help_text())) {
        constexpr std::string_view prompt = "  sudo tcpflight ";
        if (!line.starts_with(prompt))
            continue;
        ++examples;
        // Two blanks part the command from its explanation; what follows "|" is another command.
        std::string arguments = line.substr(prompt.size(), line.find("  ", prompt.size()) - prompt.size());
        std::istringstream stream(arguments.substr(0, arguments.find('|')));
        Words words;
        for (std::string word; stream >> word;)
            words.push_back(word);
        const auto first = words.empty() ? std::string() : words.front();
        const auto kind = first == "list"  ? Command::Kind::List
                          : first == "top" ? Command::Kind::Top
                                           : Command::Kind::Run;
        EXPECT_EQ(parse(words).kind, kind) << line;
    }
    EXPECT_GE(examples, 5);
}

TEST(Version, IsOneLine)
{
    EXPECT_THAT(version_text(), testing::MatchesRegex("tcpflight [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(Flags, AreComplete)
{
    std::set<std::string_view> names;
    for (const Flag &flag : all_flags()) {
        EXPECT_EQ(&find_flag(flag.id), &flag) << "listed twice: " << flag.display();
        EXPECT_FALSE(flag.help.empty()) << flag.display();
        EXPECT_EQ(flag.takes_value(), !flag.noun.empty()) << flag.display();
        EXPECT_EQ(flag.takes_value(), !flag.give.empty()) << flag.display();
        for (std::string_view name : {flag.short_name, flag.long_name})
            EXPECT_TRUE(name.empty() || names.insert(name).second) << name;
    }
}

struct PrintCase {
    Words words;
    bool version;
};

void PrintTo(const PrintCase &c, std::ostream *stream)
{
    *stream << join(c.words);
}

class HelpWanted : public testing::TestWithParam<PrintCase> {};

TEST_P(HelpWanted, IsGivenWhateverElseIsThere)
{
    Command command = parse(GetParam().words);
    EXPECT_EQ(command.kind, Command::Kind::Print);
    EXPECT_EQ(command.text, GetParam().version ? version_text() : help_text());
}

INSTANTIATE_TEST_SUITE_P(Table, HelpWanted,
                         testing::Values(PrintCase{{"--help"}, false}, PrintCase{{"-h"}, false},
                                         PrintCase{{"-qh"}, false}, PrintCase{{"--port", "x", "--help"}, false},
                                         PrintCase{{"--help", "--prot"}, false}, PrintCase{{"--help", "--port"}, false},
                                         PrintCase{{"--help", "--version"}, false}, PrintCase{{"--version"}, true},
                                         PrintCase{{"-V"}, true}, PrintCase{{"-V", "-h"}, true}));

TEST(HelpWanted, IsNotTakenForAValue)
{
    EXPECT_EQ(parse({"--comm", "--help"}).options.filter.describe(), "comm --help");
    EXPECT_THAT(parse({"--", "--help"}).text, HasSubstr("unknown option '--help'"));
}

} // namespace
} // namespace tcpflight::test

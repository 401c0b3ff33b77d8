// Command lines that are right, and what they come to.
#include "command_line.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace tcpflight::test {
namespace {

Options options_of(const Words &words, const Surroundings &surroundings = {})
{
    Command command = parse(words, surroundings);
    EXPECT_EQ(command.kind, Command::Kind::Run) << join(words);
    EXPECT_EQ(command.text, "");
    return command.options;
}

TEST(CommandLine, WithoutOptionsTracesEverything)
{
    Options options = options_of({});
    EXPECT_TRUE(options.filter.is_open());
    EXPECT_EQ(options.style.format, Format::Text);
    EXPECT_EQ(options.style.time, TimeStyle::Clock);
    EXPECT_EQ(options.style.precision, TimePrecision::Micro);
    EXPECT_FALSE(options.style.quiet);
    EXPECT_FALSE(options.style.metrics);
    EXPECT_FALSE(options.style.color);
    EXPECT_EQ(options.style.columns, 0);
    EXPECT_EQ(options.flush, Flush::Batch);
    EXPECT_EQ(options.count, std::nullopt);
    EXPECT_EQ(options.ring_bytes, 4U << 20);
    EXPECT_EQ(options.verbosity, 0);
}

TEST(CommandLine, ToleratesAMissingProgramName)
{
    const char *const nothing[] = {nullptr};
    EXPECT_EQ(parse_command_line(0, nothing, {}).kind, Command::Kind::Run);
}

struct FilterCase {
    Words words;
    std::string filter; // as Filter::describe puts it
};

void PrintTo(const FilterCase &c, std::ostream *stream)
{
    *stream << join(c.words);
}

class FilterOptions : public testing::TestWithParam<FilterCase> {};

TEST_P(FilterOptions, ComeToAFilter)
{
    EXPECT_EQ(options_of(GetParam().words).filter.describe(), GetParam().filter);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FilterOptions,
    testing::Values(FilterCase{{"--port", "80"}, "port 80"}, FilterCase{{"--port=80"}, "port 80"},
                    FilterCase{{"--port", "1"}, "port 1"}, FilterCase{{"--port", "65535"}, "port 65535"},
                    FilterCase{{"--port", "1-65535"}, "portrange 1-65535"}, FilterCase{{"--port", "7-7"}, "port 7"},
                    FilterCase{{"--port", "080"}, "port 80"},
                    FilterCase{{"--port", "80,443,8000-8080"}, "port 80 or 443 or portrange 8000-8080"},
                    FilterCase{{"--port", "443", "--port", "80"}, "port 80 or 443"},
                    FilterCase{{"--port", "8000-8010,8005-8020"}, "portrange 8000-8020"},
                    FilterCase{{"--local-port", "22"}, "local port 22"},
                    FilterCase{{"--remote-port", "443,8443"}, "remote port 443 or 8443"},
                    FilterCase{{"--local-port", "22", "--remote-port", "23", "--port", "24"},
                               "port 24 and local port 22 and remote port 23"},
                    FilterCase{{"--pid", "1"}, "pid 1"}, FilterCase{{"--pid", "4194304"}, "pid 4194304"},
                    FilterCase{{"--pid", "13,12,13", "--pid=12,14"}, "pid 13 or 12 or 14"},
                    FilterCase{{"--comm", "nginx"}, "comm nginx"},
                    FilterCase{{"--comm", "nginx", "--comm", "curl", "--comm", "nginx"}, "comm nginx or comm curl"},
                    FilterCase{{"--comm", "fifteen-letters"}, "comm fifteen-letters"}, FilterCase{{"-4"}, "ip"},
                    FilterCase{{"-6"}, "ip6"}, FilterCase{{"-4", "-6"}, ""}, FilterCase{{"-46"}, ""},
                    FilterCase{{"-4", "-4"}, "ip"}, FilterCase{{"--"}, ""}));

TEST(CommandLine, AnExpressionIsAndedToTheOptions)
{
    auto describe = [](const Words &words) { return options_of(words).filter.describe(); };
    EXPECT_EQ(describe({"port", "443"}), "port 443");
    EXPECT_EQ(describe({"port 443 or 80"}), "port 443 or 80");
    EXPECT_EQ(describe({"-q", "(port", "443)", "-6"}), "ip6 and port 443");
    EXPECT_EQ(describe({"--pid", "7", "port", "443", "or", "80"}), "pid 7 and (port 443 or 80)");
    EXPECT_EQ(describe({"--pid", "7", "port", "443", "and", "ip"}), "pid 7 and port 443 and ip");
    EXPECT_EQ(describe({"--", "!", "port", "443"}), "not port 443");
}

TEST(CommandLine, FilesOfARecordingComeBeforeTheExpression)
{
    auto options = options_of({"-r", "a.tfr", "b.tfr", "./port", "port", "443", "or", "80"});
    ASSERT_TRUE(options.read);
    EXPECT_EQ(options.read->files, (Words{"a.tfr", "b.tfr", "./port"}));
    EXPECT_EQ(options.filter.describe(), "port 443 or 80");
    EXPECT_TRUE(options_of({"-r", "a.tfr", "b.tfr"}).filter.is_open());
    EXPECT_EQ(options_of({"-r", "a.tfr", "!ip"}).read->files, Words{"a.tfr"});
}

TEST(CommandLine, ExplainsInsteadOfTracing)
{
    auto command = parse({"--explain", "--pid", "7", "comm", "x"});
    EXPECT_EQ(command.kind, Command::Kind::Print);
    EXPECT_EQ(command.text.substr(0, command.text.find('\n')), "expression: pid 7 and comm x");
}

TEST(CommandLine, AFilterOfARecordingIsAnExpressionOrOptions)
{
    EXPECT_EQ(parse_filter({"port 443 and ip"})->describe(), "port 443 and ip");
    EXPECT_EQ(parse_filter({"--port", "443", "-4"})->describe(), "port 443 and ip");
    EXPECT_TRUE(parse_filter({})->is_open());
    EXPECT_FALSE(parse_filter({"prot 443"}));
    EXPECT_FALSE(parse_filter({"-r", "x"}));
}

TEST(CommandLine, APortListTakesOnlyWhatIsInIt)
{
    Options options = options_of({"--port", "80,8000-8002"});
    Identity identity;
    for (auto [port, wanted] : {std::pair{80, true}, std::pair{81, false}, std::pair{7999, false},
                                std::pair{8000, true}, std::pair{8002, true}, std::pair{8003, false}}) {
        identity.local.port = static_cast<std::uint16_t>(port);
        EXPECT_EQ(options.filter.matches(identity), wanted) << port;
    }
}

// A name is a name, whatever it looks like.
class Names : public testing::TestWithParam<std::string> {};

TEST_P(Names, AreTakenAsTheyAre)
{
    Identity identity;
    identity.owner.source = OwnerSource::Connect;
    GetParam().copy(identity.owner.comm.data(), identity.owner.comm.size());
    for (const auto &words : {Words{"--comm", GetParam()}, Words{"--comm=" + GetParam()}}) {
        auto filter = options_of(words).filter;
        EXPECT_TRUE(filter.matches(identity));
        EXPECT_FALSE(filter.matches(Identity{}));
        auto again = parse_filter({filter.describe()});
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(again->describe(), filter.describe());
        EXPECT_TRUE(again->matches(identity)) << filter.describe();
    }
}

INSTANTIATE_TEST_SUITE_P(Table, Names,
                         testing::Values("a", "[a,b]", "[]", "{}", "%%", "a b", "a,b", "--", "-x", "--port",
                                         "--port=", "=", "a=b=", "'\"", "\\", "true", "0", " ", "\x1b[31m"),
                         [](const auto &row) { return std::to_string(row.index); });

struct OptionCase {
    Words words;
    std::function<bool(const Options &)> holds;
};

void PrintTo(const OptionCase &c, std::ostream *stream)
{
    *stream << join(c.words);
}

class OtherOptions : public testing::TestWithParam<OptionCase> {};

TEST_P(OtherOptions, HaveTheirEffect)
{
    EXPECT_TRUE(GetParam().holds(options_of(GetParam().words)));
}

OptionCase time_style(const std::string &flag, TimeStyle style)
{
    return {{flag}, [style](const Options &o) { return o.style.time == style; }};
}

OptionCase count(const Words &words, std::uint64_t number)
{
    return {words, [number](const Options &o) { return o.count == number; }};
}

OptionCase ring(const Words &words, std::uint32_t bytes)
{
    return {words, [bytes](const Options &o) { return o.ring_bytes == bytes; }};
}

OptionCase sweep(const Words &words, std::uint64_t period_ns)
{
    return {words, [period_ns](const Options &o) { return o.sweep_ns == period_ns; }};
}

OptionCase close_wait(const Words &words, std::uint64_t limit_ns)
{
    return {words, [limit_ns](const Options &o) { return o.thresholds.close_wait_ns == limit_ns; }};
}

OptionCase probes(const Words &words, std::uint32_t limit)
{
    // What the user gives is not adjusted to the settings of a namespace.
    return {words, [limit](const Options &o) {
                return adjusted(o.thresholds, {.keepalive_probes = 1}).probes == limit && o.thresholds.probes == limit;
            }};
}

OptionCase verbosity(const Words &words, int number)
{
    return {words, [number](const Options &o) { return o.verbosity == number && o.style.metrics == (number > 0); }};
}

OptionCase flush(const std::string &flag)
{
    return {{flag}, [](const Options &o) { return o.flush == Flush::Line; }};
}

OptionCase precision(const Words &words, TimePrecision expected)
{
    return {words, [expected](const Options &o) { return o.style.precision == expected; }};
}

OptionCase format(const Words &words, Format expected)
{
    return {words, [expected](const Options &o) { return o.style.format == expected; }};
}

OptionCase quiet(const std::string &flag)
{
    return {{flag}, [](const Options &o) { return o.style.quiet && !o.style.metrics; }};
}

OptionCase layer(const Words &words, Layer expected)
{
    return {words, [expected](const Options &o) { return o.layer == expected; }};
}

INSTANTIATE_TEST_SUITE_P(
    Table, OtherOptions,
    testing::Values(
        time_style("-t", TimeStyle::None), time_style("-tt", TimeStyle::Epoch),
        time_style("-ttt", TimeStyle::DeltaLine), time_style("-tttt", TimeStyle::DateClock),
        time_style("-ttttt", TimeStyle::DeltaStart),
        OptionCase{{"-t", "-q", "-t"}, [](const Options &o) { return o.style.time == TimeStyle::Epoch; }},
        precision({"--time-precision", "nano"}, TimePrecision::Nano),
        precision({"--time-precision=nano", "--time-precision=micro"}, TimePrecision::Micro), count({"-c", "1"}, 1),
        count({"-c5"}, 5), count({"--count=20"}, 20), count({"-c", "1", "-c", "2"}, 2),
        count({"-c", "18446744073709551615"}, std::numeric_limits<std::uint64_t>::max()), quiet("-q"), quiet("--quiet"),
        verbosity({"-v"}, 1), verbosity({"-vv"}, 2), verbosity({"-v", "--verbose", "-v"}, 3),
        OptionCase{{"-vqlc5"},
                   [](const Options &o) {
                       return o.verbosity == 1 && o.style.quiet && o.flush == Flush::Line && o.count == 5U;
                   }},
        flush("-l"), flush("-U"), OptionCase{{}, [](const Options &o) { return !o.show_found; }},
        OptionCase{{"--found"}, [](const Options &o) { return o.show_found; }},
        OptionCase{{"-n"}, [](const Options &o) { return o.filter.is_open() && o.flush == Flush::Batch; }},
        format({"--format", "json"}, Format::Json), format({"--format=json", "--format=text"}, Format::Text),
        format({"--format", "tcplife"}, Format::Tcplife), format({"--format", "tcpstates"}, Format::Tcpstates),
        OptionCase{{"--format", "tcplife"}, [](const Options &o) { return o.shown_verdicts() == Verdicts::None; }},
        layer({}, Layer::Fentry), layer({"--layer", "core"}, Layer::Core), layer({"--layer=kprobe"}, Layer::Kprobe),
        layer({"--layer", "core", "--layer", "fentry"}, Layer::Fentry), ring({"-B", "4"}, 4096), ring({"-B5"}, 8192),
        ring({"-B", "4096"}, 4U << 20), ring({"-B", "4097"}, 8U << 20), ring({"--buffer-size", "1048575"}, 1U << 30),
        ring({"--buffer-size=1048576"}, 1U << 30), sweep({}, 5'000'000'000), sweep({"--sweep", "0"}, 0),
        sweep({"--sweep=0.25"}, 250'000'000), sweep({"--sweep", "3600"}, 3'600'000'000'000),
        close_wait({}, 60'000'000'000), close_wait({"--threshold", "close-wait=0.5"}, 500'000'000),
        close_wait({"--threshold=close-wait=604800"}, 604'800'000'000'000),
        probes({"--threshold", "probes=255", "--threshold", "accept=1"}, 255)));

struct ColorCase {
    Words words;
    bool terminal;
    bool no_color;
    bool color;
};

void PrintTo(const ColorCase &c, std::ostream *stream)
{
    *stream << join(c.words) << (c.terminal ? " on a terminal" : " in a pipe") << (c.no_color ? " with NO_COLOR" : "");
}

class Colors : public testing::TestWithParam<ColorCase> {};

TEST_P(Colors, FollowWishAndTerminal)
{
    const ColorCase &c = GetParam();
    Surroundings surroundings{.stdout_is_terminal = c.terminal, .environment_no_color = c.no_color};
    EXPECT_EQ(options_of(c.words, surroundings).style.color, c.color);
}

INSTANTIATE_TEST_SUITE_P(Table, Colors,
                         testing::Values(ColorCase{{}, true, false, true}, ColorCase{{}, false, false, false},
                                         ColorCase{{}, true, true, false},
                                         ColorCase{{"--color", "auto"}, true, false, true},
                                         ColorCase{{"--color", "auto"}, true, true, false},
                                         ColorCase{{"--color", "auto"}, false, false, false},
                                         ColorCase{{"--color=always"}, false, false, true},
                                         ColorCase{{"--color=always"}, false, true, true},
                                         ColorCase{{"--color=never"}, true, false, false},
                                         ColorCase{{"--color=always", "--color=never"}, true, false, false},
                                         ColorCase{{"--color=always", "--format=json"}, true, false, false}));

TEST(CommandLine, ExplainsVerdicts)
{
    auto command = parse({"explain", "half-open"});
    EXPECT_EQ(command.kind, Command::Kind::Print);
    EXPECT_EQ(command.text.find("half-open (alarm)\n"), 0U) << command.text;
    EXPECT_NE(parse({"explain"}).text.find("\nnotice  refused\n"), std::string::npos);
}

TEST(CommandLine, VerdictsAreThoseThatTheOutputNeeds)
{
    EXPECT_EQ(parse({}).options.shown_verdicts(), Verdicts::Alarms);
    EXPECT_EQ(parse({"--verdicts", "none"}).options.shown_verdicts(), Verdicts::None);
    EXPECT_EQ(parse({"-g", "--verdicts", "none"}).options.shown_verdicts(), Verdicts::All);
    EXPECT_EQ(parse({"--summary", "0"}).options.shown_verdicts(), Verdicts::All);
    EXPECT_EQ(parse({"--summary", "60"}).options.style.summary_ns, 60'000'000'000U);
}

TEST(CommandLine, FoldsOnTerminalsOnly)
{
    Surroundings terminal{.stdout_is_terminal = true, .terminal_columns = 80};
    Surroundings pipe{.stdout_is_terminal = false, .terminal_columns = 80};
    EXPECT_EQ(options_of({}, terminal).style.columns, 80);
    EXPECT_EQ(options_of({}, pipe).style.columns, 0);
    EXPECT_EQ(options_of({"--color=always"}, pipe).style.columns, 0);
    EXPECT_EQ(options_of({"--format", "json"}, terminal).style.columns, 0);
}

TEST(CommandLine, TakesAsManyProcessesAsTheKernelSideHasRoomFor)
{
    std::string list = "1";
    for (int pid = 2; pid <= 256; ++pid)
        list += "," + std::to_string(pid);
    for (const auto &words : {Words{"--pid", list}, Words{"--pid", list, "--pid", list}}) {
        auto filter = options_of(words).filter;
        EXPECT_EQ(std::get<AnyOf>(filter.expression().node).parts.size(), 256U);
    }
}

} // namespace
} // namespace tcpflight::test

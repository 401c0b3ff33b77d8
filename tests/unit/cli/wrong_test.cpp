// Command lines that are wrong: one sentence each, to the letter.
#include "command_line.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

struct WrongCase {
    Words words;
    std::string sentence; // after "tcpflight: "
};

void PrintTo(const WrongCase &c, std::ostream *stream)
{
    *stream << join(c.words);
}

class WrongCommandLine : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongCommandLine, IsAnsweredInOneSentence)
{
    Command command = parse(GetParam().words);
    EXPECT_EQ(command.kind, Command::Kind::Wrong);
    EXPECT_EQ(command.text, "tcpflight: " + GetParam().sentence);
    EXPECT_EQ(command.text.find('\n'), std::string::npos);
}

constexpr const char *give_ports = ": give 1 to 65535, a list (80,443) or a range (8000-8080)";

WrongCase wrong_port(const std::string &value)
{
    return {{"--port", value}, "--port: '" + value + "' is not a port" + give_ports};
}

WrongCase wrong_part(const std::string &part, const std::string &value)
{
    return {{"--port", value}, "--port: '" + part + "' in '" + value + "' is not a port" + give_ports};
}

INSTANTIATE_TEST_SUITE_P(Ports, WrongCommandLine,
                         testing::Values(wrong_port("0"), wrong_port("65536"), wrong_port("-1"), wrong_port("80x"),
                                         wrong_port("x80"), wrong_port("+80"), wrong_port(" 80"), wrong_port("80 "),
                                         wrong_port("0x50"), wrong_port("8e1"), wrong_port("80.0"), wrong_port(""),
                                         wrong_port("http"), wrong_port("18446744073709551617"),
                                         wrong_port("99999999999999999999999999"), wrong_port("80-"), wrong_port("-"),
                                         wrong_port("-80"), wrong_port("0-80"), wrong_port("80-65536"),
                                         wrong_port("1-2-3"), wrong_port("80 443"), wrong_part("", "80,,443"),
                                         wrong_part("", ",80"), wrong_part("", "80,"), wrong_part("", ","),
                                         wrong_part("65536", "80,65536"), wrong_part(" 443", "80, 443"),
                                         wrong_part("70000", "1-9,70000,5")));

INSTANTIATE_TEST_SUITE_P(
    PortForms, WrongCommandLine,
    testing::Values(
        WrongCase{{"--port=-1"}, "--port: '-1' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--port="}, "--port: '' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--port=", "80"},
                  "--port: '' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--port", "-c", "5"},
                  "--port: '-c' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--port"}, "--port: needs a value: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--local-port", "0"},
                  "--local-port: '0' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--remote-port=65536"},
                  "--remote-port: '65536' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        WrongCase{{"--port", "90-80"}, "--port: '90-80' runs backwards: give 80-90"},
        WrongCase{{"--port", "22,8080-8000"}, "--port: '8080-8000' runs backwards: give 8000-8080"},
        WrongCase{{"--port", "80", "--port", "x"},
                  "--port: 'x' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"}));

INSTANTIATE_TEST_SUITE_P(
    Processes, WrongCommandLine,
    testing::Values(
        WrongCase{{"--pid", "0"}, "--pid: '0' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid", "-1"}, "--pid: '-1' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid", "4194305"}, "--pid: '4194305' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid", "12-14"}, "--pid: '12-14' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid", "12,x"}, "--pid: 'x' in '12,x' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid="}, "--pid: '' is not a process id: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--pid"}, "--pid: needs a value: give 1 to 4194304, or a list (12,13)"},
        WrongCase{{"--comm", ""}, "--comm: '' is not a process name: give 1 to 15 bytes, as /proc/PID/comm shows them"},
        WrongCase{{"--comm="}, "--comm: '' is not a process name: give 1 to 15 bytes, as /proc/PID/comm shows them"},
        WrongCase{{"--comm"}, "--comm: needs a value: give 1 to 15 bytes, as /proc/PID/comm shows them"},
        WrongCase{
            {"--comm", "sixteen--letters"},
            "--comm: 'sixteen--letters' is too long, the kernel keeps 15 bytes of a name: give 'sixteen--letter'"},
        WrongCase{{"--comm", "\x1b[2J\nsixteen letters"},
                  R"(--comm: '\x1b[2J\x0asixteen letters' is too long, the kernel keeps 15 bytes of a name: )"
                  R"(give '\x1b[2J\x0asixteen le')"}));

INSTANTIATE_TEST_SUITE_P(
    Others, WrongCommandLine,
    testing::Values(
        WrongCase{{"-c", "0"}, "-c/--count: '0' is not a number of events: give 1 or more"},
        WrongCase{{"--count=-1"}, "-c/--count: '-1' is not a number of events: give 1 or more"},
        WrongCase{{"-c-1"}, "-c/--count: '-1' is not a number of events: give 1 or more"},
        WrongCase{{"-c=5"}, "-c/--count: '=5' is not a number of events: give 1 or more"},
        WrongCase{{"-c", "ten"}, "-c/--count: 'ten' is not a number of events: give 1 or more"},
        WrongCase{{"-c", "18446744073709551616"},
                  "-c/--count: '18446744073709551616' is not a number of events: give 1 or more"},
        WrongCase{{"-vc"}, "-c/--count: needs a value: give 1 or more"},
        WrongCase{{"-B", "3"}, "-B/--buffer-size: '3' is not a buffer size in KiB: give 4 to 1048576"},
        WrongCase{{"-B", "1048577"}, "-B/--buffer-size: '1048577' is not a buffer size in KiB: give 4 to 1048576"},
        WrongCase{{"-B4M"}, "-B/--buffer-size: '4M' is not a buffer size in KiB: give 4 to 1048576"},
        WrongCase{{"--format", "xml"}, "--format: 'xml' is not a format: give text, json, tcplife or tcpstates"},
        WrongCase{{"--format", "JSON"}, "--format: 'JSON' is not a format: give text, json, tcplife or tcpstates"},
        WrongCase{{"--sweep", "3601"}, "--sweep: '3601' is not a number of seconds: give 0 to 3600, also 0.25"},
        WrongCase{{"--threshold", "close-wait"},
                  "--threshold: 'close-wait' is not a threshold: give timeouts, probes, storm, ports, time-waits, "
                  "loss or rtt=1 to 255; churn=1 to 100000; close-wait, fin-wait, accept, zero-window or "
                  "unread=seconds, up to "
                  "604800"},
        WrongCase{{"--threshold", "clos-wait=3"},
                  "--threshold: there is no threshold 'clos-wait': did you mean 'close-wait'?"},
        WrongCase{{"--threshold", "probes=256"},
                  "--threshold: 'probes=256' is not a threshold: give timeouts, probes, storm, ports, time-waits, "
                  "loss or rtt=1 to 255; churn=1 to 100000; close-wait, fin-wait, accept, zero-window or "
                  "unread=seconds, up to "
                  "604800"},
        WrongCase{{"--layer", "xdp"}, "--layer: 'xdp' is not a layer: give core, kprobe or fentry"},
        WrongCase{{"--color="}, "--color: '' is not a choice: give auto, always or never"},
        WrongCase{{"--color"}, "--color: needs a value: give auto, always or never"},
        WrongCase{{"--time-precision", "milli"}, "--time-precision: 'milli' is not a precision: give micro or nano"},
        WrongCase{{"-tttttt"}, "-t: given more than five times: -ttttt is the most"},
        WrongCase{{"--quiet=yes"}, "-q/--quiet: takes no value"}, WrongCase{{"--quiet="}, "-q/--quiet: takes no value"},
        WrongCase{{"--verbose=2"}, "-v/--verbose: takes no value"}));

INSTANTIATE_TEST_SUITE_P(
    NoOptions, WrongCommandLine,
    testing::Values(
        WrongCase{{"-g", "--format", "json"},
                  "-g/--timelines is for people: with --format json, ask for --verdicts all"},
        WrongCase{{"-g", "--format", "tcplife"},
                  "-g/--timelines does not go with --format tcplife, which has the columns of that tool alone"},
        WrongCase{{"--format", "tcpstates", "--summary", "0"},
                  "--summary does not go with --format tcpstates, which has the columns of that tool alone"},
        WrongCase{{"--verdicts", "none", "--format", "tcpstates"},
                  "--verdicts does not go with --format tcpstates, which has the columns of that tool alone"},
        WrongCase{{"--found", "--format", "tcplife"},
                  "--found does not go with --format tcplife, which has the columns of that tool alone"},
        WrongCase{{"list", "--format", "tcplife"}, "list: --format tcplife is about what happens: give text or json"},
        WrongCase{{"-g", "-w", "file"}, "-g/--timelines shows connections: with -w/--write it needs --print"},
        WrongCase{{"--summary", "0", "-g"}, "--summary and -g/--timelines each replace the lines: give one of them"},
        WrongCase{{"--summary", "0", "--format", "json"},
                  "--summary is for people: with --format json, ask for --verdicts all"},
        WrongCase{{"--summary", "0", "-w", "file"}, "--summary shows numbers: with -w/--write it needs --print"},
        WrongCase{{"--summary", "1d"}, "--summary: '1d' is not a number of seconds: give 0 to 86400"},
        WrongCase{{"--verdicts", "some"}, "--verdicts: 'some' is not a choice: give alarms, all or none"},
        WrongCase{{"explain", "half-opne"}, "explain: there is no verdict 'half-opne': did you mean 'half-open'?"},
        WrongCase{{"explain", "\x1b"},
                  R"(explain: there is no verdict '\x1b': tcpflight explain, without a name, lists them)"},
        WrongCase{{"explain", "half-open", "orderly"}, "explain: takes one name, and 'orderly' follows 'half-open'"},
        WrongCase{{"explain", "-q"},
                  "-q/--quiet does not go with explain: give the name of a verdict, or nothing for the list"},
        WrongCase{{"--prot", "80"}, "unknown option '--prot': did you mean '--port'?"},
        WrongCase{{"--prot=80"}, "unknown option '--prot': did you mean '--port'?"},
        WrongCase{{"-port", "80"}, "unknown option '-port': did you mean '--port'?"},
        WrongCase{{"--xyzzy"}, "unknown option '--xyzzy': see --help"},
        WrongCase{{"--xyzzy=80"}, "unknown option '--xyzzy=80': see --help"},
        WrongCase{{"-x"}, "unknown option '-x': see --help"}, WrongCase{{"-vx"}, "unknown option '-x': see --help"},
        WrongCase{{"-1"}, "unknown option '-1': see --help"}, WrongCase{{"-5"}, "unknown option '-5': see --help"},
        WrongCase{{"-q=3"}, "unknown option '-=3': see --help"}, WrongCase{{"---"}, "unknown option '---': see --help"},
        WrongCase{{"--="}, "unknown option '--=': see --help"},
        WrongCase{{"--\x1b[31m"}, R"(unknown option '--\x1b[31m': see --help)"},
        WrongCase{{"--" + std::string(100, 'p')}, "unknown option '--" + std::string(58, 'p') + "...': see --help"},
        WrongCase{{""}, "an empty argument belongs to no option: see --help"},
        WrongCase{{"--wide"}, "--wide: goes with list only: tcpflight list --wide"},
        WrongCase{{"--sort", "age"}, "--sort: goes with list and top only: tcpflight list --sort"},
        WrongCase{{"list", "-c", "5"},
                  "-c/--count: does not go with list, which shows what there is and ends: see --help"},
        WrongCase{
            {"list", "--sort", "size"},
            "--sort: 'size' is not a key to sort by: give state, recvq, sendq, local, remote, process, timer or age"},
        WrongCase{{"list", "--widee"}, "unknown option '--widee': did you mean '--wide'?"},
        WrongCase{{"--port", "80", "443"},
                  "'443' belongs to no option: give a list with commas and without blanks (80,443)"},
        WrongCase{{"--pid", "5", ",443"},
                  "',443' belongs to no option: give a list with commas and without blanks (80,443)"}),
    [](const auto &row) { return std::to_string(row.index); });

// An expression: two lines more, which show the place (the parser's own tests have the rest).
TEST(CommandLine, PointsAtWhatIsWrongInAnExpression)
{
    auto sentence = [](const Words &words) {
        auto command = parse(words);
        EXPECT_EQ(command.kind, Command::Kind::Wrong) << join(words);
        return command.text;
    };
    EXPECT_EQ(sentence({"-q", "prot", "80"}), "tcpflight: 'prot' is no keyword: did you mean 'port'?\n"
                                              "    prot 80\n"
                                              "    ^~~~");
    EXPECT_EQ(sentence({"--port", "80", "ip or it's\n"}), "tcpflight: 'it' is no keyword: did you mean 'ip'?\n"
                                                          "    ip or it's?\n"
                                                          "          ^~");
    EXPECT_EQ(sentence({"443"}), "tcpflight: '443' stands alone: give a keyword before it, such as port 443\n"
                                 "    443\n"
                                 "    ^~~");
    EXPECT_EQ(sentence({"-"}).substr(0, 29), "tcpflight: '-' stands alone: ");
}

TEST(CommandLine, RefusesMoreProcessesThanTheKernelSideHasRoomFor)
{
    std::string list = "1";
    for (int pid = 2; pid <= 257; ++pid)
        list += "," + std::to_string(pid);
    Command command = parse({"--pid", list});
    EXPECT_EQ(command.kind, Command::Kind::Wrong);
    EXPECT_EQ(command.text, "tcpflight: --pid: these are too many process ids: give at most 256");
}

constexpr const char *give_moment = " is not a time: give HH:MM[:SS], \"YYYY-MM-DD HH:MM:SS\" or seconds since 1970";

INSTANTIATE_TEST_SUITE_P(
    Recording, WrongCommandLine,
    testing::Values(
        WrongCase{{"-w", ""}, "-w/--write: '' is not a file: give its name, or - for standard output"},
        WrongCase{{"--print"}, "--print needs -w/--write: it says how to record"},
        WrongCase{{"-C", "1"}, "-C needs -w/--write: it says how to record"},
        WrongCase{{"--keep", "1GiB"}, "--keep needs -w/--write: it says how to record"},
        WrongCase{{"-w", "x", "-C", "0"},
                  "-C: '0' is not a file size: give millions of bytes, or with k, m or g KiB, MiB or GiB"},
        WrongCase{{"-w", "x", "-C", "5x"},
                  "-C: '5x' is not a file size: give millions of bytes, or with k, m or g KiB, MiB or GiB"},
        WrongCase{
            {"-w", "x", "-C", "99999999999999999999"},
            "-C: '99999999999999999999' is not a file size: give millions of bytes, or with k, m or g KiB, MiB or "
            "GiB"},
        WrongCase{{"-w", "x", "-G", "0"}, "-G: '0' is not a number of seconds: give 1 to 31536000"},
        WrongCase{{"-w", "x", "-C", "1", "-W", "0"}, "-W: '0' is not a number of files: give 1 to 1000000"},
        WrongCase{{"-w", "x", "-W", "3"}, "-W needs -C or -G: without them there is one file"},
        WrongCase{{"-w", "x", "-z", "gzip"}, "-z needs -C or -G: without them no file follows another"},
        WrongCase{{"-w", "x", "--keep", "1000"}, "--keep: '1000' is not a size: give 1MiB or more: 500MiB, 2GiB, 1TB"},
        WrongCase{{"-w", "x", "--keep", "2MiB", "-C", "2"}, "--keep must have room for two files of the size of -C"},
        WrongCase{{"-w", "%Y/x", "-G", "60", "--keep", "2GiB"},
                  "--keep looks after one folder: give -w a name without '%' in '%Y/'"},
        WrongCase{{"-w", "-", "-C", "1"},
                  "-w -: standard output is one file: leave out -C, -G and --keep, or give a name"},
        WrongCase{{"-w", "-", "--print"},
                  "-w -: standard output cannot take the recording and the lines of --print: give a name"},
        WrongCase{{"-w", "x", "--flush-interval", "-1"},
                  "--flush-interval: '-1' is not a number of seconds: give 0 to 3600, also 0.25"},
        WrongCase{{"-w", "x", "--flush-interval", "3600.1"},
                  "--flush-interval: '3600.1' is not a number of seconds: give 0 to 3600, also 0.25"},
        WrongCase{{"-Z", ""}, "-Z: '' is not a user: give a name as in /etc/passwd"}));

INSTANTIATE_TEST_SUITE_P(
    Reading, WrongCommandLine,
    testing::Values(
        WrongCase{{"-r", ""}, "-r/--read: '' is not a file: give its name, or - for standard input"},
        WrongCase{{"--from", "14:05"}, "--from needs -r/--read: it says how to read a recording"},
        WrongCase{{"--follow"}, "--follow needs -r/--read: it says how to read a recording"},
        WrongCase{{"-r", "x", "--from", "noon"}, std::string("--from: 'noon'") + give_moment},
        WrongCase{{"-r", "x", "--to", "2026-02-30 00:00"}, std::string("--to: '2026-02-30 00:00'") + give_moment},
        WrongCase{{"-r", "x", "-w", "y"}, "-w/--write does not go with -r/--read, which only reads"},
        WrongCase{{"-r", "x", "-B", "4"}, "-B/--buffer-size does not go with -r/--read, which only reads"},
        WrongCase{{"-r", "x", "-Z", "nobody"}, "-Z does not go with -r/--read, which only reads"},
        WrongCase{{"-r", "x", "-"}, "-r -: standard input is read by itself: give it alone, or names only"},
        WrongCase{{"-r", "x", "y", "--follow"}, "--follow reads one file: give the one that is being written"},
        WrongCase{{"info"}, "info: needs a file: give the names of recordings, or - for standard input"},
        WrongCase{{"info", "-q", "x"}, "-q/--quiet does not go with info: give files, and --utc if you like"}));

} // namespace
} // namespace tcpflight::test

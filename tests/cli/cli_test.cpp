// The program as its user meets it: exit status, standard output and standard error, to the letter.
#include "support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <ostream>

namespace tcpflight::test {
namespace {

using Words = std::vector<std::string>;

Spawn tcpflight(const Words &words)
{
    Spawn spawn;
    spawn.argv = {TCPFLIGHT_BINARY};
    spawn.argv.insert(spawn.argv.end(), words.begin(), words.end());
    return spawn;
}

struct UsageCase {
    Words words;
    std::string sentence;
};

void PrintTo(const UsageCase &c, std::ostream *stream)
{
    for (const std::string &word : c.words) {
        for (char character : word + ' ')
            *stream << (character >= ' ' && character <= '~' ? character : '?');
    }
}

class Usage : public testing::TestWithParam<UsageCase> {};

TEST_P(Usage, ErrorIsOneSentenceAndStatus2)
{
    Finished finished = run(tcpflight(GetParam().words));
    EXPECT_EQ(finished.status, exited(2));
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(finished.err, "tcpflight: " + GetParam().sentence + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Usage,
    testing::Values(
        UsageCase{{"--port", "65536"},
                  "--port: '65536' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        UsageCase{{"--port", "-1"},
                  "--port: '-1' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        UsageCase{{"--port", "80x"},
                  "--port: '80x' is not a port: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        UsageCase{{"--port"}, "--port: needs a value: give 1 to 65535, a list (80,443) or a range (8000-8080)"},
        UsageCase{{"--pid", "0"}, "--pid: '0' is not a process id: give 1 to 4194304, or a list (12,13)"},
        UsageCase{{"-c", "0"}, "-c/--count: '0' is not a number of events: give 1 or more"},
        UsageCase{{"--format", "xml"}, "--format: 'xml' is not a format: give text, json, tcplife or tcpstates"},
        UsageCase{{"--prot"}, "unknown option '--prot': did you mean '--port'?"},
        UsageCase{{"-w"}, "-w/--write: needs a value: give its name, or - for standard output"},
        UsageCase{{"info"}, "info: needs a file: give the names of recordings, or - for standard input"},
        UsageCase{{"merge", "-w", "x"}, "merge: needs a file: give the names of recordings"},
        UsageCase{{"merge", "a", "b"}, "merge: needs -w/--write: give the name of the file to write"},
        UsageCase{{"merge", "a", "-", "-w", "x"}, "merge: cannot read standard input: give the names of recordings"},
        UsageCase{{"merge", "a", "-c", "1", "-w", "x"},
                  "-c/--count does not go with merge: give files, and -w with the file to write"},
        UsageCase{{"port"}, "expected a port after port, not the end\n    port\n        ^"},
        UsageCase{{"port", "80", "or", "prot", "443"},
                  "'prot' is no keyword: did you mean 'port'?\n    port 80 or prot 443\n               ^~~~"},
        UsageCase{{"--comm", "\x1b]0;title\x07 and more"},
                  R"(--comm: '\x1b]0;title\x07 and more' is too long, the kernel keeps 15 bytes of a name: )"
                  R"(give '\x1b]0;title\x07 and ')"}),
    [](const auto &row) { return std::to_string(row.index); });

TEST(HelpOption, GoesToStandardOutput)
{
    Finished help = run(tcpflight({"--help"}));
    EXPECT_EQ(help.status, exited(0));
    EXPECT_EQ(help.out.substr(0, help.out.find('\n')), "Usage: tcpflight [OPTION]... [EXPRESSION]             trace");
    EXPECT_NE(help.out.find("\nExamples:\n"), std::string::npos);
    EXPECT_EQ(help.err, "");

    Finished short_help = run(tcpflight({"-h"}));
    EXPECT_EQ(short_help.status, exited(0));
    EXPECT_EQ(short_help.out, help.out);
}

TEST(VersionOption, GoesToStandardOutput)
{
    for (const char *option : {"--version", "-V"}) {
        Finished version = run(tcpflight({option}));
        EXPECT_EQ(version.status, exited(0));
        EXPECT_EQ(version.out, "tcpflight " TCPFLIGHT_VERSION "\n");
        EXPECT_EQ(version.err, "");
    }
}

class Printed : public testing::TestWithParam<const char *> {};

TEST_P(Printed, IntoAPipeThatNobodyReadsIsAQuiet0)
{
    Spawn spawn = tcpflight({GetParam()});
    spawn.out = Output::closed_pipe();
    Finished finished = run(spawn);
    EXPECT_EQ(finished.status, exited(0));
    EXPECT_EQ(finished.err, "");
}

TEST_P(Printed, OnAFullDiskIsOneSentenceAndStatus1)
{
    Spawn spawn = tcpflight({GetParam()});
    spawn.out = Output::file("/dev/full");
    Finished finished = run(spawn);
    EXPECT_EQ(finished.status, exited(1));
    EXPECT_EQ(finished.err, "tcpflight: cannot write to standard output: No space left on device\n");
}

INSTANTIATE_TEST_SUITE_P(Texts, Printed, testing::Values("--help", "--version"));

// Without privileges too: nothing of the kernel is touched.
struct UnreadableCase {
    Words words;
    std::string sentence;
};

void PrintTo(const UnreadableCase &c, std::ostream *stream)
{
    for (const std::string &word : c.words)
        *stream << word << ' ';
}

// A pipe without a writer, or one that says nothing.
class Waiting : public testing::Test {
protected:
    Waiting()
    {
        std::string name = testing::TempDir() + "tcpflight-cli-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        EXPECT_EQ(mkfifo(pipe().c_str(), 0600), 0);
    }
    ~Waiting() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string pipe() const { return folder_ / "pipe"; }
    // Returns when it is read.
    [[nodiscard]] Fd open_pipe() const { return Fd(open(pipe().c_str(), O_WRONLY | O_CLOEXEC)); }

private:
    std::filesystem::path folder_;
};

TEST_F(Waiting, ForAWriterEndsWithASignal)
{
    for (int signal : {SIGINT, SIGTERM}) {
        Process reader(tcpflight({"-r", pipe()}));
        const Fd writer = open_pipe();
        reader.signal(signal);
        EXPECT_EQ(reader.wait(), exited(0));
        EXPECT_EQ(reader.err(), "0 events shown\n0 events filtered out\n0 events lost\n");
    }
}

TEST_F(Waiting, ForAWriterEndsWithTheOutputsReader)
{
    Process reader(tcpflight({"-r", pipe()}));
    const Fd writer = open_pipe();
    reader.close_out();
    EXPECT_EQ(reader.wait(), exited(0));
}

TEST_F(Waiting, EndsWithItsWriter)
{
    Process reader(tcpflight({"-r", pipe(), "--follow"}));
    open_pipe().reset();
    EXPECT_EQ(reader.wait(), exited(1));
    EXPECT_EQ(reader.err(), "tcpflight: '" + pipe() + "' is not a tcpflight recording: it is empty\n");
}

class Unreadable : public testing::TestWithParam<UnreadableCase> {};

TEST_P(Unreadable, IsOneSentenceAndStatus1)
{
    Finished finished = run(tcpflight(GetParam().words));
    EXPECT_EQ(finished.status, exited(1));
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(finished.err, "tcpflight: " + GetParam().sentence + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Table, Unreadable,
    testing::Values(
        UnreadableCase{{"-r", "/nonexistent.tfr"}, "cannot open '/nonexistent.tfr': No such file or directory"},
        UnreadableCase{{"info", "/nonexistent.tfr"}, "cannot open '/nonexistent.tfr': No such file or directory"},
        UnreadableCase{{"-r", "/"}, "'/' is a folder: give the recordings in it"},
        UnreadableCase{{"-r", "/etc/passwd"}, "'/etc/passwd' is not a tcpflight recording: it begins otherwise"},
        UnreadableCase{{"info", "/etc/passwd"}, "'/etc/passwd' is not a tcpflight recording: it begins otherwise"},
        UnreadableCase{{"-r", "/dev/null"}, "'/dev/null' is not a tcpflight recording: it is empty"},
        UnreadableCase{{"-r", "-"}, "'standard input' is not a tcpflight recording: it is empty"}),
    [](const auto &row) { return std::to_string(row.index); });

} // namespace
} // namespace tcpflight::test

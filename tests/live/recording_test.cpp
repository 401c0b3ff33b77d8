// -w and -r against what is shown live.
#include "live/live_test.h"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <thread>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Recording : public LiveTest {
public:
    ~Recording() override
    {
        umount2(path("disk").c_str(), MNT_DETACH); // of the test that has one
        fs::remove_all(folder_);
    }

protected:
    Recording()
    {
        std::string name = testing::TempDir() + "tcpflight-rec-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        chmod(name.c_str(), 0755);
        folder_ = name;
    }

    [[nodiscard]] std::string path(const std::string &name = "a.tfr") const { return folder_ / name; }
    [[nodiscard]] const fs::path &folder() const { return folder_; }

    static Finished read(Words arguments, std::vector<std::string> wrapper = {})
    {
        wrapper.emplace_back(TCPFLIGHT_BINARY);
        wrapper.insert(wrapper.end(), arguments.begin(), arguments.end());
        return run({.argv = std::move(wrapper)});
    }

    static void churn(std::size_t count)
    {
        Actor server("server");
        Actor client("client");
        const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 7001));
        server.begin_serve(listener, count);
        client.begin_churn(listener.local, count, {}, 10);
        EXPECT_EQ(client.finish().error, 0);
    }

    static Finished end(Process &process, int signal = SIGINT)
    {
        process.signal(signal);
        auto status = process.wait();
        EXPECT_TRUE(status);
        return {status.value_or(ExitStatus{}), process.out(), process.err()};
    }

    [[nodiscard]] std::string named_pipe(const std::string &name = "pipe") const
    {
        EXPECT_EQ(mkfifo(path(name).c_str(), 0600), 0);
        return path(name);
    }

    // A program that appends its argument to the file "complete", and ends with this status.
    [[nodiscard]] std::string noting_command(int status) const
    {
        std::ofstream(path("note")) << "#!/bin/sh\necho \"$1\" >> '" << path("complete") << "'\nexit " << status
                                    << "\n";
        fs::permissions(path("note"), fs::perms::owner_all);
        return path("note");
    }
    [[nodiscard]] std::vector<std::string> noted() const
    {
        std::vector<std::string> lines;
        std::ifstream in(path("complete"));
        for (std::string line; std::getline(in, line);)
            lines.push_back(line);
        return lines;
    }
    // "123 events WHAT" of the totals.
    static std::uint64_t total(const std::string &err, const std::string &what)
    {
        std::istringstream in(err);
        for (std::string line; std::getline(in, line);) {
            auto at = line.find(what);
            if (at != std::string::npos && line.front() >= '0' && line.front() <= '9')
                return std::stoull(line);
        }
        ADD_FAILURE() << "no '" << what << "' in: " << err;
        return 0;
    }
    static std::string contents(const std::string &file)
    {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static std::size_t count(const std::string &text, const std::string &what)
    {
        std::size_t found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            found++;
        return found;
    }

private:
    fs::path folder_;
};

TEST_F(Recording, IsReplayedAsItWasShown)
{
    Process tracer = start_tcpflight({"-w", path(), "--print", "-v", "-B", "65536", "netns", std::to_string(netns())});
    churn(50);
    Finished live = end(tracer);
    EXPECT_EQ(live.status, exited(0));
    Finished replayed = read({"-r", path(), "-v"});
    EXPECT_EQ(replayed.status, exited(0));
    EXPECT_GT(live.out.size(), 10'000U);
    EXPECT_EQ(replayed.out, live.out);
    // What the kernel refused, of other tests, is not in the file.
    for (const char *what : {"events shown", "events lost"})
        EXPECT_EQ(total(replayed.err, what), total(live.err, what)) << live.err << replayed.err;

    struct stat status {};
    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    Finished info = read({"info", path()});
    EXPECT_EQ(info.status, exited(0));
    EXPECT_NE(info.out.find("\n  whole        yes\n"), std::string::npos) << info.out;
}

// What only user space can decide is in the file, and hidden again when it is read.
TEST_F(Recording, KeepsToItsFilter)
{
    Process tracer = start_tcpflight({"-w", path(), "--print", "--comm", "client", "-B", "65536"});
    churn(20);
    Finished live = end(tracer);
    Finished replayed = read({"-r", path()});
    EXPECT_GT(live.out.size(), 1'000U);
    EXPECT_EQ(replayed.out, live.out);
}

TEST_F(Recording, NeedsNoPrivilegesToBeRead)
{
    Process tracer = start_tcpflight({"-w", path(), "--print", "-B", "65536", "netns", std::to_string(netns())});
    churn(10);
    Finished live = end(tracer);
    chmod(path().c_str(), 0644);
    Finished replayed = read({"-r", path()}, {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_EQ(replayed.out, live.out);
}

TEST_F(Recording, OfManyFilesHasNoSeams)
{
    Process tracer = start_tcpflight({"-w", path("rec"), "--print", "-C", "4k", "--flush-interval", "0", "-B", "65536",
                                      "netns", std::to_string(netns())});
    churn(400); // 12 events each, of which each is a block of more than 80 bytes: nearly 100 files
    Finished live = end(tracer);
    Words arguments{"-r"};
    for (const auto &entry : fs::directory_iterator(folder()))
        arguments.push_back(entry.path());
    EXPECT_GT(arguments.size(), 50U);
    Finished replayed = read(arguments);
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_EQ(replayed.out, live.out);
}

TEST_F(Recording, SurvivesItsWriter)
{
    Process tracer = start_tcpflight(
        {"-w", path(), "--print", "--flush-interval", "0", "-B", "65536", "netns", std::to_string(netns())});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 7001));
    connect(client, server, listener);
    ASSERT_TRUE(tracer.read_until([&] {
        return tracer.out().find("SYN_SENT -> ESTABLISHED") != std::string::npos &&
               tracer.out().find("SYN_RECV -> ESTABLISHED") != std::string::npos;
    }));
    end(tracer, SIGKILL);
    Finished replayed = read({"-r", path()});
    EXPECT_EQ(replayed.status, exited(0));
    EXPECT_EQ(replayed.out.substr(0, tracer.out().size()), tracer.out());
    EXPECT_NE(replayed.err.find("is unfinished"), std::string::npos) << replayed.err;
}

TEST_F(Recording, IsFollowedByTwoWhileItIsWritten)
{
    Process tracer = start_tcpflight({"-w", path(), "--flush-interval", "0.05"});
    Process one({.argv = {TCPFLIGHT_BINARY, "-r", path(), "--follow"}});
    Process two({.argv = {TCPFLIGHT_BINARY, "-r", path(), "--follow"}});
    Actor server("server");
    server.listen(SocketAddress::v4("127.0.0.1", 7001));
    for (auto *reader : {&one, &two})
        EXPECT_TRUE(reader->read_until([&] {
            return reader->out().find("7001 > *: CLOSE -> LISTEN") != std::string::npos;
        })) << reader->err();
    end(tracer);
    EXPECT_EQ(one.wait(), exited(0)); // its writer has ended it
    EXPECT_EQ(two.wait(), exited(0));
    EXPECT_EQ(one.out(), read({"-r", path()}).out);
}

std::vector<std::string> lines_with(const std::string &text, const std::string &word)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        auto at = line.find(word);
        if (at != std::string::npos)
            lines.push_back(line.erase(at, word.size()));
    }
    return lines;
}

// Two tracers that call their hosts differently, each with its own half of what happens.
TEST_F(Recording, OfTwoHostsAreMerged)
{
    auto start = [](const std::string &host, const Words &arguments) {
        Words argv{"unshare", "--uts", "sh", "-c", "hostname " + host + " && exec \"$@\"", "sh", TCPFLIGHT_BINARY};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        auto process = std::make_unique<Process>(Spawn{.argv = argv});
        EXPECT_TRUE(process->read_until([&] { return process->err().find("listening on") != std::string::npos; }))
            << process->err();
        return process;
    };
    // A file ends with the first event behind 4 KiB: a block of its own each, of more than 80 bytes.
    auto server = start("server", {"-w", path("a"), "-C", "4k", "--flush-interval", "0", "--print", "-B", "65536",
                                   "--local-port", "7001"});
    auto client = start("client", {"-w", path("b"), "--print", "-B", "65536", "--remote-port", "7001"});
    churn(200);
    Finished of_server = end(*server);
    Finished of_client = end(*client);

    Words arguments{"merge"};
    for (const auto &entry : fs::directory_iterator(folder()))
        arguments.push_back(entry.path());
    EXPECT_GT(arguments.size(), 10U);
    arguments.insert(arguments.end(), {"-w", path("all")});
    Finished merged = read(arguments);
    EXPECT_EQ(merged.status, exited(0)) << merged.err;
    EXPECT_EQ(merged.err, std::to_string(arguments.size() - 3) + " files merged into " +
                              std::to_string(fs::file_size(path("all"))) + " bytes\n");

    Finished replayed = read({"-r", path("all")});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_EQ(lines_with(replayed.out, " server"), lines_with(of_server.out, ""));
    EXPECT_EQ(lines_with(replayed.out, " client"), lines_with(of_client.out, ""));
    EXPECT_GT(lines_with(replayed.out, " client").size(), 800U);
    auto first_client = replayed.out.find(" client ");
    EXPECT_LT(replayed.out.find(" server ", first_client), replayed.out.rfind(" client ")) << "they alternate";
    EXPECT_EQ(read({"-r", path("all"), "-c", "7", "-q"}).err.substr(0, 15), "7 events shown\n");

    // Nothing is changed by merging once more, nor by leaving it out.
    EXPECT_EQ(read({"merge", path("all"), "-w", path("again")}).status, exited(0));
    EXPECT_EQ(read({"-r", path("again")}).out, replayed.out);
    Words separately{"-r"};
    separately.insert(separately.end(), arguments.begin() + 1, arguments.end() - 2);
    EXPECT_EQ(read(separately).out, replayed.out);

    Finished twice = read({"merge", path("all"), path("b"), "-w", path("twice")});
    EXPECT_NE(twice.err.find("b' is left out: the same file of the same recording is there already\n"),
              std::string::npos)
        << twice.err;
    Finished itself = read({"merge", path("a"), path("b"), "-w", path("a")});
    EXPECT_EQ(itself.status, exited(1));
    EXPECT_NE(itself.err.find("a' is one of the files to merge: give another name\n"), std::string::npos) << itself.err;

    // What is left of a merged file that was cut off.
    fs::resize_file(path("all"), fs::file_size(path("all")) / 2);
    Finished half = read({"-r", path("all")});
    EXPECT_EQ(half.status, exited(1));
    EXPECT_NE(half.err.find("all' is cut off: the end of some part may be missing\n"), std::string::npos) << half.err;
    EXPECT_GT(half.out.size(), 1'000U);
}

TEST_F(Recording, OfOneHostThatFollowEachOtherAreMerged)
{
    std::string live;
    for (const auto *name : {"first", "second"}) {
        Process tracer =
            start_tcpflight({"-w", path(name), "--print", "-B", "65536", "netns", std::to_string(netns())});
        churn(20);
        live += end(tracer).out;
    }
    EXPECT_EQ(read({"merge", path("second"), path("first"), "-w", path("all")}).status, exited(0));
    Finished replayed = read({"-r", path("all")});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_EQ(replayed.out, live); // without the host's name: it is the same
}

// What came is shown at once, and signals are seen although nothing comes any more.
TEST_F(Recording, ThroughAPipeIsShownAsItComes)
{
    const std::string pipe = named_pipe();
    Process reader({.argv = {TCPFLIGHT_BINARY, "-r", pipe}});
    Process tracer = start_tcpflight({"-w", pipe, "--flush-interval", "0.02"});
    Actor server("server");
    server.listen(SocketAddress::v4("127.0.0.1", 7001));
    EXPECT_TRUE(reader.read_until([&] { return reader.out().find("7001 > *: CLOSE -> LISTEN") != std::string::npos; }))
        << reader.err();
    Finished ended = end(reader);
    EXPECT_EQ(ended.status, exited(0));
    EXPECT_NE(ended.err.find(" shown\n"), std::string::npos) << ended.err;
}

TEST_F(Recording, ThroughAPipeEndsWithItsReadersReader)
{
    const std::string pipe = named_pipe();
    Process reader({.argv = {TCPFLIGHT_BINARY, "-r", pipe}});
    Process tracer = start_tcpflight({"-w", pipe, "--flush-interval", "0.02"});
    reader.close_out();
    EXPECT_EQ(reader.wait(), exited(0));
    Actor server("server");
    server.listen(SocketAddress::v4("127.0.0.1", 7001)); // now the tracer finds out as well
    EXPECT_TRUE(tracer.wait());
}

TEST_F(Recording, IntoAPipeThatNobodyReadsEndsWithASignal)
{
    const std::string pipe = named_pipe();
    const Fd other_end(open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(other_end.is_open());
    ASSERT_GT(fcntl(other_end.get(), F_SETPIPE_SZ, 4096), 0);
    const Words filter{"netns", std::to_string(netns())}; // other tests have their own
    Process witness = start_tcpflight({"-w", path(), "-B", "65536", filter[0], filter[1]});
    // A buffer that is too small as well.
    Process tracer = start_tcpflight({"-w", pipe, "--flush-interval", "0.02", "-B", "64", filter[0], filter[1]});
    churn(1000);
    ASSERT_TRUE(wait_until_settled()); // a FIN that is sent again after one tracer's end is the other's alone
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("pipe' is not being read: what finds no room") != std::string::npos;
    })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(1));
    EXPECT_NE(ended.err.find("pipe' was not being read: the recording is cut off, events missing at its end: "),
              std::string::npos)
        << ended.err;
    // What is in it, what is missing at its end and what the kernel had no room for are all that there was. (And more:
    // each tracer has found at its own start what other tests have.)
    const Finished truth = end(witness);
    auto at = ended.err.find("missing at its end: ");
    ASSERT_NE(at, std::string::npos);
    auto missing = std::stoull(ended.err.substr(at + std::string("missing at its end: ").size()));
    EXPECT_GT(missing, 0U);
    EXPECT_GT(total(ended.err, " lost"), 0U);
    EXPECT_EQ(total(truth.err, " lost"), 0U);
    EXPECT_GE(total(ended.err, " recorded in") + missing + total(ended.err, " lost"),
              total(read({"-r", path()}).err, " shown"))
        << ended.err << truth.err;
}

TEST_F(Recording, LeavesOtherFilesAlone)
{
    std::ofstream(path()) << "somebody's notes\n";
    Finished refused = read({"-w", path()});
    EXPECT_EQ(refused.status, exited(1));
    EXPECT_NE(refused.err.find("is not a recording of tcpflight: give another name, or --force\n"), std::string::npos)
        << refused.err;
    EXPECT_EQ(fs::file_size(path()), 17U);
    Process forced = start_tcpflight({"-w", path(), "--force"});
    EXPECT_EQ(end(forced).status, exited(0));
    Process again = start_tcpflight({"-w", path()}); // now it is one
    EXPECT_EQ(end(again).status, exited(0));
}

// As tcpdump's -z: with each file that is complete, which the one that Ctrl-C ends is not.
TEST_F(Recording, RunsACommandForEachCompleteFile)
{
    Process tracer = start_tcpflight({"-w", path("rec"), "-C", "4k", "--flush-interval", "0", "-B", "65536", "-z",
                                      noting_command(0), "netns", std::to_string(netns())});
    churn(100);
    EXPECT_TRUE(tracer.read_until([&] { return fs::exists(path("rec12")) && noted().size() >= 12; })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(0));
    EXPECT_EQ(ended.err.find("-z"), std::string::npos) << ended.err;

    auto files =
        static_cast<std::size_t>(std::ranges::count_if(fs::directory_iterator(folder()), [](const auto &entry) {
            return entry.path().filename().string().starts_with("rec");
        }));
    std::vector<std::string> expected{path("rec")};
    for (std::size_t i = 1; i + 1 < files; i++)
        expected.push_back(path("rec" + std::to_string(i)));
    // A command may still run.
    while (noted().size() < expected.size())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(std::multiset<std::string>(expected.begin(), expected.end()), [&] {
        auto names = noted();
        return std::multiset<std::string>(names.begin(), names.end());
    }());
    for (const auto &name : noted()) {
        const Finished info = read({"info", name});
        EXPECT_EQ(info.status, exited(0)) << name;
        EXPECT_NE(info.out.find("ended        by its writer\n"), std::string::npos) << info.out;
    }
}

TEST_F(Recording, TellsOfACommandThatFailsAndGoesOn)
{
    Process tracer = start_tcpflight({"-w", path("rec"), "-C", "4k", "--flush-interval", "0", "-B", "65536", "-z",
                                      noting_command(3), "netns", std::to_string(netns())});
    churn(50);
    // Commands are of the lowest priority, and the first need not be the first to end.
    const auto first = "tcpflight: -z: '" + path("note") + "' for '" + path("rec") + "' failed with status 3\n";
    EXPECT_TRUE(tracer.read_until([&] {
        return count(tracer.err(), "failed with status 3") >= 3 && count(tracer.err(), first) == 1;
    })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(0));

    Process other = start_tcpflight({"-w", path("other"), "-C", "4k", "--flush-interval", "0", "-B", "65536", "-z",
                                     path("no-such"), "netns", std::to_string(netns())});
    churn(50);
    EXPECT_TRUE(other.read_until([&] { return count(other.err(), "-z: cannot run") >= 3; })) << other.err();
    ended = end(other);
    EXPECT_EQ(ended.status, exited(0));
    EXPECT_NE(ended.err.find("tcpflight: -z: cannot run '" + path("no-such") + "': No such file or directory\n"),
              std::string::npos)
        << ended.err;
    EXPECT_EQ(read({"-r", path("other"), path("other1"), path("other2")}).status, exited(0));
}

// The newest files stay, no more than was asked for; and whatever is not of this recording.
TEST_F(Recording, KeepsNoMoreThanItIsAllowedTo)
{
    constexpr std::uint64_t allowed = std::uint64_t{1} << 20;
    std::ofstream(path("rec.notes")) << std::string(100'000, 'x');
    std::ofstream(path("rec99")) << std::string(100'000, 'x'); // no recording, whatever its name
    Process earlier = start_tcpflight({"-w", path("elsewhere")});
    EXPECT_EQ(end(earlier).status, exited(0));

    // Looks would tell late of what began before the first file that is left (docs/limits.md).
    const std::string shown = path("shown");
    Process tracer({.argv = {TCPFLIGHT_BINARY, "-w", path("rec"), "--keep", "1MiB", "--flush-interval", "0", "--print",
                             "-B", "65536", "--sweep", "0", "netns", std::to_string(netns())},
                    .out = Output::file(shown)});
    EXPECT_TRUE(tracer.read_until([&] { return tracer.err().find("listening on") != std::string::npos; }));
    churn(1000); // 12 events each, of which each is a block of more than 80 bytes
    EXPECT_TRUE(tracer.read_until([&] { return !fs::exists(path("rec")); })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(0)) << ended.err;

    std::uint64_t kept = 0;
    Words arguments{"-r"};
    for (const auto &entry : fs::directory_iterator(folder())) {
        auto name = entry.path().filename().string();
        if (!name.starts_with("rec") || name == "rec.notes" || name == "rec99")
            continue;
        kept += entry.file_size();
        arguments.push_back(entry.path());
    }
    EXPECT_LE(kept, allowed);
    EXPECT_GT(kept, allowed / 2);
    EXPECT_EQ(fs::file_size(path("rec.notes")), 100'000U);
    EXPECT_EQ(fs::file_size(path("rec99")), 100'000U);
    EXPECT_TRUE(fs::exists(path("elsewhere")));

    Finished replayed = read(arguments);
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_GT(replayed.out.size(), 10'000U);
    EXPECT_TRUE(contents(shown).ends_with(replayed.out)) << "what is left is the end of what was shown";
}

// Also where nothing is flushed before a block is full, and in what comes last.
TEST_F(Recording, KeepsNoMoreThanItIsAllowedToBetweenFlushes)
{
    constexpr std::uint64_t allowed = std::uint64_t{1} << 20;
    Process tracer = start_tcpflight({"-w", path("rec"), "--keep", "1MiB", "--flush-interval", "60", "-B", "4096",
                                      "netns", std::to_string(netns())});
    auto kept = [&] {
        std::uint64_t bytes = 0;
        for (const auto &entry : fs::directory_iterator(folder()))
            bytes += entry.path().filename().string().starts_with("rec") ? entry.file_size() : 0;
        return bytes;
    };
    for (int i = 0; i < 60 && fs::exists(path("rec")); i++)
        churn(1000);
    EXPECT_FALSE(fs::exists(path("rec"))) << kept();
    churn(1000);
    const Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(0)) << ended.err;
    EXPECT_LE(kept(), allowed);
    EXPECT_GT(kept(), allowed / 2);
}

// Said once, counted, and gone on with; what was written is not touched, and nothing is missing without being told.
TEST_F(Recording, GoesOnWhenAFullDiskHasRoomAgain)
{
    fs::create_directory(path("disk"));
    ASSERT_EQ(mount("tmpfs", path("disk").c_str(), "tmpfs", 0, "size=16m"), 0);
    const std::string file = path("disk/a.tfr");
    // The end of a TIME_WAIT follows from another event, and is no record that could be lost.
    ASSERT_TRUE(set_sysctl("ipv4/tcp_max_tw_buckets", "0"));
    const Words filter{"netns", std::to_string(netns())}; // other tests have their own
    // Knows the truth.
    Process witness(
        {.argv = {TCPFLIGHT_BINARY, "-B", "65536", filter[0], filter[1]}, .out = Output::file(path("all"))});
    EXPECT_TRUE(witness.read_until([&] { return witness.err().find("listening on") != std::string::npos; }));
    // Each event is a block of its own: then megabytes come fast.
    Process tracer({.argv = {TCPFLIGHT_BINARY, "-w", file, "--print", "--flush-interval", "0", "-B", "65536", filter[0],
                             filter[1]},
                    .out = Output::file(path("printed"))});
    EXPECT_TRUE(tracer.read_until([&] { return tracer.err().find("listening on") != std::string::npos; }));
    churn(10);
    EXPECT_TRUE(tracer.read_until([&] { return fs::file_size(file) > 10'000; }));
    const std::string ballast = path("disk/ballast");
    std::ofstream(ballast) << std::string(17U << 20U, 'x');
    churn(4500); // more than is kept in memory
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("No space left on device: recording goes on") != std::string::npos;
    })) << tracer.err();
    EXPECT_TRUE(tracer.read_until([&] { return count(contents(path("printed")), "\n") >= 45'000; }));
    const std::string before = contents(file);
    fs::remove(ballast);
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("again: events lost meanwhile: ") != std::string::npos;
    })) << tracer.err();
    churn(10);
    Finished ended = end(tracer);
    Finished truth = end(witness);
    EXPECT_EQ(ended.status, exited(0));
    EXPECT_EQ(count(ended.err, "No space"), 1U) << ended.err;
    EXPECT_EQ(count(ended.err, "again: events lost"), 1U) << ended.err;
    EXPECT_EQ(total(ended.err, " lost"), 0U) << "in the kernel";
    EXPECT_EQ(total(truth.err, " lost"), 0U) << truth.err;

    const Finished info = read({"info", file});
    EXPECT_EQ(info.status, exited(0)) << info.out;
    Finished replayed = read({"-r", file});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_TRUE(contents(file).starts_with(before)) << "what was written is not touched";
    EXPECT_GT(fs::file_size(file), before.size() + (std::size_t{4} << 20U)) << "with what was kept in memory";
    auto lost = total(replayed.err, " lost");
    EXPECT_GT(lost, 1'000U);
    EXPECT_EQ(total(replayed.err, " shown") + lost, total(truth.err, " shown"));
    // Behind the gap it is as it was.
    EXPECT_GT(replayed.out.size() - replayed.out.rfind("-- "), 5'000U);
}

} // namespace
} // namespace tcpflight::test

// -w and -r against what is shown live.
#include "live/live_test.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Recording : public LiveTest {
protected:
    Recording()
    {
        std::string name = testing::TempDir() + "tcpflight-rec-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        chmod(name.c_str(), 0755);
        folder_ = name;
    }
    ~Recording() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string &name = "a.tfr") const { return folder_ / name; }
    [[nodiscard]] const fs::path &folder() const { return folder_; }

    static Finished read(Words arguments, std::vector<std::string> wrapper = {})
    {
        wrapper.push_back(TCPFLIGHT_BINARY);
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

    static std::string lines_total(const std::string &err)
    {
        return err.substr(err.find(" recorded in ") == std::string::npos ? 0
                                                                         : err.find('\n', err.find(" recorded in ")));
    }

private:
    fs::path folder_;
};

TEST_F(Recording, IsReplayedAsItWasShown)
{
    Process tracer = start_tcpflight({"-w", path(), "--print", "-v", "-B", "65536"});
    churn(50);
    Finished live = end(tracer);
    EXPECT_EQ(live.status, exited(0));
    Finished replayed = read({"-r", path(), "-v"});
    EXPECT_EQ(replayed.status, exited(0));
    EXPECT_GT(live.out.size(), 10'000U);
    EXPECT_EQ(replayed.out, live.out);
    EXPECT_EQ("\n" + replayed.err, lines_total(live.err)) << live.err;

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
    Process tracer = start_tcpflight({"-w", path(), "--print", "-B", "65536"});
    churn(10);
    Finished live = end(tracer);
    chmod(path().c_str(), 0644);
    Finished replayed = read({"-r", path()}, {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_EQ(replayed.out, live.out);
}

TEST_F(Recording, OfManyFilesHasNoSeams)
{
    Process tracer =
        start_tcpflight({"-w", path("rec"), "--print", "-C", "4k", "--flush-interval", "0", "-B", "65536"});
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
    Process tracer = start_tcpflight({"-w", path(), "--print", "--flush-interval", "0", "-B", "65536"});
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
        Process tracer = start_tcpflight({"-w", path(name), "--print", "-B", "65536"});
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
    Process tracer = start_tcpflight({"-w", pipe, "--flush-interval", "0.02", "-B", "65536"});
    churn(400);
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("pipe' is not being read: what finds no room") != std::string::npos;
    })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(1));
    EXPECT_NE(ended.err.find("pipe' was not being read: the recording is cut off, events missing at its end: "),
              std::string::npos)
        << ended.err;
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

TEST_F(Recording, GoesOnWhenAFullDiskHasRoomAgain)
{
    fs::create_directory(path("disk"));
    ASSERT_EQ(mount("tmpfs", path("disk").c_str(), "tmpfs", 0, "size=128k"), 0);
    const std::string ballast = path("disk/ballast");
    Process tracer = start_tcpflight({"-w", path("disk/a.tfr"), "--flush-interval", "0.05", "-B", "65536"});
    std::ofstream(ballast) << std::string(200'000, 'x');
    churn(2000); // more than the room that is left in the file's last page
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("No space left on device: recording goes on") != std::string::npos;
    })) << tracer.err();
    fs::remove(ballast);
    EXPECT_TRUE(tracer.read_until([&] {
        return tracer.err().find("again: events lost meanwhile: ") != std::string::npos;
    })) << tracer.err();
    Finished ended = end(tracer);
    EXPECT_EQ(ended.status, exited(0));
    EXPECT_EQ(ended.err.find("No space", ended.err.find("No space") + 1), std::string::npos) << "said once";
    Finished replayed = read({"-r", path("disk/a.tfr")});
    EXPECT_EQ(replayed.status, exited(0)) << replayed.err;
    EXPECT_NE(replayed.out.find("127.0.0.1.7001"), std::string::npos);
    umount(path("disk").c_str());
}

} // namespace
} // namespace tcpflight::test

// The process runner is what other tests stand on.
#include "support/process.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace tcpflight::test {
namespace {

using namespace std::chrono_literals;

Spawn shell(const std::string &script)
{
    return {.argv = {"sh", "-c", script}};
}

TEST(Process, KeepsTheOutputsApart)
{
    Finished finished = run(shell("echo out; echo err >&2; exit 7"));
    EXPECT_EQ(finished.status, exited(7));
    EXPECT_EQ(finished.out, "out\n");
    EXPECT_EQ(finished.err, "err\n");
}

TEST(Process, ReadsMoreThanAPipeHolds)
{
    Finished finished = run(shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"));
    EXPECT_EQ(finished.status, exited(0));
    EXPECT_EQ(finished.out.size(), 1000000U);
    EXPECT_EQ(finished.err.size(), 1000000U);
}

TEST(Process, WaitsForWhatItSays)
{
    Process process(shell("echo ready >&2; exec sleep 60"));
    EXPECT_TRUE(process.read_until([&] { return process.err() == "ready\n"; }));
    EXPECT_FALSE(process.read_until([] { return false; }, 1ms));
    EXPECT_EQ(process.wait(1ms), std::nullopt);
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), killed_by(SIGTERM));
    EXPECT_EQ(process.wait(), killed_by(SIGTERM));
}

TEST(Process, StopsWaitingWhenBothPipesEnd)
{
    Process process(shell("echo last"));
    EXPECT_FALSE(process.read_until([] { return false; }));
    EXPECT_EQ(process.out(), "last\n");
    EXPECT_EQ(process.wait(), exited(0));
}

TEST(Process, DoesNotWaitForAGrandchild)
{
    // So that the orphan comes here, to be reaped.
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    Process process(shell("sleep 60 & echo $!"));
    EXPECT_EQ(process.wait(), exited(0));
    auto grandchild = static_cast<pid_t>(std::stol(process.out()));
    EXPECT_EQ(kill(grandchild, SIGKILL), 0);
    EXPECT_EQ(waitpid(grandchild, nullptr, 0), grandchild);
}

TEST(Process, IsKilledAtTheEndOfItsScope)
{
    pid_t pid = 0;
    {
        Process process(shell("trap '' TERM INT; echo ready; exec sleep 60"));
        ASSERT_TRUE(process.read_until([&] { return process.out() == "ready\n"; }));
        Process moved(std::move(process));
        pid = moved.pid();
        EXPECT_EQ(kill(pid, 0), 0);
    }
    EXPECT_EQ(kill(pid, 0), -1);
    EXPECT_EQ(errno, ESRCH);
}

TEST(Process, WritesIntoAPipeThatIsClosed)
{
    Spawn spawn{.argv = {"cat", "/dev/zero"}};
    spawn.out = Output::closed_pipe();
    EXPECT_EQ(run(spawn).status, killed_by(SIGPIPE));

    Process process({.argv = {"cat", "/dev/zero"}});
    EXPECT_TRUE(process.read_until([&] { return !process.out().empty(); }));
    process.close_out();
    EXPECT_EQ(process.wait(), killed_by(SIGPIPE));
}

TEST(Process, DoesNotInheritSignalSettings)
{
    auto before = std::signal(SIGPIPE, SIG_IGN);
    Spawn spawn{.argv = {"cat", "/dev/zero"}};
    spawn.out = Output::closed_pipe();
    EXPECT_EQ(run(spawn).status, killed_by(SIGPIPE));
    std::signal(SIGPIPE, before);
}

TEST(Process, ChangesTheEnvironment)
{
    ASSERT_EQ(setenv("TCPFLIGHT_TEST_A", "old", 1), 0);
    ASSERT_EQ(setenv("TCPFLIGHT_TEST_B", "old", 1), 0);
    Spawn spawn = shell("echo ${TCPFLIGHT_TEST_A-none} ${TCPFLIGHT_TEST_B-none}");
    spawn.environment = {"TCPFLIGHT_TEST_A=new", "TCPFLIGHT_TEST_B"};
    EXPECT_EQ(run(spawn).out, "new none\n");
}

TEST(Process, SaysThatThereIsNoSuchProgram)
{
    EXPECT_THROW(Process({.argv = {"/nonexistent/program"}}), std::system_error);
    EXPECT_THROW(Process({.argv = {}}), std::invalid_argument);
}

TEST(Process, TellsTheTestWhichProgramDidNotEnd)
{
    EXPECT_THROW(run(shell("exec sleep 60"), 1ms), std::runtime_error);
}

} // namespace
} // namespace tcpflight::test

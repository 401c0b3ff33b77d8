// Hosts that do not let everybody do everything. Each case ends in tracing, or in one sentence that says what forbids
// it.
#include "live/live_test.h"
#include "support/process.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tcpflight::test {
namespace {

using Words = std::vector<std::string>;

class Hardening : public LiveTest {
protected:
    // tcpflight, started by `prefix` (setpriv(1), unshare(1)) and its options.
    static Spawn started_by(Words prefix, const Words &arguments = {})
    {
        prefix.emplace_back(TCPFLIGHT_BINARY);
        prefix.insert(prefix.end(), arguments.begin(), arguments.end());
        return {.argv = std::move(prefix)};
    }

    static bool is_possible(const Words &command) { return run({.argv = command}).status == exited(0); }

    // A prefix: in a mount namespace of its own, in which the shell did this first.
    static Words behind(const std::string &first)
    {
        return {"unshare", "--mount", "sh", "-c", first + " && exec \"$0\" \"$@\""};
    }

    static bool can_run_behind(Words prefix)
    {
        prefix.emplace_back("true");
        return is_possible(prefix);
    }

    static void expect_one_sentence(const Finished &finished, const std::string &part)
    {
        EXPECT_EQ(finished.status, exited(1));
        EXPECT_EQ(finished.out, "");
        EXPECT_EQ(finished.err.rfind("tcpflight: ", 0), 0U) << finished.err;
        EXPECT_NE(finished.err.find(part), std::string::npos) << finished.err;
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    }
};

// The two capabilities that are named in the README are enough for a user who is not root, and show everybody's
// sockets.
TEST_F(Hardening, UserWithTwoCapabilities)
{
    const Words nobody{"setpriv",
                       "--reuid=65534",
                       "--regid=65534",
                       "--clear-groups",
                       "--inh-caps=+bpf,+perfmon",
                       "--ambient-caps=+bpf,+perfmon"};
    Words probe = nobody;
    probe.insert(probe.end(), {"test", "-x", TCPFLIGHT_BINARY});
    if (!is_possible(probe))
        GTEST_SKIP() << "setpriv cannot run " TCPFLIGHT_BINARY " as a user with capabilities";

    Actor server("server");
    Process tcpflight(started_by(nobody, {"--pid", std::to_string(server.pid())}));
    ASSERT_TRUE(tcpflight.read_until([&] { return tcpflight.err().find("listening on") != std::string::npos; }))
        << tcpflight.err();
    server.close(server.listen(SocketAddress::v4("127.0.0.1")));
    const auto lines = [&] { return std::count(tcpflight.out().begin(), tcpflight.out().end(), '\n'); };
    EXPECT_TRUE(tcpflight.read_until([&] { return lines() >= 2; })) << tcpflight.out() << tcpflight.err();
    tcpflight.signal(SIGINT);
    EXPECT_EQ(tcpflight.wait(), exited(0));
    EXPECT_NE(tcpflight.out().find("CLOSE -> LISTEN, server["), std::string::npos) << tcpflight.out();
}

// Root in a user namespace has all capabilities, but none that the kernel would take for tracing.
TEST_F(Hardening, RootOfAUserNamespace)
{
    const Words rootless{"unshare", "--user", "--map-root-user"};
    Words probe = rootless;
    probe.emplace_back("true");
    if (!is_possible(probe))
        GTEST_SKIP() << "user namespaces cannot be made here";
    expect_one_sentence(run(started_by(rootless)), "a user namespace");
}

TEST_F(Hardening, KernelThatDoesNotDescribeItsTypes)
{
    const Words hidden = behind("mount -t tmpfs none /sys/kernel/btf");
    if (!can_run_behind(hidden))
        GTEST_SKIP() << "mounts cannot be made here";
    expect_one_sentence(run(started_by(hidden)), "CONFIG_DEBUG_INFO_BTF=y");
}

// Its types have another name for the tracepoint that everything hangs on.
TEST_F(Hardening, KernelWithoutTheTracepointOfStates)
{
    std::ifstream types("/sys/kernel/btf/vmlinux", std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(types), {}};
    const std::string name = "btf_trace_inet_sock_set_state";
    const std::size_t at = content.find(name);
    ASSERT_NE(at, std::string::npos);
    content[at + name.size() - 1] = '_';
    const std::string file = testing::TempDir() + "types-" + std::to_string(getpid());
    std::ofstream(file, std::ios::binary) << content;

    const Words renamed = behind("mount --bind " + file + " /sys/kernel/btf/vmlinux");
    const bool can_run = can_run_behind(renamed);
    if (can_run)
        expect_one_sentence(run(started_by(renamed)), name);
    std::filesystem::remove(file);
    if (!can_run)
        GTEST_SKIP() << "mounts cannot be made here";
}

} // namespace
} // namespace tcpflight::test

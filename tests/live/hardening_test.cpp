// Hosts that do not let everybody do everything. Each case ends in tracing, or in one sentence that says what forbids
// it.
#include "live/live_test.h"
#include "support/process.h"

#include <algorithm>

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
    const Words hidden{"unshare", "--mount", "sh", "-c", "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\""};
    Words probe = hidden;
    probe.emplace_back("true");
    if (!is_possible(probe))
        GTEST_SKIP() << "mounts cannot be made here";
    expect_one_sentence(run(started_by(hidden)), "CONFIG_DEBUG_INFO_BTF=y");
}

} // namespace
} // namespace tcpflight::test

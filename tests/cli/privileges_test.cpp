// Started by someone who may not trace: one sentence that says what is missing and how to get it.
#include "support/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

namespace tcpflight::test {
namespace {

using Words = std::vector<std::string>;

struct Lack {
    std::string who;
    Words setpriv;       // options of setpriv(1), which makes it so
    std::string missing; // as the sentence names it
};

void PrintTo(const Lack &lack, std::ostream *stream)
{
    *stream << lack.who;
}

Spawn as(const Lack &lack, const Words &command)
{
    Spawn spawn;
    // Who is not root needs nothing taken away.
    if (geteuid() == 0) {
        spawn.argv = {"setpriv"};
        spawn.argv.insert(spawn.argv.end(), lack.setpriv.begin(), lack.setpriv.end());
    }
    spawn.argv.insert(spawn.argv.end(), command.begin(), command.end());
    return spawn;
}

class WithoutPrivileges : public testing::TestWithParam<Lack> {
protected:
    void SetUp() override
    {
        if (geteuid() != 0 && GetParam().who != "user")
            GTEST_SKIP() << "needs root, to run the program with fewer capabilities";
        // The build may lie where only root can go, or setpriv be refused in a container.
        Finished probe = run(as(GetParam(), {"test", "-x", TCPFLIGHT_BINARY}));
        if (probe.status != exited(0))
            GTEST_SKIP() << "cannot run " TCPFLIGHT_BINARY " as " << GetParam().who << ' ' << probe.err;
    }
};

TEST_P(WithoutPrivileges, SaysWhatIsMissingAndHowToGetIt)
{
    // Not even -v -v adds lines here: nothing was loaded that a library could complain about.
    for (const Words &options : {Words{}, Words{"-v", "-v", "--port", "80"}, Words{"list"}}) {
        Words command{TCPFLIGHT_BINARY};
        command.insert(command.end(), options.begin(), options.end());
        Finished finished = run(as(GetParam(), command));
        EXPECT_EQ(finished.status, exited(1));
        EXPECT_EQ(finished.out, "");
        std::string beginning = "tcpflight: " + std::string(options == Words{"list"} ? "listing sockets" : "tracing") +
                                " needs " + GetParam().missing + ", or root: run it with sudo, or once: setcap ";
        EXPECT_EQ(finished.err.substr(0, beginning.size()), beginning);
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    }
}

TEST_P(WithoutPrivileges, StillHelps)
{
    Finished finished = run(as(GetParam(), {TCPFLIGHT_BINARY, "--help"}));
    EXPECT_EQ(finished.status, exited(0));
    EXPECT_EQ(finished.err, "");
}

TEST_P(WithoutPrivileges, FindsAWrongCommandLineFirst)
{
    Finished finished = run(as(GetParam(), {TCPFLIGHT_BINARY, "--color", "blue"}));
    EXPECT_EQ(finished.status, exited(2));
    EXPECT_EQ(finished.err, "tcpflight: --color: 'blue' is not a choice: give auto, always or never\n");
}

INSTANTIATE_TEST_SUITE_P(
    Table, WithoutPrivileges,
    testing::Values(Lack{"user", {"--reuid=65534", "--regid=65534", "--clear-groups"}, "CAP_BPF and CAP_PERFMON"},
                    Lack{"root-in-name-only", {"--bounding-set=-all"}, "CAP_BPF and CAP_PERFMON"},
                    Lack{"root-without-bpf", {"--bounding-set=-sys_admin,-bpf"}, "CAP_BPF"},
                    Lack{"root-without-perfmon", {"--bounding-set=-sys_admin,-perfmon"}, "CAP_PERFMON"}));

} // namespace
} // namespace tcpflight::test

#include "filter/kernel_part.h"

#include "support/expression.h"

#include <gtest/gtest.h>

#include <ostream>

namespace tcpflight::test {
namespace {

struct PartCase {
    std::string given;
    std::string decided;
    std::size_t ops;
};

void PrintTo(const PartCase &c, std::ostream *stream)
{
    *stream << c.given;
}

class Part : public testing::TestWithParam<PartCase> {};

TEST_P(Part, IsWhatTheKernelKnows)
{
    auto part = kernel_part(expression_of(GetParam().given));
    EXPECT_EQ(to_text(part.decided), GetParam().decided);
    EXPECT_EQ(part.ops.size(), GetParam().ops);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Part,
    testing::Values(PartCase{"port 80", "port 80", 1}, PartCase{"port 80 and comm x", "port 80", 1},
                    PartCase{"port 80 or comm x", "", 0}, PartCase{"not (port 80 or comm x)", "not port 80", 1},
                    PartCase{"not (port 80 and comm x)", "", 0},
                    PartCase{"not (port 80 and ip)", "not port 80 or not ip", 2}, PartCase{"event reset", "", 0},
                    PartCase{"cgroup /a and container b and port 1", "port 1", 1},
                    PartCase{"not retransmits > 3 and ip6", "ip6", 1},
                    PartCase{"port 1 or 2 or 3", "port 1 or 2 or 3", 3},
                    PartCase{"(port 1 or 2) and (pid 3 or 4)", "(port 1 or 2) and (pid 3 or 4)", 5},
                    PartCase{"(port 1 and comm x) or (port 2 and comm y)", "port 1 or 2", 2},
                    PartCase{"outgoing and uid 0 and netns blue", "outgoing and uid 0 and netns 4026532300", 3},
                    PartCase{"net 10.0.0.0/8", "net 10.0.0.0/8", 1}, PartCase{"tcp", "", 0}));

TEST(Part, HasRoomForTheLongestListOfProcesses)
{
    std::string text = "pid 1";
    for (int pid = 2; pid <= TF_MAX_PIDS; pid++)
        text += " or " + std::to_string(pid);
    EXPECT_EQ(kernel_part(expression_of(text)).ops.size(), TF_MAX_PIDS);
}

TEST(Part, LeavesOutWhatItHasNoRoomFor)
{
    std::string ports = "(port 1";
    for (int port = 3; port <= 2 * TF_FILTER_OPS + 2; port += 2)
        ports += " or " + std::to_string(port);
    ports += ")";
    EXPECT_TRUE(kernel_part(expression_of(ports)).ops.empty());
    auto part = kernel_part(expression_of(ports + " and pid 7 and ip"));
    EXPECT_EQ(to_text(part.decided), "pid 7 and ip");
    EXPECT_NE(explain(expression_of(ports + " and pid 7")).find("room for 320 criteria"), std::string::npos);
}

TEST(Explain, TellsTheTreeAndWhoDecides)
{
    EXPECT_EQ(explain(expression_of("port https and (comm nginx* or retransmits >= 3)")),
              "expression: port 443 and (comm nginx* or retransmits >= 3)\n"
              "\n"
              "  and\n"
              "    port 443\n"
              "    or\n"
              "      comm nginx*\n"
              "      retransmits >= 3\n"
              "\n"
              "the kernel decides, once per connection:\n"
              "  port 443\n"
              "left to user space:\n"
              "  comm nginx*\n"
              "  retransmits >= 3\n");
    EXPECT_EQ(explain({}), "no expression: everything is shown\n");
}

} // namespace
} // namespace tcpflight::test

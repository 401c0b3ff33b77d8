#include "cli/suggest.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tcpflight {
namespace {

struct SuggestCase {
    std::string given;
    std::string meant; // empty: nothing is near
};

void PrintTo(const SuggestCase &c, std::ostream *stream)
{
    *stream << c.given;
}

class Suggest : public testing::TestWithParam<SuggestCase> {};

TEST_P(Suggest, TheNearestFlag)
{
    EXPECT_EQ(nearest_flag(GetParam().given).value_or(""), GetParam().meant);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Suggest,
    testing::Values(SuggestCase{"--prot", "--port"}, SuggestCase{"--prot=80", "--port"}, SuggestCase{"-port", "--port"},
                    SuggestCase{"--ports", "--port"}, SuggestCase{"--prt", "--port"}, SuggestCase{"--Port", "--port"},
                    SuggestCase{"--comn", "--comm"}, SuggestCase{"--command", "--comm"}, SuggestCase{"--pids", "--pid"},
                    SuggestCase{"--local", "--local-port"}, SuggestCase{"--remoteport", "--remote-port"},
                    SuggestCase{"--colour", "--color"}, SuggestCase{"--quite", "--quiet"},
                    SuggestCase{"--formt", "--format"}, SuggestCase{"--buffersize", "--buffer-size"},
                    SuggestCase{"--precision", ""}, SuggestCase{"--xy", ""}, SuggestCase{"--wrong", ""},
                    SuggestCase{"--layr", ""}, SuggestCase{"-x", ""}, SuggestCase{"--", ""}, SuggestCase{"---", ""},
                    SuggestCase{"--=port", ""}, SuggestCase{"--" + std::string(33, 'p'), ""}));

} // namespace
} // namespace tcpflight

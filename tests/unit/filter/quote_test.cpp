#include "filter/quote.h"

#include <gtest/gtest.h>

using namespace std::string_literals;

namespace tcpflight {
namespace {

TEST(Quote, LeavesPrintableAsciiAlone)
{
    EXPECT_EQ(escape("nginx: worker [1] ~\""), "nginx: worker [1] ~\"");
}

TEST(Quote, EscapesWhatCouldActOnATerminalOrEndTheQuotation)
{
    EXPECT_EQ(escape("\x1b[31m\n\t\0\x7f\xff"s), R"(\x1b[31m\x0a\x09\x00\x7f\xff)");
    EXPECT_EQ(escape("\xc3\xa9"), R"(\xc3\xa9)");
    EXPECT_EQ(quote(R"(it's\here)"), R"('it\x27s\x5chere')");
}

TEST(Quote, KeepsTheSentenceShort)
{
    EXPECT_EQ(quote(std::string(60, 'a')), "'" + std::string(60, 'a') + "'");
    EXPECT_EQ(quote(std::string(61, 'a')), "'" + std::string(60, 'a') + "...'");
    EXPECT_EQ(quote(""), "''");
}

} // namespace
} // namespace tcpflight

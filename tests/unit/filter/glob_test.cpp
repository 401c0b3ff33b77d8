#include "filter/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpflight {
namespace {

TEST(Glob, StarsAndQuestionMarks)
{
    EXPECT_TRUE(glob_matches("nginx", "nginx"));
    EXPECT_FALSE(glob_matches("nginx", "nginx2"));
    EXPECT_FALSE(glob_matches("nginx", "Nginx"));
    EXPECT_TRUE(glob_matches("ng*", "nginx"));
    EXPECT_TRUE(glob_matches("*", ""));
    EXPECT_TRUE(glob_matches("***", "x"));
    EXPECT_FALSE(glob_matches("", "x"));
    EXPECT_TRUE(glob_matches("", ""));
    EXPECT_FALSE(glob_matches("?", ""));
    EXPECT_TRUE(glob_matches("a?c", "abc"));
    EXPECT_TRUE(glob_matches("*a*b*", "xxaxxabx"));
    EXPECT_FALSE(glob_matches("*a*b", "xxaxxabx"));
    EXPECT_TRUE(glob_matches("*.slice/*", "/system.slice/ssh.service"));
}

TEST(Glob, Lists)
{
    EXPECT_TRUE(glob_matches("web[0-9]", "web7"));
    EXPECT_FALSE(glob_matches("web[!0-9]", "web7"));
    EXPECT_TRUE(glob_matches("web[^0-9]", "webx"));
    EXPECT_TRUE(glob_matches("[]]", "]"));
    EXPECT_TRUE(glob_matches("[a-]", "-"));
    EXPECT_FALSE(glob_matches("[b-a]", "b"));
    EXPECT_TRUE(glob_matches("[kworker", "[kworker")) << "not closed: no list";
}

TEST(Glob, ABackslashTakesTheMeaningAway)
{
    EXPECT_TRUE(glob_matches("\\*", "*"));
    EXPECT_FALSE(glob_matches("\\*", "x"));
    EXPECT_TRUE(glob_matches("\\x41\\x1b", "A\x1b"));
    EXPECT_TRUE(glob_matches("\\xzz", "xzz"));
    EXPECT_TRUE(glob_matches("\\", "\\"));
    EXPECT_TRUE(glob_matches("[\\x41-\\x43]", "B"));
}

TEST(Glob, ALiteralMatchesItselfAlone)
{
    for (const char *text : {"nginx", "a*b", "[kworker/0:1]", "it's", "a\\b", "\x1b[1m", "?", "\xff"}) {
        EXPECT_TRUE(glob_matches(literal_pattern(text), text)) << text;
        EXPECT_FALSE(glob_matches(literal_pattern(text), std::string(text) + "x"));
        EXPECT_FALSE(glob_matches(literal_pattern(text), ""));
    }
}

TEST(Glob, TakesNoLongerForManyStars)
{
    std::string pattern;
    for (int i = 0; i < 1000; i++)
        pattern += "*a";
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

} // namespace
} // namespace tcpflight

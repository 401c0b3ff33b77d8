// From one frame to the next.
#include "top/frame.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

Frame frame(std::vector<std::string> lines)
{
    return {.columns = 10, .lines = std::move(lines), .cursor = {}};
}

TEST(TopFrame, WritesNothingIfNothingChanged)
{
    const auto same = frame({"one", "two"});
    EXPECT_EQ(redraw(&same, same), "");
    auto with_cursor = same;
    with_cursor.cursor = {3, 1};
    EXPECT_EQ(redraw(&with_cursor, with_cursor), "");
}

TEST(TopFrame, WritesOnlyTheLinesThatChanged)
{
    const auto before = frame({"one", "two", "three"});
    EXPECT_EQ(redraw(&before, frame({"one", "2", "three"})), "\x1b[2;1H2\x1b[0m\x1b[K");
}

TEST(TopFrame, BeginsWithAnEmptyScreen)
{
    EXPECT_EQ(redraw(nullptr, frame({"one", "", "three"})),
              "\x1b[0m\x1b[2J\x1b[1;1Hone\x1b[0m\x1b[K\x1b[3;1Hthree\x1b[0m\x1b[K\x1b[?25l");
}

TEST(TopFrame, DoesNotEraseTheEndOfAFullLine)
{
    const auto before = frame({""});
    EXPECT_EQ(redraw(&before, frame({"\x1b[7m0123456789"})), "\x1b[1;1H\x1b[7m0123456789\x1b[0m");
}

TEST(TopFrame, ErasesLinesThatAreNoMore)
{
    const auto before = frame({"one", "two"});
    EXPECT_EQ(redraw(&before, frame({"one"})), "\x1b[2;1H\x1b[J");
}

TEST(TopFrame, PutsTheCursorWhereItIsWantedAfterEachChange)
{
    const auto before = frame({"one"});
    auto next = frame({"1"});
    next.cursor = {2, 0};
    EXPECT_EQ(redraw(&before, next), "\x1b[1;1H1\x1b[0m\x1b[K\x1b[1;3H\x1b[?25h");
    EXPECT_EQ(redraw(&next, frame({"1"})), "\x1b[?25l");
}

TEST(TopFrame, CutsColumnsAndNotColours)
{
    EXPECT_EQ(cut_columns("0123456789", 4), "0123");
    EXPECT_EQ(cut_columns("0123", 4), "0123");
    EXPECT_EQ(cut_columns("\x1b[31m0123\x1b[0m", 4), "\x1b[31m0123\x1b[0m");
    EXPECT_EQ(cut_columns("\x1b[31m01234\x1b[0m", 4), "\x1b[31m0123\x1b[0m") << "what was begun is ended";
    EXPECT_EQ(cut_columns("abc", 0), "");
}

} // namespace
} // namespace tcpflight::test

// As tcpdump names and rotates: -C, -G and -W of tcpdump(8), MakeFilename() of tcpdump.c.
#include "recording/rotation.h"

#include "unit/sink/time_zone.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::time_t noon = 1'795'262'400; // 2026-11-21 12:00:00 UTC

std::vector<std::string> paths(Rotation &rotation, std::uint64_t bytes, std::size_t count)
{
    std::vector<std::string> all{rotation.path()};
    while (all.size() < count && rotation.look(bytes, noon) == Rotation::Step::Next)
        all.push_back(rotation.path());
    return all;
}

using Paths = std::vector<std::string>;

TEST(Rotation, KeepsToOneFileWithoutOptions)
{
    Rotation rotation({.name = "rec-%H"}, noon);
    EXPECT_EQ(rotation.path(), "rec-%H");
    EXPECT_EQ(rotation.look(UINT64_MAX, noon + 1'000'000), Rotation::Step::Stay);
    EXPECT_FALSE(rotation.due());
}

TEST(Rotation, NumbersFilesBySizeFromTheSecondOn)
{
    Rotation rotation({.name = "rec", .file_bytes = 1000}, noon);
    EXPECT_EQ(rotation.look(1000, noon), Rotation::Step::Stay) << "only a larger one is full";
    EXPECT_EQ(paths(rotation, 1001, 12),
              (Paths{"rec", "rec1", "rec2", "rec3", "rec4", "rec5", "rec6", "rec7", "rec8", "rec9", "rec10", "rec11"}));
}

TEST(Rotation, PadsTheNumbersOfARingAndBeginsAnew)
{
    Rotation three({.name = "rec", .file_bytes = 1000, .max_files = 3}, noon);
    EXPECT_EQ(paths(three, 1001, 5), (Paths{"rec0", "rec1", "rec2", "rec0", "rec1"}));
    Rotation ten({.name = "rec", .file_bytes = 1000, .max_files = 10}, noon);
    EXPECT_EQ(paths(ten, 1001, 2), (Paths{"rec0", "rec1"}));
    Rotation eleven({.name = "rec", .file_bytes = 1000, .max_files = 11}, noon);
    EXPECT_EQ(paths(eleven, 1001, 12).back(), "rec00");
    Rotation one({.name = "rec", .file_bytes = 1000, .max_files = 1}, noon);
    EXPECT_EQ(paths(one, 1001, 3), (Paths{"rec", "rec", "rec"}));
}

TEST(Rotation, FillsTheTimeInAndEndsAfterSoManyPeriods)
{
    TimeZone zone("UTC0");
    Rotation rotation({.name = "rec-%Y%m%d-%H%M%S.tfr", .rotate_s = 60, .max_files = 3}, noon);
    EXPECT_EQ(rotation.path(), "rec-20261121-120000.tfr");
    EXPECT_EQ(rotation.due(), noon + 60);
    EXPECT_EQ(rotation.look(1U << 30, noon + 59), Rotation::Step::Stay);
    EXPECT_EQ(rotation.look(0, noon + 60), Rotation::Step::Next);
    EXPECT_EQ(rotation.path(), "rec-20261121-120100.tfr");
    EXPECT_EQ(rotation.look(0, noon + 125), Rotation::Step::Next);
    EXPECT_EQ(rotation.path(), "rec-20261121-120205.tfr");
    EXPECT_EQ(rotation.due(), noon + 185) << "from when it began, as tcpdump counts";
    EXPECT_EQ(rotation.look(0, noon + 185), Rotation::Step::End);
}

// -W then has to do with the names alone.
TEST(Rotation, NumbersBySizeWithinEachPeriod)
{
    TimeZone zone("UTC0");
    Rotation rotation({.name = "rec-%H%M.", .file_bytes = 1000, .rotate_s = 60, .max_files = 20}, noon);
    EXPECT_EQ(paths(rotation, 1001, 2), (Paths{"rec-1200.00", "rec-1200.01"}));
    EXPECT_EQ(rotation.look(0, noon + 60), Rotation::Step::Next);
    EXPECT_EQ(rotation.path(), "rec-1201.00");
}

// --keep needs old files that can go; what -W counts are periods.
TEST(Rotation, BeginsAFileAtTheSoftSizeToo)
{
    TimeZone zone("UTC0");
    Rotation rotation({.name = "rec-%H%M", .rotate_s = 60, .max_files = 2, .soft_bytes = 500}, noon);
    EXPECT_EQ(paths(rotation, 501, 4), (Paths{"rec-1200", "rec-12001", "rec-12002", "rec-12003"}));
    EXPECT_EQ(rotation.look(501, noon + 60), Rotation::Step::Next);
    EXPECT_EQ(rotation.look(0, noon + 120), Rotation::Step::End);
}

TEST(Rotation, TakesANameThatFillsInToNothing)
{
    Rotation rotation({.name = "%%", .rotate_s = 60}, noon);
    EXPECT_EQ(rotation.path(), "%");
}

TEST(NamePattern, HasAStarForWhatIsFilledIn)
{
    EXPECT_EQ(name_pattern("rec-%Y%m%d-%H.tfr", true), "rec-*-*.tfr");
    EXPECT_EQ(name_pattern("rec-%Y%m%d-%H.tfr", false), "rec-%Y%m%d-%H.tfr");
    EXPECT_EQ(name_pattern("100%%-%-d-%Ey", true), "100%-*-*");
    EXPECT_EQ(name_pattern("a*b?[c]\\", true), "a\\*b\\?\\[c\\]\\\\");
}

} // namespace
} // namespace tcpflight::test

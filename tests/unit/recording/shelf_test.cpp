#include "recording/shelf.h"

#include "recording/format.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;

class ShelfTest : public testing::Test {
protected:
    ShelfTest()
    {
        std::string name = testing::TempDir() + "tcpflight-shelf-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~ShelfTest() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string &name) const { return folder_ / name; }

    // `age_s` seconds old.
    std::string recording(const std::string &name, std::size_t bytes, int age_s) const
    {
        std::string text(FileHeader::file_magic.data(), FileHeader::file_magic.size());
        text.resize(bytes);
        std::ofstream(path(name)) << text;
        fs::last_write_time(path(name), fs::file_time_type::clock::now() - std::chrono::seconds(age_s));
        return path(name);
    }

    [[nodiscard]] std::vector<std::string> found(const std::string &name) const
    {
        std::vector<std::string> names;
        for (const auto &item : find_recordings(real_disk(), path(name), true))
            names.push_back(fs::path(item.path).filename());
        return names;
    }

private:
    fs::path folder_;
};

TEST_F(ShelfTest, FindsItsOwnRecordingsOldestFirst)
{
    recording("rec-12.tfr", 100, 10);
    recording("rec-11.tfr", 100, 20);
    recording("rec-11.tfr7", 100, 15);
    recording("other-11.tfr", 100, 30);
    recording("rec-11.tfr.gz", 100, 30);
    std::ofstream(path("rec-10.tfr")) << "somebody's notes";
    fs::create_symlink(path("rec-12.tfr"), path("rec-13.tfr"));
    EXPECT_EQ(found("rec-%H.tfr"), (std::vector<std::string>{"rec-11.tfr", "rec-11.tfr7", "rec-12.tfr"}));
    EXPECT_EQ(found("missing/rec-%H.tfr"), std::vector<std::string>{});
}

TEST_F(ShelfTest, DeletesTheOldestUntilAllFit)
{
    auto first = recording("a1", 100, 30);
    auto second = recording("a2", 100, 20);
    auto third = recording("a3", 100, 10);
    Shelf shelf(real_disk(), 300, {{first, 100}, {second, 100}, {third, 100}});
    shelf.begin(path("a4"));
    EXPECT_TRUE(shelf.make_room(0).empty());
    EXPECT_TRUE(fs::exists(first)) << "they fit exactly";
    EXPECT_TRUE(shelf.make_room(101).empty());
    EXPECT_FALSE(fs::exists(first));
    EXPECT_FALSE(fs::exists(second));
    EXPECT_TRUE(fs::exists(third));
    shelf.end(150);
    EXPECT_EQ(shelf.total_bytes(), 250U);
}

TEST_F(ShelfTest, ForgetsAFileThatIsWrittenAnewOrGone)
{
    auto first = recording("a1", 100, 30);
    Shelf shelf(real_disk(), 50, {{path("gone"), 100}, {first, 100}});
    shelf.begin(first);
    EXPECT_EQ(shelf.total_bytes(), 100U);
    EXPECT_TRUE(shelf.make_room(40).empty()) << "gone already";
    EXPECT_TRUE(fs::exists(first)) << "it is being written";
}

TEST_F(ShelfTest, TellsOnceWhatCannotBeDeleted)
{
    fs::create_directory(path("folder"));
    Shelf shelf(real_disk(), 50, {{path("folder"), 100}});
    shelf.begin(path("a1"));
    auto refusals = shelf.make_room(10);
    ASSERT_EQ(refusals.size(), 1U);
    EXPECT_EQ(refusals[0].path, path("folder"));
    EXPECT_NE(refusals[0].error, 0);
    EXPECT_TRUE(shelf.make_room(10).empty());
}

} // namespace
} // namespace tcpflight::test

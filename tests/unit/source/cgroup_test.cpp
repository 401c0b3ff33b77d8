// Cgroups on their way from the kernel to the records.
#include "source/cgroup_announcer.h"

#include "decode/decode.h"
#include "source/cgroup_tree.h"
#include "support/record_builder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace tcpflight {
namespace {

using test::RecordBuilder;

constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t close_state = 7;

TEST(CgroupMounts, AreThoseOfVersion2AndOfThePidsController)
{
    const std::string unified = "24 29 0:22 / /proc rw - proc proc rw\n"
                                "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    EXPECT_EQ(find_cgroup_mounts(unified, "0::/user.slice\n"),
              (std::vector<CgroupMount>{{.folder = "/sys/fs/cgroup", .root = "/", .hierarchy = 0}}));

    const std::string hybrid = "30 24 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                               "31 30 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                               "32 30 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                               "33 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(find_cgroup_mounts(hybrid, "9:name=systemd:/\n8:pids:/\n3:cpuset:/\n0::/\n"),
              (std::vector<CgroupMount>{{.folder = "/sys/fs/cgroup/pids", .root = "/", .hierarchy = 8},
                                        {.folder = "/sys/fs/cgroup/unified", .root = "/", .hierarchy = 0}}));
}

TEST(CgroupMounts, ShowAsMuchAsThereIs)
{
    const std::string twice = "35 24 0:30 /docker/aa /inner rw - cgroup2 cgroup2 rw\n"
                              "36 24 0:30 / /whole rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(find_cgroup_mounts(twice, "0::/\n"),
              (std::vector<CgroupMount>{{.folder = "/whole", .root = "/", .hierarchy = 0}}));
    EXPECT_EQ(find_cgroup_mounts("35 24 0:30 /docker/aa /inner rw - cgroup2 cgroup2 rw\n", ""),
              (std::vector<CgroupMount>{{.folder = "/inner", .root = "/docker/aa", .hierarchy = 0}}));
    EXPECT_EQ(find_cgroup_mounts("35 24 0:30 /../.. /host rw - cgroup2 cgroup2 rw\n", ""),
              (std::vector<CgroupMount>{{.folder = "/host", .root = "/", .hierarchy = 0}}));
}

TEST(CgroupMounts, OfNonsenseAreNone)
{
    for (const char *text : {"", "\n", "35", "a b c", "35 24 0:30 / /x rw -", "35 24 0:30 / /x rw cgroup2\n",
                             "35 24 0:30 / /x rw - cgroup cgroup rw,pids\n"})
        EXPECT_TRUE(find_cgroup_mounts(text, "pids\nx:pids\n").empty()) << text;
}

class Folder : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = testing::TempDir() + "cgroups.XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(path_); }

    [[nodiscard]] CgroupKey make(const std::string &name, std::uint32_t hierarchy = 0) const
    {
        std::filesystem::create_directories(path_ / name);
        struct stat status {};
        EXPECT_EQ(stat((path_ / name).c_str(), &status), 0);
        return {.id = status.st_ino, .hierarchy = hierarchy};
    }
    static std::string path_in(const Cgroups &cgroups, const CgroupKey &key)
    {
        const auto cgroup = cgroups.find(key);
        return cgroup ? cgroup->path : "(none)";
    }

    std::filesystem::path path_;
};

TEST_F(Folder, IsReadToTheBottom)
{
    const auto root = make(".", 8);
    const auto slice = make("a.slice", 8);
    const auto service = make("a.slice/b.service", 8);
    Cgroups cgroups;
    read_cgroup_folder(path_, 8, "/", cgroups);
    EXPECT_EQ(path_in(cgroups, root), "/");
    EXPECT_EQ(path_in(cgroups, slice), "/a.slice");
    EXPECT_EQ(path_in(cgroups, service), "/a.slice/b.service");
    EXPECT_EQ(cgroups.size(), 3U);
}

TEST_F(Folder, ThatIsAPartIsPutWhereItBelongs)
{
    const auto root = make(".");
    const auto child = make("b.service");
    Cgroups cgroups;
    read_cgroup_folder(path_, 0, "/docker/aa", cgroups);
    EXPECT_EQ(path_in(cgroups, root), "/docker/aa");
    EXPECT_EQ(path_in(cgroups, child), "/docker/aa/b.service");
}

TEST_F(Folder, ThatIsNotThereIsNoError)
{
    Cgroups cgroups;
    read_cgroup_folder(path_ / "gone", 0, "/", cgroups);
    EXPECT_EQ(cgroups.size(), 0U);
}

// What comes out of an announcer, as text.
struct Out : RecordConsumer {
    bool consume(std::span<const std::byte> record) override
    {
        Record out{};
        EXPECT_EQ(decode(record, out), DecodeError::None);
        if (out.header.type == TF_RECORD_CGROUP)
            list.push_back("cgroup " + std::to_string(out.cgroup.id) + " of " + std::to_string(out.cgroup.hierarchy) +
                           " " + out.cgroup.path + " @" + std::to_string(out.header.time_ns / 1000));
        else
            list.push_back("record " + std::to_string(out.header.cookie));
        return list.size() < limit;
    }
    std::vector<std::string> list;
    std::size_t limit = 100;
};

using List = std::vector<std::string>;

RecordBuilder connect_in(std::uint64_t cookie, std::uint64_t cgroup)
{
    tf_identity id{};
    id.family = 2;
    id.cgroup = cgroup;
    return RecordBuilder::state(cookie, 10 * cookie, close_state, syn_sent).identity(id);
}

TEST(CgroupAnnouncer, SaysOnceWhatIsNamed)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/five");
    cgroups.put({.id = 6, .hierarchy = 0}, "/six");
    Out out;
    CgroupAnnouncer announcer(std::move(cgroups), out);
    EXPECT_TRUE(announcer.consume(RecordBuilder::state(1, 10, syn_sent, close_state).bytes()));
    EXPECT_TRUE(announcer.consume(connect_in(2, 5).bytes()));
    EXPECT_TRUE(announcer.consume(connect_in(3, 5).bytes()));
    EXPECT_TRUE(announcer.consume(connect_in(4, 7).bytes()));
    EXPECT_TRUE(announcer.consume(connect_in(5, 0).bytes()));
    EXPECT_EQ(out.list, (List{"record 1", "cgroup 5 of 0 /five @20", "record 2", "record 3", "record 4", "record 5"}));
}

TEST(CgroupAnnouncer, PrefersTheOwnersCgroup)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/sockets");
    cgroups.put({.id = 5, .hierarchy = 8}, "/owners");
    Out out;
    CgroupAnnouncer announcer(std::move(cgroups), out);
    announcer.consume(connect_in(1, 5).place({.cgroup = 5, .hierarchy = 8, .pid = 0}).bytes());
    announcer.consume(connect_in(2, 5).place({.cgroup = 0, .hierarchy = 0, .pid = 9}).bytes());
    announcer.consume(RecordBuilder::accept(3, 30, 1, 42, "x").place({.cgroup = 5, .hierarchy = 8, .pid = 0}).bytes());
    EXPECT_EQ(out.list,
              (List{"cgroup 5 of 8 /owners @10", "record 1", "cgroup 5 of 0 /sockets @20", "record 2", "record 3"}));
}

// What a socket carried stands behind what names its cgroup.
TEST(CgroupAnnouncer, FindsTheNameBeforeWhatASocketCarried)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/five");
    cgroups.put({.id = 6, .hierarchy = 8}, "/six");
    Out out;
    CgroupAnnouncer announcer(std::move(cgroups), out);
    announcer.consume(connect_in(1, 5).carried(5, 5).traffic({}).bytes());
    announcer.consume(connect_in(2, 5).place({.cgroup = 6, .hierarchy = 8, .pid = 0}).carried(5, 5).bytes());
    EXPECT_EQ(out.list, (List{"cgroup 5 of 0 /five @10", "record 1", "cgroup 6 of 8 /six @20", "record 2"}));
}

TEST(CgroupAnnouncer, LearnsOfNewOnes)
{
    Out out;
    CgroupAnnouncer announcer({}, out);
    announcer.consume(connect_in(1, 5).bytes());
    announcer.consume(RecordBuilder::cgroup(15, 5, 0, "/new").bytes());
    announcer.consume(connect_in(2, 5).bytes());
    EXPECT_EQ(out.list, (List{"record 1", "cgroup 5 of 0 /new @20", "record 2"}));
}

TEST(CgroupAnnouncer, CutsOffWhatIsTooLong)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/" + std::string(1000, 'a'));
    Out out;
    CgroupAnnouncer announcer(std::move(cgroups), out);
    announcer.consume(connect_in(1, 5).bytes());
    EXPECT_EQ(out.list, (List{"cgroup 5 of 0 /" + std::string(494, 'a') + " @10", "record 1"}));
}

TEST(CgroupAnnouncer, StopsWhenItsReaderHasEnough)
{
    Cgroups cgroups;
    cgroups.put({.id = 5, .hierarchy = 0}, "/five");
    Out out;
    out.limit = 1;
    CgroupAnnouncer announcer(std::move(cgroups), out);
    EXPECT_FALSE(announcer.consume(connect_in(1, 5).bytes()));
    EXPECT_EQ(out.list.size(), 1U);
}

// Damaged records are for decode to refuse.
TEST(CgroupAnnouncer, PassesOnWhatItCannotRead)
{
    struct : RecordConsumer {
        bool consume(std::span<const std::byte> record) override
        {
            sizes.push_back(record.size());
            return true;
        }
        std::vector<std::size_t> sizes;
    } out;
    CgroupAnnouncer announcer({}, out);
    const auto whole = connect_in(1, 5).place({.cgroup = 5, .hierarchy = 8, .pid = 0}).bytes();
    for (std::size_t size = 0; size <= whole.size(); size++)
        announcer.consume(std::span(whole).first(size));
    EXPECT_EQ(out.sizes.size(), whole.size() + 1);
}

} // namespace
} // namespace tcpflight

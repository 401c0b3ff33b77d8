// Recordings as the program reads them: cut off, damaged, and with a clock that was set.
#include "unit/recording/recording_test.h"
#include "support/process.h"

#include <filesystem>
#include <fstream>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;

class ReadRecording : public testing::Test {
protected:
    ReadRecording()
    {
        std::string name = testing::TempDir() + "tcpflight-cli-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~ReadRecording() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string &name = "a.tfr") const { return folder_ / name; }
    void save(std::span<const std::byte> bytes, const std::string &name = "a.tfr") const
    {
        std::ofstream(path(name), std::ios::binary)
            .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    static Finished tcpflight(std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), TCPFLIGHT_BINARY);
        return run({.argv = std::move(arguments), .environment = {"TZ=UTC0"}});
    }

private:
    fs::path folder_;
};

Bytes recording_in_blocks(std::uint64_t records, std::uint64_t in_a_block)
{
    Recording recording;
    for (std::uint64_t i = 1; i <= records; i++) {
        recording.write(i, i);
        if (i % in_a_block == 0)
            recording.writer.flush();
    }
    EXPECT_TRUE(recording.writer.finish());
    return recording.file->bytes;
}

// As power loss leaves it.
TEST_F(ReadRecording, CutOffAnywhereShowsWhatIsBefore)
{
    const auto bytes = recording_in_blocks(60, 4);
    save(bytes);
    const Finished whole = tcpflight({"-r", path()});
    EXPECT_EQ(whole.status, exited(0));
    EXPECT_EQ(whole.err, "60 events shown\n0 events filtered out\n0 events lost\n");
    std::size_t shown = 0;
    for (std::size_t size = 0; size < bytes.size(); size += 11) {
        save(std::span(bytes).first(size));
        const Finished cut = tcpflight({"-r", path()});
        // Lines, without the one that tells that something is missing at the end.
        auto lines =
            cut.out.substr(0, cut.out.find("-- ") == std::string::npos ? std::string::npos
                                                                       : cut.out.rfind('\n', cut.out.find("-- ")) + 1);
        EXPECT_EQ(whole.out.substr(0, lines.size()), lines) << size;
        EXPECT_GE(lines.size(), shown) << "less was read of more: " << size;
        shown = lines.size();
        bool is_told = cut.err.find("is unfinished") != std::string::npos ||
                       cut.err.find("is damaged at offset") != std::string::npos ||
                       cut.err.find("is not a tcpflight recording") != std::string::npos;
        EXPECT_TRUE(is_told) << size << ": " << cut.err;
        EXPECT_TRUE(cut.status == exited(0) || cut.status == exited(1)) << size << ": " << cut.status;
    }
    EXPECT_EQ(shown, whole.out.size()); // the last cut left all but a part of the index
}

TEST_F(ReadRecording, ClockThatWasSetIsShownAndReordersNothing)
{
    constexpr std::int64_t hour = 3'600'000'000'000;
    constexpr std::int64_t noon = 1'795'262'400'000'000'000; // 2026-11-21T12:00:00Z
    auto settings = Recording::settings(1'000'000'000);
    settings.start.clock = {.boot_ns = 0, .wall_ns = noon};
    auto file = std::make_shared<MemoryFile>();
    const FakeKnown known_source;
    RecordingWriter writer(std::make_unique<MemoryOutput>(file), settings, known_source);
    auto write = [&](std::uint64_t second) {
        EXPECT_TRUE(writer.write(RecordBuilder::state(second, second * 1'000'000, syn_sent, established).bytes()));
    };
    write(1);
    writer.set_clock({.boot_ns = 2'000'000'000, .wall_ns = noon - hour + 2'000'000'000});
    write(3);
    writer.set_clock({.boot_ns = 4'000'000'000, .wall_ns = noon + hour + 4'000'000'000});
    write(5);
    ASSERT_TRUE(writer.finish());
    save(file->bytes);

    const Finished read = tcpflight({"-r", path(), "-q"});
    EXPECT_EQ(read.out, "12:00:01.000000 IP ? > ?: SYN_SENT -> ESTABLISHED\n"
                        "11:00:03.000000 IP ? > ?: SYN_SENT -> ESTABLISHED\n"
                        "13:00:05.000000 IP ? > ?: SYN_SENT -> ESTABLISHED\n");
    const Finished later = tcpflight({"-r", path(), "-q", "--from", "13:00"});
    EXPECT_EQ(later.out, "13:00:05.000000 IP ? > ?: SYN_SENT -> ESTABLISHED\n");
    const Finished info = tcpflight({"info", path()});
    EXPECT_NE(info.out.find("clock set    2 times while it was recorded\n"), std::string::npos) << info.out;
}

// What merge makes of files that were damaged: it is told when they are read, and the others are whole.
TEST_F(ReadRecording, MergedFromADamagedOneTellsOfIt)
{
    auto bytes = recording_in_blocks(20, 4);
    bytes[bytes.size() / 2] ^= std::byte{0x55};
    save(bytes, "a.tfr");
    const Finished alone = tcpflight({"-r", path("a.tfr")});
    EXPECT_EQ(alone.status, exited(1));
    const Finished merged = tcpflight({"merge", path("a.tfr"), "-w", path("all.tfr")});
    EXPECT_EQ(merged.status, exited(0)) << merged.err;
    const Finished read = tcpflight({"-r", path("all.tfr")});
    EXPECT_EQ(read.status, exited(1));
    EXPECT_EQ(read.out, alone.out);
    EXPECT_NE(read.err.find("all.tfr, part 1 (host)' is damaged at offset "), std::string::npos) << read.err;
}

TEST_F(ReadRecording, MergeWritesOverNothingElse)
{
    save(recording_in_blocks(2, 1), "a.tfr");
    std::ofstream(path("notes")) << "somebody's notes\n";
    const Finished refused = tcpflight({"merge", path("a.tfr"), "-w", path("notes")});
    EXPECT_EQ(refused.status, exited(1));
    EXPECT_EQ(refused.err, "tcpflight: '" + path("notes") +
                               "' is there and is not a recording of tcpflight: give another name, or --force\n");
    EXPECT_EQ(fs::file_size(path("notes")), 17U);
    EXPECT_EQ(tcpflight({"merge", path("a.tfr"), "-w", path("notes"), "--force"}).status, exited(0));
    EXPECT_EQ(tcpflight({"merge", path("a.tfr"), "-w", path("notes")}).status, exited(0)); // now it is one
    const Finished missing = tcpflight({"merge", path("a.tfr"), path("b.tfr"), "-w", path("c.tfr")});
    EXPECT_EQ(missing.status, exited(1));
    EXPECT_EQ(missing.err, "tcpflight: cannot open '" + path("b.tfr") + "': No such file or directory\n");
    EXPECT_FALSE(fs::exists(path("c.tfr")));
}

} // namespace
} // namespace tcpflight::test

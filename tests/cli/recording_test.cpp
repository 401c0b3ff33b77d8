// Recordings as the program reads them: cut off, damaged, and with a clock that was set.
#include "unit/recording/recording_test.h"
#include "recording/merged_file.h"
#include "support/process.h"

#include <filesystem>
#include <fstream>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;

class ReadRecording : public testing::Test {
public:
    ~ReadRecording() override { fs::remove_all(folder_); }

protected:
    ReadRecording()
    {
        std::string name = testing::TempDir() + "tcpflight-cli-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }

    [[nodiscard]] std::string path(const std::string &name = "a.tfr") const { return folder_ / name; }
    void save(std::span<const std::byte> bytes, const std::string &name = "a.tfr") const
    {
        std::ofstream(path(name), std::ios::binary)
            .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    // Of a host of its own, begun `wall_ns` after the others, with a connection that ends.
    [[nodiscard]] static Bytes recording_of_host(const std::string &host, std::int64_t wall_ns)
    {
        auto settings = Recording::settings(1'000'000'000);
        settings.start.host = host;
        settings.start.filter.clear();
        settings.start.recording_id = {static_cast<std::uint8_t>(host.front())};
        settings.start.clock = {.boot_ns = 0, .wall_ns = wall_ns};
        auto file = std::make_shared<MemoryFile>();
        const FakeKnown nothing;
        RecordingWriter writer(std::make_unique<MemoryOutput>(file), settings, nothing);
        writer.write(RecordBuilder::state(1, 1'000'000, close_state, syn_sent).identity(1, 2).local_port(4000).bytes());
        writer.write(RecordBuilder::state(1, 2'000'000, syn_sent, established).bytes());
        writer.write(RecordBuilder::state(1, 3'000'000, established, close_state).bytes());
        EXPECT_TRUE(writer.finish());
        return file->bytes;
    }
    // With this on its standard input, through a pipe.
    [[nodiscard]] Finished tcpflight_from_pipe(const std::string &file, const std::string &arguments) const
    {
        return run({.argv = {"sh", "-c", "cat '" + path(file) + "' | '" + TCPFLIGHT_BINARY + "' " + arguments},
                    .environment = {"TZ=UTC0"}});
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

TEST_F(ReadRecording, ThatBeginsWithDamageShowsTheRest)
{
    auto bytes = recording_in_blocks(8, 4);
    save(bytes);
    const Finished whole = tcpflight({"-r", path()});
    std::fill_n(bytes.begin(), sizeof(FileHeader) + sizeof(BlockHeader), std::byte{'x'});
    save(bytes);
    const Finished read = tcpflight({"-r", path()});
    EXPECT_EQ(read.status, exited(1));
    EXPECT_EQ(read.out, whole.out);
    EXPECT_NE(read.err.find("the begin of '" + path() + "' cannot be read: a filter that it was recorded with is not"),
              std::string::npos)
        << read.err;
    EXPECT_NE(read.err.find("is damaged at offset 0, "), std::string::npos) << read.err;
    const Finished info = tcpflight({"info", path()});
    EXPECT_EQ(info.status, exited(1));
    EXPECT_NE(info.out.find("begun        not known, nor where and how: it begins with damage\n"), std::string::npos)
        << info.out;
    EXPECT_EQ(info.out.find("filter"), std::string::npos) << info.out;
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

TEST_F(ReadRecording, TimelinesOfSeveralHostsStandApart)
{
    save(recording_of_host("a", 0), "a.tfr");
    save(recording_of_host("b", 10'000'000'000), "b.tfr");
    const Finished both = tcpflight({"-r", path("a.tfr"), path("b.tfr"), "-g"});
    const Finished a = tcpflight({"-r", path("a.tfr"), "-g"});
    const Finished b = tcpflight({"-r", path("b.tfr"), "-g"});
    auto with_host = [](std::string block, const std::string &host) {
        EXPECT_TRUE(block.starts_with("== ")) << block;
        return block.insert(3, host + " ");
    };
    EXPECT_EQ(both.out, with_host(a.out, "a") + "\n" + with_host(b.out, "b"));
}

// Both have a connection of the same number, at the same time.
TEST_F(ReadRecording, ConnectionsOfSeveralHostsInTheColumnsOfOtherTools)
{
    save(recording_of_host("alpha", 1'795'292'931'000'000'000), "a.tfr");
    save(recording_of_host("beta", 1'795'292'931'000'500'000), "b.tfr");
    const std::string header =
        "PID     COMM             LADDR           LPORT RADDR           RPORT TX_KB  RX_KB  MS\n";
    const auto lines = [](const std::string &out) { return std::count(out.begin(), out.end(), '\n'); };
    const Finished one = tcpflight({"-r", path("a.tfr"), "--format", "tcplife"});
    EXPECT_EQ(one.status, exited(0)) << one.err;
    EXPECT_EQ(one.out.substr(0, header.size()), header);
    EXPECT_EQ(lines(one.out), 2);
    const auto line = one.out.substr(header.size());
    const Finished both = tcpflight({"-r", path("a.tfr"), path("b.tfr"), "--format", "tcplife"});
    EXPECT_EQ(both.out, header + line + line) << "each connection is as long as in its own recording";
    const Finished first = tcpflight({"-r", path("a.tfr"), path("b.tfr"), "--format", "tcplife", "-c", "1"});
    EXPECT_EQ(first.out, header + line);
    const Finished states = tcpflight({"-r", path("a.tfr"), path("b.tfr"), "--format", "tcpstates"});
    EXPECT_EQ(lines(states.out), 1 + 6) << states.out;
}

TEST_F(ReadRecording, MergedIsReadFromAPipe)
{
    save(recording_of_host("a", 0), "a.tfr");
    save(recording_of_host("b", 500'000'000), "b.tfr");
    ASSERT_EQ(tcpflight({"merge", path("a.tfr"), path("b.tfr"), "-w", path("all")}).status, exited(0));
    const Finished of_file = tcpflight({"-r", path("all")});
    EXPECT_NE(of_file.out.find(" a IP "), std::string::npos) << of_file.out;
    const Finished piped = tcpflight_from_pipe("all", "-r -");
    EXPECT_EQ(piped.status, exited(0)) << piped.err;
    EXPECT_EQ(piped.out, of_file.out);
    EXPECT_EQ(piped.err, of_file.err);
    const Finished redirected =
        run({.argv = {"sh", "-c", "'" TCPFLIGHT_BINARY "' -r - < '" + path("all") + "'"}, .environment = {"TZ=UTC0"}});
    EXPECT_EQ(redirected.out, of_file.out);

    // What is no merged one comes through as before, whatever it is.
    EXPECT_EQ(tcpflight_from_pipe("a.tfr", "-r -").out, tcpflight({"-r", path("a.tfr")}).out);
    const Finished nothing = run({.argv = {"sh", "-c", "printf x | '" TCPFLIGHT_BINARY "' -r -"}});
    EXPECT_EQ(nothing.status, exited(1));
    EXPECT_EQ(nothing.err, "tcpflight: 'standard input' is not a tcpflight recording: it is too short\n");

    // Cut off: what is there is shown.
    fs::resize_file(path("all"), fs::file_size(path("all")) - sizeof(ChunkHeader));
    const Finished cut = tcpflight_from_pipe("all", "-r -");
    EXPECT_EQ(cut.status, exited(1));
    EXPECT_EQ(cut.out, of_file.out);
    EXPECT_EQ(cut.err.substr(0, cut.err.find('\n')),
              "tcpflight: 'standard input' is cut off: the end of some part may be missing");
}

TEST_F(ReadRecording, MergedFromAPipeNeedsRoom)
{
    save(recording_of_host("a", 0), "a.tfr");
    ASSERT_EQ(tcpflight({"merge", path("a.tfr"), "-w", path("all")}).status, exited(0));
    const Finished nowhere =
        run({.argv = {"sh", "-c", "cat '" + path("all") + "' | TMPDIR=/proc/nowhere '" TCPFLIGHT_BINARY "' -r -"}});
    EXPECT_EQ(nowhere.status, exited(1));
    EXPECT_EQ(nowhere.err,
              "tcpflight: cannot keep 'standard input' in '/proc/nowhere', which a merged recording from a "
              "pipe needs: No such file or directory\n");
}

TEST_F(ReadRecording, InfoKnowsEveryKind)
{
    Recording recording;
    for (std::uint8_t type = TF_RECORD_STATE; type <= TF_RECORD_PROBE; type++) {
        auto record = RecordBuilder::state(1, type, syn_sent, established).bytes();
        record[offsetof(tf_header, type)] = std::byte{type};
        if (type != TF_RECORD_LOST)
            recording.writer.write(record);
    }
    ASSERT_TRUE(recording.writer.finish());
    save(recording.file->bytes);
    const Finished known = tcpflight({"info", path()});
    EXPECT_EQ(known.out.find("does not know"), std::string::npos) << known.out;
    EXPECT_NE(known.out.find(", 1 places of cgroups, "), std::string::npos) << known.out;
}

} // namespace
} // namespace tcpflight::test

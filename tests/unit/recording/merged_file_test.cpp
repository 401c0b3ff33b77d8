#include "recording_test.h"

#include "recording/merged_file.h"

namespace tcpflight::test {
namespace {

Bytes whole(InputFile &input)
{
    Bytes bytes(input.size());
    std::size_t held = 0;
    while (held < bytes.size()) {
        auto count = input.read_at(held, std::span(bytes).subspan(held));
        if (!count || *count == 0)
            break;
        held += *count;
    }
    bytes.resize(held);
    return bytes;
}

Bytes recording_of(std::uint64_t records)
{
    Recording recording;
    for (std::uint64_t i = 1; i <= records; i++) {
        recording.write(i, i);
        recording.writer.flush();
    }
    EXPECT_TRUE(recording.writer.finish());
    return recording.file->bytes;
}

// One piece of each in turn.
Bytes merge(const std::vector<Bytes> &files)
{
    auto out = std::make_shared<MemoryFile>();
    MergedWriter writer(std::make_unique<MemoryOutput>(out));
    std::vector<Pieces> sources;
    for (const auto &file : files)
        sources.emplace_back(input_of(file));
    for (std::size_t left = sources.size(); left != 0;) {
        left = 0;
        for (std::uint32_t i = 0; i < sources.size(); i++) {
            auto piece = sources[i].next();
            EXPECT_TRUE(piece);
            if (!*piece)
                continue;
            EXPECT_TRUE(writer.add(i, (*piece)->bytes));
            left++;
        }
    }
    EXPECT_TRUE(writer.finish());
    EXPECT_EQ(writer.bytes(), out->bytes.size());
    return out->bytes;
}

std::shared_ptr<MergedFile> open(Bytes bytes)
{
    auto merged = MergedFile::open(input_of(std::move(bytes)), "x.tfr");
    EXPECT_TRUE(merged) << merged.error().message;
    return merged.value_or(nullptr);
}

Bytes source(const std::shared_ptr<MergedFile> &merged, std::size_t index)
{
    auto input = MergedFile::source(merged, index);
    return whole(*input);
}

bool is_prefix(const Bytes &part, const Bytes &of)
{
    return part.size() <= of.size() && std::equal(part.begin(), part.end(), of.begin());
}

TEST(MergedFile, GivesEachFileBackAsItWas)
{
    const std::vector<Bytes> files{recording_of(3), recording_of(20), recording_of(1)};
    auto merged = open(merge(files));
    ASSERT_EQ(merged->sources(), files.size());
    EXPECT_FALSE(merged->is_cut_off());
    EXPECT_EQ(merged->damaged_bytes(), 0U);
    for (std::size_t i = 0; i < files.size(); i++)
        EXPECT_EQ(source(merged, i), files[i]) << i;
}

TEST(MergedFile, IsReadAsARecording)
{
    auto merged = open(merge({recording_of(3), recording_of(20)}));
    auto reader = RecordingReader::open(MergedFile::source(merged, 1), "x");
    ASSERT_TRUE(reader);
    Reading reading;
    EXPECT_EQ(reading.read_all(*reader), RecordingReader::Step::Finished);
    EXPECT_EQ(reading.raw.size(), 20U);
    EXPECT_TRUE(reading.damages.empty());
}

TEST(MergedFile, TellsAnythingElseApart)
{
    EXPECT_EQ(open(recording_of(1)), nullptr);
    EXPECT_EQ(open({}), nullptr);
    auto bytes = merge({recording_of(1)});
    auto refused = RecordingReader::open(input_of(bytes), "x.tfr");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "'x.tfr' is a merged recording, which cannot be read from a pipe: give the file");
    std::swap(bytes[10], bytes[11]);
    auto other = MergedFile::open(input_of(bytes), "x.tfr");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message, "'x.tfr' was merged on a host of the other byte order, which is not supported");
}

TEST(MergedFile, CutOffAnywhereGivesWhatIsBefore)
{
    const std::vector<Bytes> files{recording_of(2), recording_of(3)};
    const auto bytes = merge(files);
    for (std::size_t size = sizeof(FileHeader); size < bytes.size(); size++) {
        auto merged = open(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
        ASSERT_NE(merged, nullptr);
        EXPECT_TRUE(merged->is_cut_off()) << size;
        for (std::size_t i = 0; i < merged->sources(); i++)
            EXPECT_TRUE(is_prefix(source(merged, i), files[i])) << size;
    }
}

// All that is damaged is at most a chunk of one file, whose reader finds what is missing.
TEST(MergedFile, DamagedAnywhereGivesTheOtherFiles)
{
    const std::vector<Bytes> files{recording_of(2), recording_of(3), recording_of(2)};
    const auto bytes = merge(files);
    for (std::size_t at = sizeof(FileHeader); at < bytes.size(); at++) {
        auto damaged = bytes;
        damaged[at] ^= std::byte{0x55};
        auto merged = open(damaged);
        ASSERT_NE(merged, nullptr);
        std::size_t whole = 0;
        for (std::size_t i = 0; i < merged->sources(); i++)
            whole += source(merged, i) == files[i] ? 1U : 0U;
        EXPECT_GE(whole, 2U) << at;
        EXPECT_TRUE(whole == 2 || merged->damaged_bytes() != 0 || merged->is_cut_off()) << at;
    }
}

// As many bytes as went in, also of what is no recording.
TEST(Pieces, AreTheFile)
{
    const auto bytes = recording_of(5);
    for (std::size_t at = 0; at < bytes.size(); at++) {
        auto damaged = bytes;
        damaged[at] ^= std::byte{0x55};
        Pieces pieces(input_of(damaged));
        Bytes together;
        for (;;) {
            auto piece = pieces.next();
            ASSERT_TRUE(piece);
            if (!*piece)
                break;
            together.insert(together.end(), (*piece)->bytes.begin(), (*piece)->bytes.end());
        }
        EXPECT_EQ(together, damaged) << at;
    }
}

TEST(Pieces, SayWhenTheyBegin)
{
    Pieces pieces(input_of(recording_of(3)));
    std::vector<std::uint64_t> times;
    for (auto piece = pieces.next(); piece && *piece; piece = pieces.next())
        times.push_back((*piece)->time_ns);
    // The header with the Start block, the entry point, three records, the end.
    EXPECT_EQ(times, (std::vector<std::uint64_t>{1000, 1000, 1000, 1000, 2000, 3000, 3000}));
}

} // namespace
} // namespace tcpflight::test

#include "recording_test.h"

#include <cerrno>

namespace tcpflight::test {
namespace {

using Step = RecordingReader::Step;

void read(const Recording &recording, Reading &reading)
{
    auto reader = RecordingReader::open(recording.input(), "x.tfr");
    EXPECT_TRUE(reader);
    if (reader) {
        reading.read_all(*reader);
        EXPECT_TRUE(reader->close(reading));
    }
}

TEST(Writer, SaysWhenItIsToBeFlushed)
{
    Recording recording(500'000);
    EXPECT_FALSE(recording.writer.flush_due_ns());
    recording.write(10, 12);
    EXPECT_EQ(recording.writer.flush_due_ns(), 510'000U);
    recording.writer.flush();
    EXPECT_FALSE(recording.writer.flush_due_ns());
    EXPECT_EQ(recording.file->syncs, 1);
    recording.writer.flush();
    EXPECT_EQ(recording.file->syncs, 1); // nothing new
    recording.writer.set_clock({.boot_ns = 7, .wall_ns = 8});
    EXPECT_EQ(recording.writer.flush_due_ns(), 500'007U);
}

TEST(Writer, KeepsAFewMegabytesWhileTheDiskIsFull)
{
    Recording recording;
    recording.write(1, 10);
    recording.writer.flush();
    recording.file->capacity = recording.file->bytes.size();
    recording.write(11, 20);
    recording.writer.flush();
    EXPECT_EQ(recording.writer.trouble(), ENOSPC);
    EXPECT_TRUE(recording.writer.flush_due_ns()); // to try again
    recording.file->capacity = std::size_t{1} << 30;
    recording.writer.flush();
    EXPECT_FALSE(recording.writer.trouble());
    recording.write(21, 30);
    ASSERT_TRUE(recording.writer.finish());
    EXPECT_EQ(recording.writer.totals().lost, 0U);
    EXPECT_EQ(recording.writer.totals().records, 30U);
    EXPECT_EQ(recording.writer.totals().bytes, recording.file->bytes.size());
    Reading reading;
    read(recording, reading);
    EXPECT_EQ(reading.raw.size(), 30U);
    EXPECT_TRUE(reading.damages.empty());
}

TEST(Writer, CountsWhatIsTooMuchForAFullDiskAndGoesOn)
{
    Recording recording;
    recording.write(1, 10);
    recording.writer.flush();
    recording.file->capacity = recording.file->bytes.size();
    Bytes large(60'000);
    std::uint64_t noise = 1;
    std::uint64_t taken = 10;
    while (recording.writer.totals().lost == 0) {
        for (std::size_t i = 24; i < large.size(); i++)
            large[i] = static_cast<std::byte>((noise = noise * 6364136223846793005U + 1) >> 56);
        large[offsetof(tf_header, type)] = std::byte{200};
        EXPECT_TRUE(recording.writer.write(large));
        taken++;
        ASSERT_LT(taken, 1000U);
        if (taken % 10 == 0)
            recording.writer.flush();
    }
    recording.file->capacity = std::size_t{1} << 30;
    recording.known_source.connections = {known(4)};
    recording.writer.flush();
    EXPECT_FALSE(recording.writer.trouble());
    recording.write(1000, 1009);
    ASSERT_TRUE(recording.writer.finish());
    auto lost = recording.writer.totals().lost;
    EXPECT_GT(lost, 0U);
    Reading reading;
    read(recording, reading);
    EXPECT_TRUE(reading.damages.empty());
    EXPECT_EQ(reading.raw.size(), taken - lost + 10 + 1);
    // In this place: what is missing, and what a reader must know behind it.
    auto loss = "lost " + std::to_string(lost) + " of 2";
    auto at = std::ranges::find(reading.list, loss);
    ASSERT_NE(at, reading.list.end());
    EXPECT_EQ(*std::next(at), "entry healing:1");
    EXPECT_EQ(*std::next(at, 2), "r 1000@1000");
}

TEST(Writer, GoesOnCountingLossesFromTheFilesBefore)
{
    auto file = std::make_shared<MemoryFile>();
    FakeKnown source;
    auto settings = Recording::settings(0);
    settings.lost_before = 70;
    RecordingWriter writer(std::make_unique<MemoryOutput>(file), settings, source);
    EXPECT_EQ(writer.totals().lost, 70U);
}

TEST(Writer, CountsWhatItCouldNotWriteInTheEnd)
{
    Recording recording;
    recording.write(1, 5);
    recording.writer.flush();
    recording.file->error = EIO;
    recording.write(6, 9);
    auto finished = recording.writer.finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error(), EIO);
    EXPECT_EQ(recording.writer.totals().lost, 4U);
    recording.file->error.reset();
    Reading reading;
    read(recording, reading);
    EXPECT_EQ(reading.raw.size(), 5U); // unfinished, and whole
}

TEST(Writer, SpendsLittleOnEntryPointsHoweverManyAreAlive)
{
    Recording recording; // its first entry point is empty
    for (std::uint64_t i = 1; i <= 10'000; i++) {
        auto connection = known(i * 977);
        connection.last_seq = static_cast<std::uint32_t>(i * 2654435761U);
        connection.changed_ns = i * i * 7919;
        recording.known_source.connections.push_back(connection);
    }
    Recording rival;
    std::uint64_t noise = 1;
    Bytes large(60'000);
    for (int i = 0; i < 150; i++) {
        for (std::size_t at = 24; at < large.size(); at++)
            large[at] = static_cast<std::byte>((noise = noise * 6364136223846793005U + 1) >> 56);
        large[offsetof(tf_header, type)] = std::byte{200};
        recording.writer.write(large);
        rival.writer.write(large);
    }
    recording.writer.finish();
    rival.writer.finish();
    // The first comes after half a megabyte, others in a distance of twenty times its size.
    auto spent = recording.file->bytes.size() - rival.file->bytes.size();
    EXPECT_GT(spent, 50'000U);
    EXPECT_LT(spent, rival.file->bytes.size() / 20 + 150'000);
}

} // namespace
} // namespace tcpflight::test

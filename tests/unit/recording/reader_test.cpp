#include "recording_test.h"

#include "recording/block.h"
#include "recording/byte_buffer.h"
#include "recording/plain_blocks.h"
#include "recording/summary.h"

#include <algorithm>
#include <random>
#include <set>

namespace tcpflight::test {
namespace {

using Step = RecordingReader::Step;

RecordingReader open(std::unique_ptr<InputFile> input)
{
    auto reader = RecordingReader::open(std::move(input), "x.tfr");
    EXPECT_TRUE(reader) << reader.error().message;
    return std::move(reader.value());
}

std::string refusal(Bytes bytes)
{
    auto reader = RecordingReader::open(input_of(std::move(bytes)), "x.tfr");
    return reader ? "" : reader.error().message;
}

TEST(Recording, ComesBackWithAllThatWasSaid)
{
    Recording recording;
    recording.write(1, 3);
    recording.writer.set_clock({.boot_ns = 2000, .wall_ns = 9000});
    recording.write(4, 5);
    ASSERT_TRUE(recording.writer.finish());

    auto reader = open(recording.input());
    const auto &start = reader.start();
    EXPECT_EQ(start.program, "tcpflight test");
    EXPECT_EQ(start.host, "host");
    EXPECT_EQ(start.kernel, "6.1 x86_64");
    EXPECT_EQ(start.boot_id, "boot");
    EXPECT_EQ(start.filter, "port 80");
    EXPECT_EQ(start.hooks, "tp_btf");
    EXPECT_EQ(start.recording_id[2], 3);
    EXPECT_EQ(start.file_number, 7U);
    EXPECT_EQ(start.clock.wall_ns, 5000);
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    EXPECT_EQ(reading.list,
              (List{"clock 5000", "entry start:0", "r 1@1", "r 2@2", "r 3@3", "clock 9000", "r 4@4", "r 5@5"}));
    EXPECT_EQ(reading.raw[0], RecordBuilder::state(1, 1, syn_sent, established).bytes());
    EXPECT_TRUE(reader.close(reading).value());
    EXPECT_EQ(reader.offset(), recording.file->bytes.size());
}

TEST(Recording, OfAPipeIsReadLikeAFile)
{
    Recording recording;
    recording.write(1, 20'000);
    recording.writer.finish();
    recording.file->seekable = false;
    auto reader = open(recording.input());
    EXPECT_TRUE(reader.seek(1'000'000'000));
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    EXPECT_EQ(reading.raw.size(), 20'000U);
}

TEST(Recording, TakesAndGivesLargeRecordsAndRefusesOthers)
{
    Recording recording;
    EXPECT_FALSE(recording.writer.write(Bytes(23)));
    EXPECT_FALSE(recording.writer.write(Bytes(65536)));
    Bytes large(65535, std::byte{0x11});
    for (int i = 0; i < 40; i++)
        EXPECT_TRUE(recording.writer.write(large));
    recording.writer.finish();
    auto reader = open(recording.input());
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    ASSERT_EQ(reading.raw.size(), 40U);
    EXPECT_EQ(reading.raw[39], large);
}

TEST(Recording, KeepsWhatIsKnownOfConnections)
{
    Recording recording; // its first entry point is empty
    auto &source = recording.known_source;
    source.gaps = {.told = {{.cpu = 3, .reason = 1, .total = 9}}, .count = 4, .until_ns = 77};
    source.cgroups = {{.key = {.id = 5, .hierarchy = 8}, .path = "/docker"},
                      {.key = {.id = 1, .hierarchy = 0}, .path = "/"}};
    for (std::uint64_t i = 1; i <= 10'000; i++) {
        auto connection = known(i);
        connection.changed_ns = i * 1000;
        connection.last_seen_ns = i * 2000;
        connection.gaps_seen = 3;
        connection.state = TcpState::FinWait2;
        connection.entry_seen = i % 2 == 0;
        connection.opened_here = i % 3 == 0;
        connection.identity_known = i % 5 == 0;
        connection.incomplete = i % 7 == 0;
        connection.last_seq = 0xfffffff0;
        connection.attempt = 12;
        connection.timeouts_seen = 5;
        connection.overflows = 77;
        auto &identity = connection.identity;
        identity.local.address.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        identity.remote.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 13, 14, 15, 16};
        identity.remote.port = 443;
        identity.netns = 4026531840;
        identity.uid = 33;
        identity.cgroup = 123456789;
        identity.owner.pid = 5;
        identity.owner.tid = 6;
        identity.owner.source = OwnerSource::Listen;
        identity.owner.comm = {'n', 'g', 'i', 'n', 'x'};
        identity.owner.inner_pid = i % 2 == 0 ? 7 : 0;
        identity.owner.cgroup = {.id = i % 3, .hierarchy = 8};
        source.connections.push_back(connection);
    }
    Recording second; // whose first entry point has them
    auto file = std::make_shared<MemoryFile>();
    RecordingWriter writer(std::make_unique<MemoryOutput>(file), Recording::settings(0), source);
    writer.finish();
    auto reader = open(std::make_unique<MemoryInput>(file));
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    ASSERT_EQ(reading.entries.size(), 1U);
    const auto &entry = reading.entries[0];
    EXPECT_EQ(entry.gaps.count, 4U);
    EXPECT_EQ(entry.gaps.until_ns, 77U);
    ASSERT_EQ(entry.gaps.told.size(), 1U);
    EXPECT_EQ(entry.gaps.told[0].cpu, 3U);
    EXPECT_EQ(entry.gaps.told[0].reason, 1U);
    EXPECT_EQ(entry.gaps.told[0].total, 9U);
    ASSERT_EQ(entry.cgroups.size(), 2U);
    EXPECT_EQ(entry.cgroups[0].key, (CgroupKey{.id = 5, .hierarchy = 8}));
    EXPECT_EQ(entry.cgroups[0].path, "/docker");
    EXPECT_EQ(entry.cgroups[1].path, "/");
    ASSERT_EQ(entry.connections.size(), source.connections.size());
    for (std::size_t i = 0; i < entry.connections.size(); i++) {
        const auto &out = entry.connections[i];
        const auto &in = source.connections[i];
        ASSERT_EQ(out.cookie, in.cookie);
        ASSERT_EQ(out.changed_ns, in.changed_ns);
        ASSERT_EQ(out.last_seen_ns, in.last_seen_ns);
        ASSERT_EQ(out.gaps_seen, in.gaps_seen);
        ASSERT_EQ(out.state, in.state);
        ASSERT_EQ(out.entry_seen, in.entry_seen);
        ASSERT_EQ(out.opened_here, in.opened_here);
        ASSERT_EQ(out.identity_known, in.identity_known);
        ASSERT_EQ(out.incomplete, in.incomplete);
        ASSERT_EQ(out.last_seq, in.last_seq);
        ASSERT_EQ(out.attempt, in.attempt);
        ASSERT_EQ(out.timeouts_seen, in.timeouts_seen);
        ASSERT_EQ(out.overflows, in.overflows);
        ASSERT_EQ(out.identity.local, in.identity.local);
        ASSERT_EQ(out.identity.remote, in.identity.remote);
        ASSERT_EQ(out.identity.family, in.identity.family);
        ASSERT_EQ(out.identity.netns, in.identity.netns);
        ASSERT_EQ(out.identity.uid, in.identity.uid);
        ASSERT_EQ(out.identity.cgroup, in.identity.cgroup);
        ASSERT_EQ(out.identity.owner.pid, in.identity.owner.pid);
        ASSERT_EQ(out.identity.owner.tid, in.identity.owner.tid);
        ASSERT_EQ(out.identity.owner.source, in.identity.owner.source);
        ASSERT_EQ(out.identity.owner.comm, in.identity.owner.comm);
        ASSERT_EQ(out.identity.owner.inner_pid, in.identity.owner.inner_pid);
        ASSERT_EQ(out.identity.owner.cgroup, in.identity.owner.cgroup);
    }
}

TEST(Recording, IsReadWhileItIsWritten)
{
    Recording recording;
    auto reader = open(recording.input());
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Edge);
    for (std::uint64_t i = 1; i <= 5; i++) {
        recording.write(i, i);
        EXPECT_EQ(reading.read_all(reader), Step::Edge);
        EXPECT_EQ(reading.raw.size(), i - 1); // not flushed
        recording.writer.flush();
        EXPECT_EQ(reading.read_all(reader), Step::Edge);
        EXPECT_EQ(reading.raw.size(), i);
    }
    recording.writer.finish();
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    EXPECT_TRUE(reading.damages.empty());
}

// Its writer has written a part of a block, cut it off as the disk was full, and written another in its place.
TEST(Recording, IsFollowedOverAPlaceThatWasWrittenAnew)
{
    Recording recording;
    recording.write(1, 1);
    recording.writer.flush();
    auto &bytes = recording.file->bytes;
    auto whole = bytes.size();
    auto reader = open(recording.input());
    Reading reading;
    BlockHeader header{.count = 5, .first_record = 1};
    ByteBuffer block;
    BlockPacker().pack(header, std::as_bytes(std::span("something else")), block);
    bytes.insert(bytes.end(), block.bytes().begin(), block.bytes().end() - 1);
    EXPECT_EQ(reading.read_all(reader), Step::Edge);
    bytes.resize(whole);
    recording.write(2, 2);
    recording.writer.finish();
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    EXPECT_EQ(reading.raw.size(), 2U);
    EXPECT_TRUE(reading.damages.empty());
}

TEST(Recording, StopsWhereTheConsumerHasEnough)
{
    Recording recording;
    recording.write(1, 10);
    recording.writer.finish();
    auto reader = open(recording.input());
    Reading reading;
    reading.limit = 4;
    EXPECT_EQ(reading.read_all(reader), Step::Stopped);
    EXPECT_EQ(reading.raw.size(), 4U);
    EXPECT_EQ(reading.read_all(reader), Step::Stopped);
}

TEST(Recording, ThatIsNoneIsRefusedWithOneSentence)
{
    EXPECT_EQ(refusal({}), "'x.tfr' is not a tcpflight recording: it is empty");
    EXPECT_EQ(refusal(Bytes(10)), "'x.tfr' is not a tcpflight recording: it is too short");
    EXPECT_EQ(refusal(Bytes(5000, std::byte{'a'})), "'x.tfr' is not a tcpflight recording: it begins otherwise");

    auto with_header = [](FileHeader header) {
        auto bytes = std::as_bytes(std::span(&header, 1));
        return refusal({bytes.begin(), bytes.end()});
    };
    auto swapped = make_file_header();
    swapped.byte_order = 0xfffe;
    EXPECT_EQ(with_header(swapped), "'x.tfr' was recorded on a host of the other byte order, which is not supported");
}

struct Session {
    Bytes bytes;
    std::vector<Bytes> records;
    std::set<std::size_t> edges; // where a block ends
};

// Small, with every kind of block.
Session small_session()
{
    Recording recording;
    recording.known_source.connections = {known(1), known(2)};
    Session out;
    auto edge = [&] { out.edges.insert(recording.file->bytes.size()); };
    edge();
    for (std::uint64_t i = 0; i < 5; i++) {
        recording.write(10 * i + 1, 10 * i + 10);
        if (i == 2)
            recording.writer.set_clock({.boot_ns = i, .wall_ns = 4});
        recording.writer.flush();
        edge();
    }
    recording.writer.finish();
    edge();
    out.bytes = recording.file->bytes;
    for (std::uint64_t i = 1; i <= 50; i++)
        out.records.push_back(RecordBuilder::state(i, i, syn_sent, established).bytes());
    return out;
}

// Those of the file among what was read.
std::vector<Bytes> without_losses(const std::vector<Bytes> &records)
{
    std::vector<Bytes> out;
    std::ranges::copy_if(records, std::back_inserter(out), [](const Bytes &record) {
        return record[offsetof(tf_header, type)] != std::byte{TF_RECORD_LOST};
    });
    return out;
}

// In the same order, with some left out.
bool is_part_of(const std::vector<Bytes> &some, const std::vector<Bytes> &all)
{
    auto at = all.begin();
    return std::ranges::all_of(some, [&](const Bytes &record) {
        at = std::find(at, all.end(), record);
        return at != all.end() && at++ != all.end();
    });
}

TEST(Damage, ACutAnywhereCostsNoWholeBlockBeforeIt)
{
    auto session = small_session();
    for (std::size_t size = sizeof(FileHeader); size <= session.bytes.size(); size++) {
        SCOPED_TRACE(size);
        Bytes cut(session.bytes.begin(), session.bytes.begin() + static_cast<std::ptrdiff_t>(size));
        auto reader = open(input_of(cut));
        Reading reading;
        auto step = reading.read_all(reader);
        ASSERT_EQ(step, size == session.bytes.size() ? Step::Finished : Step::Edge);
        ASSERT_TRUE(reading.damages.empty());
        auto in_blocks = reading.raw;
        auto whole = reader.close(reading);
        ASSERT_TRUE(whole);
        ASSERT_EQ(*whole, reading.damages.empty());
        ASSERT_EQ(without_losses(reading.raw), in_blocks);
        ASSERT_TRUE(std::equal(in_blocks.begin(), in_blocks.end(), session.records.begin()));
        // Five flushes: all that lie before the cut.
        auto flushed = std::distance(session.edges.begin(), session.edges.upper_bound(size));
        ASSERT_GE(in_blocks.size(), 10 * static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(flushed - 1, 0, 5)));
        if (session.edges.contains(size)) {
            ASSERT_TRUE(*whole);
        }
    }
}

TEST(Damage, OfAnyByteCostsItsBlockAndIsTold)
{
    auto session = small_session();
    for (std::size_t at = 0; at < session.bytes.size(); at++) {
        SCOPED_TRACE(at);
        auto bytes = session.bytes;
        bytes[at] ^= std::byte{0x40};
        auto reader = open(input_of(bytes));
        Reading reading;
        reading.read_all(reader);
        ASSERT_FALSE(reader.close(reading).value());
        ASSERT_EQ(reading.damages.size(), 1U);
        const auto &damage = reading.damages[0];
        ASSERT_LE(damage.offset, at);
        ASSERT_GT(damage.offset + damage.size, at);
        auto records = without_losses(reading.raw);
        ASSERT_GE(records.size(), 40U);
        ASSERT_TRUE(is_part_of(records, session.records));
        if (damage.records) {
            ASSERT_EQ(*damage.records, 50 - records.size());
        }
        auto losses = reading.raw.size() - records.size();
        ASSERT_EQ(losses, damage.records == 0U ? 0U : 1U);
        ASSERT_EQ(reader.damaged(), damage.records.value_or(1));
    }
}

// Neither the file's header nor what was said first is there.
TEST(Damage, OfTheBeginCostsNoBlockBehindIt)
{
    auto session = small_session();
    const auto second_flush = *std::next(session.edges.begin(), 2);
    for (std::size_t at = 1; at < second_flush; at++) {
        SCOPED_TRACE(at);
        const Bytes rest(session.bytes.begin() + static_cast<std::ptrdiff_t>(at), session.bytes.end());
        auto zeroed = session.bytes;
        std::fill_n(zeroed.begin(), at + 1, std::byte{});
        for (const auto &bytes : {rest, zeroed}) {
            auto reader = open(input_of(bytes));
            EXPECT_EQ(reader.start().is_known(), at < sizeof(FileHeader) + (bytes.size() == rest.size() ? 1 : 0));
            Reading reading;
            EXPECT_EQ(reading.read_all(reader), Step::Finished);
            EXPECT_FALSE(reader.close(reading).value());
            ASSERT_EQ(reading.damages.size(), 1U);
            const auto records = without_losses(reading.raw);
            ASSERT_GE(records.size(), 30U);
            ASSERT_TRUE(std::equal(records.rbegin(), records.rend(), session.records.rbegin()));
            EXPECT_EQ(reading.damages[0].records, 50 - records.size());
        }
    }
}

// An entry point tells by which clock to read what comes before it too.
TEST(Damage, OfTheBeginLeavesTheClockKnown)
{
    Recording recording;
    recording.write(1, 10);
    ASSERT_TRUE(recording.writer.finish());
    auto bytes = recording.file->bytes;
    std::fill_n(bytes.begin(), sizeof(FileHeader) + sizeof(BlockHeader), std::byte{'x'});
    auto reader = open(input_of(bytes));
    EXPECT_FALSE(reader.start().is_known());
    EXPECT_EQ(reader.start().clock.boot_ns, 1000U);
    EXPECT_EQ(reader.start().clock.wall_ns, 5000);
    Reading reading;
    reading.read_all(reader);
    ASSERT_FALSE(reading.list.empty());
    EXPECT_EQ(reading.list.front(), "clock 5000");
    EXPECT_EQ(without_losses(reading.raw).size(), 10U);
}

TEST(Damage, APieceThatIsMissingCostsTheBlocksItTouches)
{
    auto session = small_session();
    for (std::size_t at = sizeof(FileHeader); at + 100 < session.bytes.size(); at += 7) {
        SCOPED_TRACE(at);
        auto bytes = session.bytes;
        auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        bytes.erase(begin, begin + 100);
        auto reader = open(input_of(bytes));
        Reading reading;
        reading.read_all(reader);
        ASSERT_TRUE(reader.close(reading));
        ASSERT_LE(reading.damages.size(), 2U);
        auto records = without_losses(reading.raw);
        ASSERT_GE(records.size(), 30U);
        ASSERT_TRUE(is_part_of(records, session.records));
        if (records.size() < 50) {
            ASSERT_GT(reader.damaged(), 0U);
        }
    }
}

TEST(Damage, IsHealedByTheNextEntryPoint)
{
    Recording recording;
    recording.write(1, 10);
    recording.writer.flush();
    auto at = recording.file->bytes.size() - 1;
    recording.known_source.connections = {known(1), known(2), known(3)};
    std::uint64_t next = 11;
    while (recording.file->bytes.size() < (std::size_t{1} << 20) + 20'000) {
        for (int i = 0; i < 100; i++, next++)
            recording.writer.write(RecordBuilder::retransmit(next * next * next, next * next, 1,
                                                             static_cast<std::uint32_t>(next * 2654435761U), 1, 2)
                                       .bytes());
        recording.writer.flush();
    }
    recording.writer.finish();
    recording.file->bytes[at] ^= std::byte{1};
    auto reader = open(recording.input());
    Reading reading;
    EXPECT_EQ(reading.read_all(reader), Step::Finished);
    ASSERT_EQ(reading.entries.size(), 2U);
    EXPECT_EQ(reading.entries[1].why, EntryPoint::Why::Healing);
    EXPECT_EQ(reading.entries[1].connections.size(), 3U);
    EXPECT_EQ(reading.list[2], "damage a checksum is wrong");
    EXPECT_EQ(reading.list[3], "lost 10 of 3");
    EXPECT_EQ(reading.damages[0].records, 10U);
}

TEST(Damage, GoesOnCountingFromTheFilesBefore)
{
    auto session = small_session();
    auto middle = std::next(session.edges.begin(), 2);
    session.bytes[*middle - 1] ^= std::byte{1};
    auto reader = RecordingReader::open(input_of(session.bytes), "x.tfr", 100).value();
    Reading reading;
    reading.read_all(reader);
    EXPECT_EQ(reader.damaged(), 110U);
    EXPECT_TRUE(std::ranges::count(reading.list, "lost 110 of 3"));
}

// A minute each: 10 records in it, flushed one by one; entry points come where `large` records make the file grow.
std::shared_ptr<MemoryFile> file_of_an_hour(bool finished)
{
    Recording recording;
    recording.known_source.connections = {known(5)};
    std::mt19937_64 random(3);
    for (std::uint64_t second = 1; second <= 600; second++) {
        Bytes noise(20'000);
        std::ranges::generate(noise, [&] { return static_cast<std::byte>(random()); });
        auto header = RecordBuilder::state(second, second * 1'000'000, 1, 4).bytes();
        std::ranges::copy(header, noise.begin());
        noise[offsetof(tf_header, type)] = std::byte{200};
        recording.writer.write(noise);
        recording.writer.flush();
    }
    if (finished)
        recording.writer.finish();
    return recording.file;
}

TEST(Seek, BeginsShortlyBeforeTheMoment)
{
    for (bool finished : {true, false}) {
        auto file = file_of_an_hour(finished);
        auto wall_of = [](std::uint64_t second) {
            return static_cast<std::int64_t>(second * 1'000'000'000 - 1000 + 5000);
        };
        for (std::uint64_t second : {1U, 2U, 100U, 101U, 333U, 599U, 600U, 5000U}) {
            SCOPED_TRACE(second);
            auto reader = open(std::make_unique<MemoryInput>(file));
            ASSERT_TRUE(reader.seek(wall_of(second)));
            Reading reading;
            reading.read_all(reader);
            ASSERT_FALSE(reading.raw.empty());
            tf_header header{};
            std::memcpy(&header, reading.raw[0].data(), sizeof(header));
            auto first = header.time_ns / 1'000'000'000;
            ASSERT_LE(first, second);
            ASSERT_LE(std::min<std::uint64_t>(second, 600) - first, 35U); // half a megabyte is 27 of them
            ASSERT_EQ(reading.raw.size(), 600 - first + 1);
            ASSERT_EQ(reading.list[0], "clock 5000");
            ASSERT_EQ(reading.list[1], first == 1 ? "entry start:0" : "entry sought:1");
            ASSERT_TRUE(reading.damages.empty());
        }
    }
}

TEST(Seek, DoesWithoutAnIndexThatIsDamaged)
{
    auto file = file_of_an_hour(true);
    file->bytes.back() ^= std::byte{1};
    auto reader = open(std::make_unique<MemoryInput>(file));
    ASSERT_TRUE(reader.seek(500'000'000'000));
    Reading reading;
    reading.read_all(reader);
    EXPECT_LE(reading.raw.size(), 161U);
    EXPECT_GE(reading.raw.size(), 100U);
}

TEST(Seek, WhereTheClockWasSetBackBeginsAtTheFirstOccurrence)
{
    auto file = std::make_shared<MemoryFile>();
    FakeKnown source;
    RecordingWriter writer(std::make_unique<MemoryOutput>(file), Recording::settings(0), source);
    std::mt19937_64 random(3);
    for (std::uint64_t second = 1; second <= 300; second++) {
        Bytes noise(20'000);
        std::ranges::generate(noise, [&] { return static_cast<std::byte>(random()); });
        auto header = RecordBuilder::state(second, second * 1'000'000, 1, 4).bytes();
        std::ranges::copy(header, noise.begin());
        noise[offsetof(tf_header, type)] = std::byte{200};
        if (second == 200) // 150 seconds back
            writer.set_clock({.boot_ns = 200'000'000'000, .wall_ns = 50'000'000'000});
        writer.write(noise);
        writer.flush();
    }
    writer.finish();
    auto reader = open(std::make_unique<MemoryInput>(file));
    ASSERT_TRUE(reader.seek(130'000'000'000)); // occurs at 130 and at 280 seconds
    Reading reading;
    reading.read_all(reader);
    EXPECT_GE(reading.raw.size(), 170U);
    EXPECT_LT(reading.raw.size(), 300U);
}

TEST(Summary, TellsWhatIsInIt)
{
    Recording recording;
    recording.write(1, 100);
    recording.writer.write(RecordBuilder::retransmit(7, 200, 1, 1, 2, 3).bytes());
    recording.writer.write(RecordBuilder::lost(150, 9, 1).bytes());
    recording.writer.finish();
    auto summary = summarize(recording.input(), "x.tfr").value();
    EXPECT_EQ(summary.start.host, "host");
    EXPECT_EQ(summary.connections, 100U);
    EXPECT_EQ(summary.by_type[TF_RECORD_STATE], 100U);
    EXPECT_EQ(summary.by_type[TF_RECORD_RETRANSMIT], 1U);
    EXPECT_EQ(summary.lost[TF_LOSS_RING_FULL], 9U);
    EXPECT_EQ(summary.first_ns, 1'000U);
    EXPECT_EQ(summary.last_ns, 200'000U);
    EXPECT_EQ(summary.bytes, recording.file->bytes.size());
    EXPECT_TRUE(summary.finished);
    EXPECT_TRUE(summary.is_whole());
}

// Cookies close together, as a CPU hands them out, and far apart, as a filter leaves them.
TEST(Summary, CountsEachConnectionOnce)
{
    Recording recording;
    constexpr std::uint64_t close_together = 5000;
    constexpr std::uint64_t far_apart = 3000;
    std::uint64_t time_us = 0;
    for (int round = 0; round < 3; round++) {
        for (std::uint64_t i = 0; i < close_together; i++)
            recording.writer.write(RecordBuilder::state(1 + i, ++time_us, 1, 4).bytes());
        for (std::uint64_t i = 1; i <= far_apart; i++)
            recording.writer.write(RecordBuilder::state(i << 40 | i, ++time_us, 1, 4).bytes());
    }
    recording.writer.finish();
    EXPECT_EQ(summarize(recording.input(), "x.tfr").value().connections, close_together + far_apart);
}

} // namespace
} // namespace tcpflight::test

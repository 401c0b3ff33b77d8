#include "recording/record_block.h"

#include "decode/decode.h"
#include "recording/numbers.h"
#include "support/record_builder.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace tcpflight::test {
namespace {

using Record = std::vector<std::byte>;

std::vector<Record> round_trip(const std::vector<Record> &records)
{
    RecordPacker packer;
    for (const auto &record : records)
        EXPECT_TRUE(packer.add(record));
    ByteBuffer payload;
    packer.pack(payload);
    auto size = payload.size();
    std::memset(payload.extend(8), 0xff, 8); // readable behind it, and of no meaning
    RecordUnpacker unpacker;
    EXPECT_TRUE(unpacker.unpack(payload.bytes().first(size), records.size()));
    EXPECT_EQ(unpacker.unknown(), 0U);
    std::vector<Record> out;
    for (std::size_t i = 0; i < unpacker.count(); i++)
        out.emplace_back(unpacker.record(i).begin(), unpacker.record(i).end());
    return out;
}

TEST(Numbers, OfAnySizeComeBack)
{
    std::vector<std::uint64_t> values{0, 1, 255, 256, 0xffff, 0x10000, std::numeric_limits<std::uint64_t>::max(), 0, 7};
    for (unsigned shift = 0; shift < 64; shift++)
        values.push_back(std::uint64_t{1} << shift);
    for (std::size_t count = 0; count <= values.size(); count++) {
        ByteBuffer bytes;
        put_numbers(bytes, count, [&](std::size_t i) { return values[i]; });
        auto size = bytes.size();
        std::memset(bytes.extend(8), 0xff, 8);
        auto in = bytes.bytes().first(size);
        auto numbers = Numbers::take(in, count);
        ASSERT_TRUE(numbers);
        EXPECT_TRUE(in.empty());
        numbers->for_each([&](std::size_t i, std::uint64_t value) { EXPECT_EQ(value, values[i]); });
        for (std::size_t cut = 0; cut < size; cut++) {
            auto shorter = bytes.bytes().first(cut);
            EXPECT_FALSE(Numbers::take(shorter, count));
        }
    }
}

TEST(Numbers, OfNineBytesDoNotExist)
{
    std::vector<std::byte> bytes(32, std::byte{0x09});
    std::span<const std::byte> in(bytes);
    EXPECT_FALSE(Numbers::take(in, 1));
}

TEST(Numbers, ZigzagKeepsSmallDifferencesSmall)
{
    EXPECT_EQ(zigzag(0), 0U);
    EXPECT_EQ(zigzag(std::uint64_t{0} - 1), 1U);
    EXPECT_EQ(zigzag(1), 2U);
    for (auto value : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{0} - 5, std::uint64_t{1} << 63})
        EXPECT_EQ(unzigzag(zigzag(value)), value);
}

// A record of every kind and with every block, with bytes that no predictor could know.
TEST(RecordBlock, EveryRecordComesBackByteForByte)
{
    std::mt19937 random(1);
    std::vector<Record> records;
    for (int type = 0; type < 256; type++) {
        for (int flags = 0; flags < 256; flags += type <= 16 ? 1 : 51) {
            tf_header header{};
            header.type = static_cast<std::uint8_t>(type);
            header.flags = static_cast<std::uint8_t>(flags);
            auto size = encoded_size(header);
            Record record(size != 0 ? size : sizeof(header) + random() % 100);
            for (auto &byte : record)
                byte = static_cast<std::byte>(random());
            record[offsetof(tf_header, type)] = static_cast<std::byte>(type);
            record[offsetof(tf_header, flags)] = static_cast<std::byte>(flags);
            records.push_back(record);
        }
    }
    EXPECT_EQ(round_trip(records), records);
}

// What decode calls a whole record must be what the table of parts says, or all records of that kind are stored raw.
TEST(Parts, AreThoseThatDecodeKnows)
{
    int known = 0;
    for (int type = 0; type < 256; type++) {
        for (int flags = 0; flags < 256; flags++) {
            tf_header header{};
            header.type = static_cast<std::uint8_t>(type);
            header.flags = static_cast<std::uint8_t>(flags);
            auto expected = encoded_size(header);
            if (expected == 0)
                continue;
            std::size_t size = sizeof(tf_header);
            for (const auto &part : record_parts)
                size += part.is_in(header.type, header.flags) ? std::size_t{part.size} : 0;
            ASSERT_EQ(size, expected) << "type " << type << " flags " << flags << ": add it to recording/parts.h";
            known++;
        }
    }
    EXPECT_GE(known, 3 * 256);
}

TEST(RecordBlock, RecordsOfTheWrongSizeAreKeptAsTheyAre)
{
    auto good = RecordBuilder::state(1, 10, 1, 4).bytes();
    auto longer = good;
    longer.resize(good.size() + 5, std::byte{0x42});
    auto identity = RecordBuilder::state(2, 11, 1, 4).identity(1, 2).bytes();
    auto shorter = identity;
    shorter.resize(identity.size() - 1);
    std::vector<Record> records{longer, good, shorter, identity, good};
    EXPECT_EQ(round_trip(records), records);
}

// At each width of an index, and with a last byte that is half full.
TEST(RecordBlock, DictionariesOfAnyLengthComeBack)
{
    for (std::uint64_t values : {1U, 2U, 16U, 17U, 256U, 257U, 3001U}) {
        std::vector<Record> records;
        for (std::uint64_t i = 0; i < 3001; i++) {
            auto record = RecordBuilder::state(1, i, 1, 4).bytes();
            auto error = static_cast<std::uint16_t>(i * i % values);
            std::memcpy(record.data() + offsetof(tf_header, error), &error, sizeof(error));
            records.push_back(record);
        }
        EXPECT_EQ(round_trip(records), records) << values;
    }
}

// What versions up to now have written: indexes as numbers.
TEST(RecordBlock, ReadsDictionariesThatAreNotPacked)
{
    std::vector<std::uint32_t> structs(3);
    Places places;
    for (std::size_t i = 0; i < structs.size(); i++)
        places.add(i * sizeof(std::uint32_t), 0);
    ByteBuffer bytes;
    bytes.put(std::uint32_t{2});
    bytes.put(std::uint32_t{4711});
    bytes.put(std::uint32_t{42});
    constexpr std::array<std::uint64_t, 3> indexes{1, 0, 1};
    put_numbers(bytes, indexes.size(), [&](std::size_t i) { return indexes.at(i); });
    auto size = bytes.size();
    std::memset(bytes.extend(8), 0, 8);
    std::uint64_t unknown = 0;
    auto fill = [&](std::size_t bytes_of_column) {
        Column column{.entry = {.coding = Coding::Dictionary, .width = sizeof(std::uint32_t)},
                      .bytes = bytes.bytes().first(bytes_of_column)};
        return fill_column(column, sizeof(std::uint32_t), reinterpret_cast<std::byte *>(structs.data()), places,
                           unknown);
    };
    EXPECT_TRUE(fill(size));
    EXPECT_EQ(structs, (std::vector<std::uint32_t>{42, 4711, 42}));
    EXPECT_FALSE(fill(size - 1));
    EXPECT_EQ(unknown, 0U);
}

TEST(RecordBlock, NeedsNoColumnForWhatIsZero)
{
    auto size_with = [](std::uint16_t port) {
        RecordPacker packer;
        for (std::uint64_t i = 0; i < 100; i++)
            packer.add(RecordBuilder::state(1, i, 1, 4).local_port(i == 99 ? port : std::uint16_t{0}).bytes());
        ByteBuffer payload;
        packer.pack(payload);
        return payload.size();
    };
    // The entry, the lengths, and one number.
    EXPECT_EQ(size_with(1), size_with(0) + sizeof(ColumnEntry) + 50 + 1);
}

TEST(RecordBlock, ConnectionsComeBackInAnyOrder)
{
    std::mt19937_64 random(2);
    std::vector<std::uint64_t> cookies(100);
    for (auto &cookie : cookies)
        cookie = random() % 3 == 0 ? random() : random() % 1000;
    std::vector<Record> records;
    for (std::uint64_t i = 0; i < 5000; i++) {
        auto port = static_cast<std::uint16_t>(random());
        records.push_back(RecordBuilder::state(cookies[random() % cookies.size()], random() % 5 == 0 ? 0 : i, 1, 4)
                              .local_port(port)
                              .bytes());
    }
    EXPECT_EQ(round_trip(records), records);
}

TEST(RecordBlock, IsFullAtItsLimits)
{
    RecordPacker packer;
    auto record = RecordBuilder::state(1, 10, 1, 4).bytes();
    int count = 0;
    while (packer.add(record))
        count++;
    EXPECT_EQ(count, 8192);
    EXPECT_EQ(packer.count(), 8192U);
    ByteBuffer out;
    packer.pack(out);
    EXPECT_EQ(packer.count(), 0U);
    Record large(RecordPacker::max_record_size);
    count = 0;
    while (packer.add(large))
        count++;
    EXPECT_EQ(count, 16); // a megabyte
}

TEST(RecordBlock, KnowsItsTimes)
{
    RecordPacker packer;
    for (std::uint64_t time_us : {20U, 10U, 30U, 25U})
        packer.add(RecordBuilder::state(1, time_us, 1, 4).bytes());
    EXPECT_EQ(packer.first_ns(), 10'000U);
    EXPECT_EQ(packer.last_ns(), 30'000U);
}

TEST(RecordBlock, LeavesOutWhatOnlyNewerVersionsKnow)
{
    RecordPacker packer;
    packer.add(RecordBuilder::state(1, 10, 1, 4).identity(1, 2).bytes());
    packer.add(RecordBuilder::state(2, 11, 1, 4).bytes());
    ByteBuffer payload;
    packer.pack(payload);
    // The identity becomes a part that is not known: in the column entries and in the shapes.
    constexpr std::uint8_t future = 30;
    auto size = payload.size();
    std::uint32_t columns = 0;
    std::memcpy(&columns, payload.data(), sizeof(columns));
    auto *body = payload.data() + sizeof(columns) + columns * sizeof(ColumnEntry);
    for (std::uint32_t i = 0; i < columns; i++) {
        ColumnEntry entry;
        auto *at = payload.data() + sizeof(columns) + i * sizeof(entry);
        std::memcpy(&entry, at, sizeof(entry));
        if (entry.part == part::shape) {
            Shape shape;
            std::memcpy(&shape, body + sizeof(std::uint32_t), sizeof(shape));
            shape.parts = std::uint32_t{1} << future;
            std::memcpy(body + sizeof(std::uint32_t), &shape, sizeof(shape));
        }
        if (entry.part == part::identity)
            entry.part = future;
        std::memcpy(at, &entry, sizeof(entry));
    }
    std::memset(payload.extend(8), 0, 8);
    RecordUnpacker unpacker;
    ASSERT_TRUE(unpacker.unpack(payload.bytes().first(size), 2));
    EXPECT_TRUE(unpacker.record(0).empty());
    auto second = RecordBuilder::state(2, 11, 1, 4).bytes();
    EXPECT_TRUE(std::ranges::equal(unpacker.record(1), second));
    EXPECT_EQ(unpacker.unknown(), 1U + identity_fields.size());
}

// Under the sanitizers: whatever stands in a payload, nothing is read or written outside.
TEST(RecordBlock, SurvivesEveryChangeOfAByte)
{
    RecordPacker packer;
    packer.add(RecordBuilder::state(1, 10, 1, 4).identity(1, 2).bytes());
    packer.add(RecordBuilder::retransmit(2, 11, 1, 1, 2, 0x10).bytes());
    packer.add(RecordBuilder::lost(12, 1, 0).bytes());
    packer.add(Record(77, std::byte{0xee}));
    ByteBuffer payload;
    packer.pack(payload);
    auto size = payload.size();
    std::memset(payload.extend(8), 0, 8);
    RecordUnpacker unpacker;
    std::size_t sound = 0;
    for (std::size_t at = 0; at < size; at++) {
        auto before = payload.data()[at];
        for (int value = 0; value < 256; value++) {
            payload.data()[at] = static_cast<std::byte>(value);
            sound += unpacker.unpack(payload.bytes().first(size), 4) ? 1U : 0U;
        }
        payload.data()[at] = before;
        unpacker.unpack(payload.bytes().first(at), 4);
    }
    EXPECT_GT(sound, 0U);
    EXPECT_LT(sound, 256 * size);
}

} // namespace
} // namespace tcpflight::test

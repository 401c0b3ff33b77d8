// Any bytes as a recording: read, sought in, summarized. The checksums of the blocks are put right first, so that the
// fuzzer gets behind them.
#include "recording/block.h"
#include "recording/merged_file.h"
#include "recording/reader.h"
#include "recording/summary.h"
#include "support/memory_disk.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tcpflight::test {
namespace {

struct Ignore : RecordingConsumer {
    bool record(std::span<const std::byte> bytes) override
    {
        for (auto byte : bytes)
            sum += std::to_integer<unsigned>(byte);
        return true;
    }
    void clock(const ClockAnchor & /*anchor*/) override {}
    void entry_point(const EntryPoint &entry) override { sum += entry.connections.size(); }
    void damage(const Damage &damage) override { sum += damage.size; }
    std::uint64_t sum = 0;
};

void read_all(const Bytes &bytes, std::optional<std::int64_t> from)
{
    auto reader = RecordingReader::open(input_of(bytes), "x");
    if (!reader || (from && !reader->seek(*from)))
        return;
    Ignore consumer;
    for (;;) {
        auto step = reader->read(consumer);
        if (!step || *step != RecordingReader::Step::More)
            break;
    }
    [[maybe_unused]] auto whole = reader->close(consumer);
}

void read_merged(const Bytes &bytes)
{
    auto merged = MergedFile::open(input_of(bytes), "x");
    if (!merged || !*merged)
        return;
    for (std::size_t source = 0; source < (*merged)->sources(); source++) {
        auto input = MergedFile::source(*merged, source);
        Bytes part(std::min<std::uint64_t>(input->size(), bytes.size()));
        [[maybe_unused]] auto count = input->read_at(0, part);
    }
}

void cut_to_pieces(const Bytes &bytes)
{
    Pieces pieces(input_of(bytes));
    std::size_t size = 0;
    for (auto piece = pieces.next(); piece && *piece; piece = pieces.next())
        size += (*piece)->bytes.size();
    if (size != bytes.size())
        std::abort(); // something is missing, or twice there
}

// As a writer would have made it.
void put_checks_right(Bytes &bytes)
{
    if (bytes.size() < sizeof(FileHeader))
        return;
    auto header = make_file_header();
    std::memcpy(bytes.data(), &header, sizeof(header));
    for (std::size_t at = sizeof(header); at + sizeof(BlockHeader) <= bytes.size();) {
        BlockHeader block;
        std::memcpy(&block, bytes.data() + at, sizeof(block));
        auto payload = std::span(bytes).subspan(at + sizeof(block));
        block.mark = BlockHeader::block_mark;
        payload = payload.first(std::min<std::size_t>(payload.size(), block.size));
        block.payload_check = XXH3_64bits(payload.data(), payload.size());
        block.header_check = XXH3_64bits(&block, offsetof(BlockHeader, header_check));
        std::memcpy(bytes.data() + at, &block, sizeof(block));
        at += sizeof(block) + payload.size();
    }
}

// The same of what merge would have made.
void put_chunks_right(Bytes &bytes)
{
    if (bytes.size() < sizeof(FileHeader))
        return;
    FileHeader header;
    header.magic = merged_magic;
    header.check = static_cast<std::uint32_t>(XXH3_64bits(&header, offsetof(FileHeader, check)));
    std::memcpy(bytes.data(), &header, sizeof(header));
    for (std::size_t at = sizeof(header); at + sizeof(ChunkHeader) <= bytes.size();) {
        ChunkHeader chunk;
        std::memcpy(&chunk, bytes.data() + at, sizeof(chunk));
        chunk.mark = ChunkHeader::chunk_mark;
        chunk.check = XXH3_64bits(&chunk, offsetof(ChunkHeader, check));
        std::memcpy(bytes.data() + at, &chunk, sizeof(chunk));
        at += sizeof(chunk) + chunk.size;
    }
}

} // namespace
} // namespace tcpflight::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace tcpflight::test;
    const auto *begin = reinterpret_cast<const std::byte *>(data);
    Bytes bytes(begin, begin + size);
    read_all(bytes, {});
    put_checks_right(bytes);
    read_all(bytes, {});
    read_all(bytes, 5'000'000'000);
    cut_to_pieces(bytes);
    read_merged(bytes);
    put_chunks_right(bytes);
    read_merged(bytes);
    [[maybe_unused]] auto summary = tcpflight::summarize(input_of(bytes), "x");
    return 0;
}

// Any bytes as a recording: read, sought in, summarized. The checksums of the blocks are put right first, so that the
// fuzzer gets behind them.
#include "recording/block.h"
#include "recording/reader.h"
#include "recording/summary.h"
#include "support/memory_disk.h"

#include <xxhash.h>

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
    [[maybe_unused]] auto summary = tcpflight::summarize(input_of(bytes), "x");
    return 0;
}

// Any bytes as the unpacked payload of a block, behind checksums and compression.
#include "decode/decode.h"
#include "recording/known_block.h"
#include "recording/plain_blocks.h"
#include "recording/record_block.h"

#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace tcpflight;
    if (size < 2)
        return 0;
    std::uint16_t count = 0;
    std::memcpy(&count, data, sizeof(count));
    ByteBuffer buffer;
    buffer.append(std::as_bytes(std::span(data, size)).subspan(sizeof(count)));
    auto payload_size = buffer.size();
    std::memset(buffer.extend(8), 0, 8);
    auto payload = buffer.bytes().first(payload_size);

    RecordUnpacker unpacker;
    if (unpacker.unpack(payload, count % 8193)) {
        Record record{};
        for (std::size_t i = 0; i < unpacker.count(); i++)
            decode(unpacker.record(i), record);
    }
    std::vector<KnownConnection> known;
    std::uint64_t unknown = 0;
    unpack_known(payload, count % 8193, known, unknown);
    get_start(payload);
    get_clock(payload);
    get_entry(payload);
    get_index(payload);
    return 0;
}

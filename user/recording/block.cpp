#include "recording/block.h"

#include <xxhash.h>
#include <zstd.h>

#include <cstring>
#include <new>

namespace tcpflight {
namespace {

// Measured with tests/bench/recording_bench.cpp: level -1 makes a file an eighth larger and saves a twentieth of the
// writer's time. A small hash table stays in the cache, as columns are short: a tenth of the time for a hundredth of
// the size.
constexpr int level = 1;
constexpr int hash_log = 10;
constexpr std::size_t slack = 8;

std::uint32_t check_of(const FileHeader &header)
{
    return static_cast<std::uint32_t>(XXH3_64bits(&header, offsetof(FileHeader, check)));
}

std::uint64_t check_of(const BlockHeader &header)
{
    return XXH3_64bits(&header, offsetof(BlockHeader, header_check));
}

} // namespace

BlockPacker::BlockPacker()
    : context_(ZSTD_createCCtx(), [](void *context) { ZSTD_freeCCtx(static_cast<ZSTD_CCtx *>(context)); })
{
    if (!context_)
        throw std::bad_alloc();
    auto *context = static_cast<ZSTD_CCtx *>(context_.get());
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, hash_log);
}

void BlockPacker::pack(BlockHeader header, std::span<const std::byte> payload, ByteBuffer &out)
{
    auto begin = out.size();
    auto bound = ZSTD_compressBound(payload.size());
    out.extend(sizeof(header) + bound);
    auto *packed = out.data() + begin + sizeof(header);
    // Cannot fail: the bound is there.
    auto size = ZSTD_compress2(static_cast<ZSTD_CCtx *>(context_.get()), packed, bound, payload.data(), payload.size());
    header.size = static_cast<std::uint32_t>(size);
    header.unpacked_size = static_cast<std::uint32_t>(payload.size());
    header.payload_check = XXH3_64bits(packed, size);
    header.header_check = check_of(header);
    std::memcpy(out.data() + begin, &header, sizeof(header));
    out.cut(begin + sizeof(header) + size);
}

BlockUnpacker::BlockUnpacker()
    : context_(ZSTD_createDCtx(), [](void *context) { ZSTD_freeDCtx(static_cast<ZSTD_DCtx *>(context)); })
{
    if (!context_)
        throw std::bad_alloc();
}

bool BlockUnpacker::is_sound(const BlockHeader &header, std::span<const std::byte> payload)
{
    return XXH3_64bits(payload.data(), payload.size()) == header.payload_check;
}

std::optional<std::span<const std::byte>> BlockUnpacker::unpack(const BlockHeader &header,
                                                                std::span<const std::byte> payload)
{
    buffer_.clear();
    auto *bytes = buffer_.extend(header.unpacked_size + slack);
    auto size = ZSTD_decompressDCtx(static_cast<ZSTD_DCtx *>(context_.get()), bytes, header.unpacked_size,
                                    payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != header.unpacked_size)
        return std::nullopt;
    std::memset(bytes + size, 0, slack);
    return buffer_.bytes().first(size);
}

std::optional<BlockHeader> read_block_header(std::span<const std::byte> bytes)
{
    BlockHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.mark != BlockHeader::block_mark || header.header_check != check_of(header) ||
        header.size > max_block_size || header.unpacked_size > max_block_size || header.count > max_block_count)
        return std::nullopt;
    return header;
}

FileHeader make_file_header()
{
    FileHeader header;
    header.check = check_of(header);
    return header;
}

bool is_sound(const FileHeader &header)
{
    return header.magic == FileHeader::file_magic && header.check == check_of(header);
}

} // namespace tcpflight

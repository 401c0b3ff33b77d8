// A block in the file: header, check, packed payload.
#pragma once

#include "recording/byte_buffer.h"
#include "recording/format.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace tcpflight {

class BlockPacker {
public:
    BlockPacker();

    // Appends header and packed payload. What is in `header` of sizes and checks is filled in.
    void pack(BlockHeader header, std::span<const std::byte> payload, ByteBuffer &out);

private:
    std::unique_ptr<void, void (*)(void *)> context_;
};

class BlockUnpacker {
public:
    BlockUnpacker();

    // Is the payload what was written?
    static bool is_sound(const BlockHeader &header, std::span<const std::byte> payload);
    // None: its writer made no sense of it. Valid until the next unpack(); behind it 8 more bytes can be read.
    std::optional<std::span<const std::byte>> unpack(const BlockHeader &header, std::span<const std::byte> payload);

private:
    std::unique_ptr<void, void (*)(void *)> context_;
    ByteBuffer buffer_;
};

// At least as many bytes as a header has. None: there is no sound header.
std::optional<BlockHeader> read_block_header(std::span<const std::byte> bytes);

FileHeader make_file_header();
// Is it one of this version?
bool is_sound(const FileHeader &header);

} // namespace tcpflight

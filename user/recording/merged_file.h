// Several files of recordings in one: docs/trace-format.md, "Merged". Each is in it as it was, so that nothing is
// changed by merging, damage included.
#pragma once

#include "model/result.h"
#include "recording/byte_buffer.h"
#include "recording/disk.h"
#include "recording/file_window.h"
#include "recording/format.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tcpflight {

// In front of each chunk.
struct ChunkHeader {
    std::array<char, 8> mark = chunk_mark; // to find the next chunk behind a damaged one
    std::uint32_t source = 0;              // which file, from 0; end_of_chunks
    std::uint32_t size = 0;                // bytes of it that follow
    std::uint64_t check = 0;               // XXH3 of all that precedes

    static constexpr std::array<char, 8> chunk_mark{'\xf7', 'C', 'H', 'K', '\x5d', '\xc0', '\x19', '\xea'};
    static constexpr std::uint32_t end_of_chunks = 0xffffffff; // behind the last one; size is 0
};
static_assert(sizeof(ChunkHeader) == 24);

// Limits of what is written, and of what a hostile file can make a reader allocate.
constexpr std::uint32_t max_sources = 4096;
constexpr std::uint32_t max_chunk_size = 8U << 20;
constexpr std::size_t max_chunks = std::size_t{1} << 22;

// The magic is that of a recording but for one letter: a FileHeader otherwise.
constexpr std::array<char, 8> merged_magic{'\x8a', 'T', 'C', 'P', 'M', '\r', '\n', '\x1a'};

class MergedWriter {
public:
    // Writes the header.
    explicit MergedWriter(std::unique_ptr<OutputFile> file);

    // The next bytes of a source, which are whole blocks if they can be. An error is the disk's, errno, and final.
    IoResult<void> add(std::uint32_t source, std::span<const std::byte> bytes);
    // The end mark, and on to the medium.
    IoResult<void> finish();

    [[nodiscard]] std::uint64_t bytes() const { return written_ + pending_.size(); }

private:
    void put_chunk();
    IoResult<void> write();

    std::unique_ptr<OutputFile> file_;
    ByteBuffer pending_;
    ByteBuffer chunk_;
    std::uint32_t source_ = 0; // of chunk_
    std::uint64_t written_ = 0;
};

class MergedFile {
public:
    // Looks into a seekable file. None: it is no merged one. An error names `name`.
    static Result<std::shared_ptr<MergedFile>> open(std::unique_ptr<InputFile> file, std::string_view name);

    [[nodiscard]] std::size_t sources() const { return sources_.size(); }
    // A file of a recording, as long as all of its chunks that are there.
    static std::unique_ptr<InputFile> source(std::shared_ptr<MergedFile> merged, std::size_t index);
    // Bytes between chunks that are none; what was in them is missing in some source, whose reader will tell.
    [[nodiscard]] std::uint64_t damaged_bytes() const { return damaged_bytes_; }
    // Its end is missing.
    [[nodiscard]] bool is_cut_off() const { return cut_off_; }

    IoResult<std::size_t> read_source(std::size_t index, std::uint64_t offset, std::span<std::byte> out);
    [[nodiscard]] std::uint64_t source_size(std::size_t index) const { return sources_[index].size; }

private:
    struct Chunk {
        std::uint64_t offset = 0; // in its source
        std::uint64_t place = 0;  // of its bytes in the merged file
    };
    struct Source {
        std::vector<Chunk> chunks;
        std::uint64_t size = 0;
    };

    MergedFile() = default;
    Result<void> find_chunks(std::string_view name);
    bool add(const ChunkHeader &header, std::uint64_t place, std::uint64_t size);

    std::unique_ptr<InputFile> file_;
    std::vector<Source> sources_;
    std::size_t chunks_ = 0;
    std::uint64_t damaged_bytes_ = 0;
    bool cut_off_ = true;
};

// A file of a recording in pieces that can be read apart: blocks, and what lies between them.
class Pieces {
public:
    struct Piece {
        std::span<const std::byte> bytes; // until the next call
        std::uint64_t time_ns = 0;        // when what is in it begins; 0: not known
    };
    explicit Pieces(std::unique_ptr<InputFile> file) : window_(std::move(file)) {}

    // None: the end.
    IoResult<std::optional<Piece>> next();

private:
    FileWindow window_;
    std::size_t taken_ = 0; // of the piece before
    std::uint64_t time_ns_ = 0;
};

} // namespace tcpflight

// The layout of a recording (docs/trace-format.md): what reader and writer agree on. Values are appended and never
// re-used.
#pragma once

#include "model/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tcpflight {

// The first 16 bytes. Integers are in the byte order of the host that recorded; `byte_order` tells a reader on another
// one that it cannot read it.
struct FileHeader {
    std::array<char, 8> magic = file_magic;
    std::uint16_t version = current_version; // a reader of an older one cannot read it at all
    std::uint16_t byte_order = 0xfeff;
    std::uint32_t check = 0; // low half of the XXH3 of all that precedes

    // As PNG's: a transfer in text mode damages it.
    static constexpr std::array<char, 8> file_magic{'\x8a', 'T', 'C', 'P', 'F', '\r', '\n', '\x1a'};
    static constexpr std::uint16_t current_version = 1;
};
static_assert(sizeof(FileHeader) == 16);

enum class BlockKind : std::uint8_t {
    Start = 1,   // the file's first: StartInfo
    Records = 2, // what happened
    Clock = 3,   // a ClockAnchor that holds from here on
    Entry = 4,   // an entry point begins: gaps and clock; the connections follow in Known blocks
    Known = 5,   // connections alive at the entry point
    End = 6,     // the file's last: the entry points' index; without it the file is unfinished
};

enum BlockFlag : std::uint8_t {
    last_of_entry = 1 << 0, // Known: no more blocks of this entry point follow
    after_loss = 1 << 1,    // Entry: records are missing before it, so that also a reader that is up to date needs it
};

// In front of each block. What a header says is believed only if its checksum is right.
struct BlockHeader {
    std::array<char, 8> mark = block_mark; // to find the next block behind a damaged one
    BlockKind kind = BlockKind::Records;
    std::uint8_t flags = 0; // enum BlockFlag; a reader skips a block with flags that it does not know
    std::uint16_t reserved = 0;
    std::uint32_t size = 0; // of the payload in the file
    std::uint32_t unpacked_size = 0;
    std::uint32_t count = 0;         // records or connections
    std::uint64_t first_record = 0;  // records in the file before this block
    std::uint64_t first_ns = 0;      // CLOCK_BOOTTIME of the earliest record; of the moment in other blocks
    std::uint64_t last_ns = 0;       // of the latest
    std::uint64_t lost = 0;          // records that those in this block say were lost
    std::uint64_t entry_offset = 0;  // in the file, of the last Entry block before this one; 0: none
    std::uint64_t payload_check = 0; // XXH3 of the payload as it is in the file
    std::uint64_t header_check = 0;  // XXH3 of all that precedes

    static constexpr std::array<char, 8> block_mark{'\xf7', 'B', 'L', 'K', '\xd5', '\x0c', '\x91', '\xae'};
};
static_assert(sizeof(BlockHeader) == 80);

// Larger ones are not written, and refused in reading: what a hostile file can make a reader allocate.
constexpr std::uint32_t max_block_size = 4U << 20;
constexpr std::uint32_t max_block_count = 8192;

// What a file says of its recording. All strings are untrusted.
struct StartInfo {
    std::string program; // that wrote it: "tcpflight 0.1.0"
    std::string host;
    std::string kernel;  // release and machine: "6.18.5 x86_64"
    std::string boot_id; // /proc/sys/kernel/random/boot_id: CLOCK_BOOTTIMEs of one boot can be compared
    std::string filter;  // as the user wrote it; empty: none
    std::string hooks;   // layers in use, as the line "listening on" has them
    // The files of one recording have the same id and are numbered from 0. Where a file follows the one before it, a
    // reader goes on with what it knows, and needs the entry point at its begin no more.
    std::array<std::uint8_t, 16> recording_id{};
    std::uint32_t file_number = 0;
    ClockAnchor clock; // holds from the begin

    // False: it could not be read. The clock can be known all the same, from an entry point.
    [[nodiscard]] bool is_known() const { return !program.empty(); }
};

// An entry point as the End block lists it.
struct IndexItem {
    std::uint64_t offset = 0;       // in the file, of the Entry block
    std::uint64_t time_ns = 0;      // CLOCK_BOOTTIME: nothing behind it is earlier
    std::int64_t wall_ns = 0;       // the same moment by the clock anchor in force
    std::uint64_t first_record = 0; // records in the file before it
};

} // namespace tcpflight

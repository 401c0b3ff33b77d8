// Structs to columns, and back: docs/trace-format.md, "Columns".
#pragma once

#include "recording/byte_buffer.h"
#include "recording/parts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tcpflight {

// Where the structs of one part stand, and which connection each belongs to (numbered from 0 within a block).
struct Places {
    std::vector<std::uint32_t> at; // offsets
    std::vector<std::uint16_t> connection;

    [[nodiscard]] std::size_t size() const { return at.size(); }
    void clear()
    {
        at.clear();
        connection.clear();
    }
    void add(std::size_t offset, std::uint16_t of_connection)
    {
        at.push_back(static_cast<std::uint32_t>(offset));
        connection.push_back(of_connection);
    }
};

struct ColumnEntry {
    std::uint8_t part = 0;
    Coding coding = Coding::Bytes;
    std::uint16_t offset = 0;
    std::uint16_t width = 0;
    std::uint16_t base = 0;
    std::uint32_t size = 0;
};
static_assert(sizeof(ColumnEntry) == 12);

// Makes the payload of a block.
class ColumnWriter {
public:
    // All fields of a part but those that are Connections; nothing where there are no structs.
    void add(const Part &part, const std::byte *structs, const Places &places);
    // A column of another kind: `fill` appends its bytes.
    template <typename Fill> void add(ColumnEntry entry, Fill &&fill)
    {
        auto begin = body_.size();
        fill(body_);
        entry.size = static_cast<std::uint32_t>(body_.size() - begin);
        entries_.push_back(entry);
    }
    // The payload; then it begins anew.
    void finish(ByteBuffer &out);

private:
    void add_dictionary(const Field &field, const std::byte *structs, const Places &places);

    std::vector<ColumnEntry> entries_;
    ByteBuffer body_;
    std::vector<std::uint16_t> slots_;   // of a dictionary: a hash table
    std::vector<std::uint16_t> indexes_; // into it
    std::vector<std::uint64_t> last_;    // by connection
};

struct Column {
    ColumnEntry entry;
    std::span<const std::byte> bytes;
};

// Takes a payload apart. None: it is not what a writer makes.
std::optional<std::vector<Column>> find_columns(std::span<const std::byte> payload);

// Fills the column's field into the structs at `places`; `part_size` is theirs. Behind the column's bytes at least 8
// more must be readable. A coding or field that is not known is left out and counted in `unknown`. False: it is
// damaged.
bool fill_column(const Column &column, std::size_t part_size, std::byte *structs, const Places &places,
                 std::uint64_t &unknown);

} // namespace tcpflight

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
class Places {
public:
    [[nodiscard]] std::size_t size() const { return places_.size(); }
    [[nodiscard]] std::uint32_t at(std::size_t index) const { return places_[index].at; } // offset
    [[nodiscard]] std::uint16_t connection(std::size_t index) const { return places_[index].connection; }
    void clear() { places_.clear(); }
    // For so many structs, of which each is then put into its place.
    void resize(std::size_t count) { places_.resize(count); }
    void put(std::size_t index, std::size_t offset, std::uint16_t of_connection)
    {
        places_[index] = {static_cast<std::uint32_t>(offset), of_connection};
    }
    void add(std::size_t offset, std::uint16_t of_connection)
    {
        places_.push_back({static_cast<std::uint32_t>(offset), of_connection});
    }

private:
    struct Place {
        std::uint32_t at;
        std::uint16_t connection;
    };
    std::vector<Place> places_;
};

// The same for structs of one kind that stand one behind the other.
class Rows {
public:
    // `connections`: of each; empty: each has its own, and no column asks.
    Rows(std::size_t count, std::size_t struct_size, std::span<const std::uint16_t> connections = {})
        : count_(count), struct_size_(struct_size), connections_(connections)
    {
    }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::size_t at(std::size_t index) const { return index * struct_size_; }
    [[nodiscard]] std::uint16_t connection(std::size_t index) const { return connections_[index]; }

private:
    std::size_t count_;
    std::size_t struct_size_;
    std::span<const std::uint16_t> connections_;
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
    // Before an add() with columns by connection: more than the highest connection() of its places.
    void expect_connections(std::size_t count) { connections_ = count; }
    // All fields of a part but those that are Connections; nothing where there are no structs.
    void add(const Part &part, const std::byte *structs, const Places &places);
    void add(const Part &part, const std::byte *structs, const Rows &rows);
    // A packed dictionary that is there already: the values, one behind the other, and which of them it is each time.
    void add(const Part &part, const Field &field, std::span<const std::byte> values,
             std::span<const std::uint16_t> indexes);
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
    struct Integer {
        std::uint64_t value = 0;
        std::uint32_t number = 0; // in the dictionary, from 1; 0: a free slot
    };

    template <typename Where> void add_fields(const Part &part, const std::byte *structs, const Where &places);
    template <typename Where> void add_dictionary(const Field &field, const std::byte *structs, const Where &places);
    template <typename T, typename Where>
    std::uint32_t index_integers(const Field &field, const std::byte *structs, const Where &places);
    template <typename Where>
    std::uint32_t index_bytes(const Field &field, const std::byte *structs, const Where &places);

    std::vector<ColumnEntry> entries_;
    ByteBuffer body_;
    std::vector<Integer> integers_;      // of a dictionary: a hash table
    std::vector<std::uint16_t> slots_;   // the same where values are no integers
    std::vector<std::uint16_t> indexes_; // into it
    std::size_t connections_ = 0;
    std::vector<std::uint64_t> last_; // by connection
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

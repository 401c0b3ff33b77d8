// The records of a block: collected and packed by the writer, unpacked by the reader.
#pragma once

#include "recording/columns.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tcpflight {

class RecordPacker {
public:
    static constexpr std::size_t max_record_size = 65535;

    RecordPacker();

    // At least a header, at most max_record_size. False: the block is full; pack it first.
    bool add(std::span<const std::byte> record);
    [[nodiscard]] std::size_t count() const { return places_[part::header].size(); }
    [[nodiscard]] std::uint64_t first_ns() const { return first_ns_; } // of the earliest
    [[nodiscard]] std::uint64_t last_ns() const { return last_ns_; }   // of the latest

    // Appends the payload; then it begins anew.
    void pack(ByteBuffer &out);

private:
    // What a header leads to expect, and how long the record then is; 0: not worked out yet.
    struct Expected {
        Shape shape;
        std::size_t size = 0;
    };

    const Expected &expected(const tf_header &header);
    std::uint16_t connection_of(std::uint64_t cookie);
    std::uint16_t &slot_of(std::uint64_t cookie);
    void resize_slots(std::size_t count);
    void add_connections();
    void add_rest();

    std::vector<Expected> expected_; // by a hash of type and flags
    ByteBuffer records_;
    std::vector<Shape> shapes_; // of each record
    std::array<Places, part::count> places_;
    std::vector<std::uint32_t> rest_sizes_;
    // The block's connections in the order of their first record, and a hash table of their numbers, from 1.
    std::vector<std::uint64_t> cookies_;
    std::vector<std::uint16_t> connections_;
    std::uint64_t first_ns_ = 0;
    std::uint64_t last_ns_ = 0;
    ColumnWriter columns_;
};

class RecordUnpacker {
public:
    // `count` records, at most max_block_count. Behind the payload at least 8 more bytes must be readable. False: it is
    // damaged.
    bool unpack(std::span<const std::byte> payload, std::size_t count);

    [[nodiscard]] std::size_t count() const { return ends_.size(); }
    // Empty: a record that only newer versions know. Valid until the next unpack().
    [[nodiscard]] std::span<const std::byte> record(std::size_t index) const;
    // Records and columns so far that only newer versions know.
    [[nodiscard]] std::uint64_t unknown() const { return unknown_; }

private:
    bool fill_shapes(const std::vector<Column> &columns, std::size_t count);
    bool fill_connections(const std::vector<Column> &columns);
    bool place_records(const std::vector<Column> &columns);
    bool fill_parts(const std::vector<Column> &columns);

    ByteBuffer records_;
    std::vector<std::uint32_t> ends_;
    std::vector<Shape> shapes_;
    std::vector<std::uint16_t> connections_; // of each record
    std::vector<std::uint64_t> cookies_;
    std::array<Places, part::count> places_;
    std::vector<std::uint32_t> rest_sizes_;
    std::uint64_t unknown_ = 0;
};

} // namespace tcpflight

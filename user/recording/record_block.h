// The records of a block: collected and packed by the writer, unpacked by the reader.
#pragma once

#include "recording/columns.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tcpflight {

class RecordPacker {
public:
    static constexpr std::size_t max_record_size = 65535;

    RecordPacker();

    // At least a header, at most max_record_size. False: the block is full; pack it first.
    bool add(std::span<const std::byte> record);
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] std::uint64_t first_ns() const { return first_ns_; } // of the earliest
    [[nodiscard]] std::uint64_t last_ns() const { return last_ns_; }   // of the latest

    // Appends the payload; then it begins anew.
    void pack(ByteBuffer &out);

private:
    // What all headers of one type with the same flags lead to expect, and which of the block's shapes that is, from 1;
    // 0: it is not among them yet.
    struct Kind {
        Shape shape;
        std::uint32_t size = 0; // of the whole record; 0: not worked out yet
        std::uint16_t number = 0;
        std::uint16_t number_with_rest = 0;
    };
    using Kinds = std::array<Kind, 256>; // of one type, by flags

    Kind &kind_of(const tf_header &header);
    Kind &work_out(std::uint8_t type, std::uint8_t flags);
    void add_parts(std::uint32_t parts, std::span<const std::byte> bytes, std::uint16_t connection);
    std::uint16_t number_of(const Shape &shape, std::uint16_t &number);
    std::uint16_t connection_of(std::uint64_t cookie);
    std::uint16_t &slot_of(std::uint64_t cookie);
    void resize_slots(std::size_t count);
    void add_connections();
    void add_rest();

    std::array<std::unique_ptr<Kinds>, 256> kinds_; // by type
    std::vector<Shape> shapes_;                     // of the block
    // Of each record; as long as a block can be.
    std::size_t count_ = 0;
    std::vector<tf_header> headers_;
    std::vector<std::uint16_t> connections_;
    std::vector<std::uint16_t> shape_numbers_; // into shapes_
    // What is behind the headers.
    ByteBuffer parts_;
    std::array<Places, part::count> places_;
    std::vector<std::uint32_t> rest_sizes_;
    // The block's connections in the order of their first record, and a hash table of their numbers, from 1.
    std::vector<std::uint64_t> cookies_;
    std::vector<std::uint16_t> slots_;
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
    // The parts of records of a shape, as they follow each other.
    struct Layout {
        std::uint32_t parts = 0;
        std::uint8_t count = 0;
        std::array<std::uint8_t, record_parts.size()> indexes{}; // into record_parts
    };

    const Layout &layout_of(std::uint32_t parts);
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
    std::array<Layout, 64> layouts_{}; // those that were needed last, by a hash
    std::uint64_t unknown_ = 0;
};

} // namespace tcpflight

#include "recording/record_block.h"

#include "recording/format.h"
#include "recording/numbers.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace tcpflight {
namespace {

constexpr std::size_t max_packed_bytes = std::size_t{1} << 20;
constexpr std::size_t least_slots = 256;
constexpr std::uint32_t rest_bit = std::uint32_t{1} << part::rest;
constexpr ColumnEntry connections_entry{.part = part::header,
                                        .coding = Coding::Connections,
                                        .offset = offsetof(tf_header, cookie),
                                        .width = sizeof(tf_header::cookie)};
constexpr ColumnEntry rest_sizes_entry{.part = part::rest, .coding = Coding::Numbers, .width = sizeof(std::uint32_t)};
constexpr ColumnEntry rest_bytes_entry{.part = part::rest, .coding = Coding::Bytes};

constexpr std::uint32_t known_bits = [] {
    std::uint32_t bits = rest_bit;
    for (const auto &part : record_parts)
        bits |= std::uint32_t{1} << part.number;
    return bits;
}();

bool is_of(const Column &column, const ColumnEntry &entry)
{
    return column.entry.part == entry.part && column.entry.coding == entry.coding &&
           column.entry.offset == entry.offset && column.entry.width == entry.width;
}

const Column *find(const std::vector<Column> &columns, const ColumnEntry &entry)
{
    auto found = std::ranges::find_if(columns, [&](const Column &column) { return is_of(column, entry); });
    return found == columns.end() ? nullptr : &*found;
}

} // namespace

RecordPacker::RecordPacker()
    : headers_(max_block_count), connections_(max_block_count), shape_numbers_(max_block_count), slots_(least_slots)
{
}

inline RecordPacker::Kind &RecordPacker::kind_of(const tf_header &header)
{
    auto &kinds = kinds_[header.type];
    return kinds && (*kinds)[header.flags].size != 0 ? (*kinds)[header.flags] : work_out(header.type, header.flags);
}

// There are few kinds of headers: each is worked out once.
RecordPacker::Kind &RecordPacker::work_out(std::uint8_t type, std::uint8_t flags)
{
    auto &kinds = kinds_[type];
    if (!kinds)
        kinds = std::make_unique<Kinds>();
    auto &kind = (*kinds)[flags];
    kind = {.shape = {.type = type, .flags = flags}, .size = sizeof(tf_header)};
    for (const auto &part : record_parts) {
        if (!part.is_in(type, flags))
            continue;
        kind.shape.parts |= std::uint32_t{1} << part.number;
        kind.size += part.size;
    }
    return kind;
}

void RecordPacker::add_parts(std::uint32_t parts, std::span<const std::byte> bytes, std::uint16_t connection)
{
    auto at = parts_.size();
    parts_.append(bytes);
    for (const auto &part : record_parts) {
        if ((parts >> part.number & 1) == 0)
            continue;
        places_[part.number].add(at, connection);
        at += part.size;
    }
}

inline std::uint16_t RecordPacker::number_of(const Shape &shape, std::uint16_t &number)
{
    if (number == 0) {
        shapes_.push_back(shape);
        number = static_cast<std::uint16_t>(shapes_.size());
    }
    return static_cast<std::uint16_t>(number - 1);
}

inline std::uint16_t RecordPacker::connection_of(std::uint64_t cookie)
{
    auto &slot = slot_of(cookie);
    if (slot != 0)
        return static_cast<std::uint16_t>(slot - 1);
    cookies_.push_back(cookie);
    slot = static_cast<std::uint16_t>(cookies_.size());
    if (cookies_.size() > slots_.size() / 2)
        resize_slots(2 * slots_.size());
    return static_cast<std::uint16_t>(cookies_.size() - 1);
}

// Cookies are numbered one after the other; the multiplication spreads them.
inline std::uint16_t &RecordPacker::slot_of(std::uint64_t cookie)
{
    auto last = slots_.size() - 1;
    auto slot = ((cookie * 0x9e3779b97f4a7c15U) >> 32) & last;
    while (slots_[slot] != 0 && cookies_[slots_[slot] - std::size_t{1}] != cookie)
        slot = (slot + 1) & last;
    return slots_[slot];
}

bool RecordPacker::add(std::span<const std::byte> record)
{
    if (count_ == max_block_count || parts_.size() + count_ * sizeof(tf_header) + record.size() > max_packed_bytes)
        return false;
    auto &header = headers_[count_];
    std::memcpy(&header, record.data(), sizeof(header));
    if (count_ == 0)
        first_ns_ = last_ns_ = header.time_ns;
    first_ns_ = std::min<std::uint64_t>(first_ns_, header.time_ns);
    last_ns_ = std::max<std::uint64_t>(last_ns_, header.time_ns);
    auto connection = connection_of(header.cookie);
    connections_[count_] = connection;

    auto &kind = kind_of(header);
    if (kind.size == record.size()) {
        shape_numbers_[count_] = number_of(kind.shape, kind.number);
        if (kind.shape.parts != 0) // most records are but a header
            add_parts(kind.shape.parts, record.subspan(sizeof(header)), connection);
    } else {
        auto shape = kind.shape;
        shape.parts = rest_bit;
        shape_numbers_[count_] = number_of(shape, kind.number_with_rest);
        places_[part::rest].add(parts_.size(), connection);
        rest_sizes_.push_back(static_cast<std::uint32_t>(record.size() - sizeof(header)));
        parts_.append(record.subspan(sizeof(header)));
    }
    count_++;
    return true;
}

// As few as needed: they then stay in the cache.
void RecordPacker::resize_slots(std::size_t count)
{
    slots_.assign(count, 0);
    for (std::size_t known = 0; known < cookies_.size(); known++)
        slot_of(cookies_[known]) = static_cast<std::uint16_t>(known + 1);
}

void RecordPacker::pack(ByteBuffer &out)
{
    columns_.expect_connections(cookies_.size());
    columns_.add(shape_part, shape_part.fields.front(), std::as_bytes(std::span(shapes_)),
                 std::span(shape_numbers_).first(count_));
    add_connections();
    columns_.add(header_part, reinterpret_cast<const std::byte *>(headers_.data()),
                 Rows(count_, sizeof(tf_header), connections_));
    for (const auto &part : record_parts)
        columns_.add(part, parts_.data(), places_[part.number]);
    if (!rest_sizes_.empty())
        add_rest();
    columns_.finish(out);

    for (const auto &shape : shapes_) {
        auto &kind = (*kinds_[shape.type])[shape.flags];
        kind.number = 0;
        kind.number_with_rest = 0;
    }
    shapes_.clear();
    count_ = 0;
    parts_.clear();
    for (auto &places : places_)
        places.clear();
    rest_sizes_.clear();
    auto slots = std::max(least_slots, std::bit_ceil(2 * cookies_.size()));
    cookies_.clear();
    resize_slots(slots); // the next block is probably like this one
}

void RecordPacker::add_connections()
{
    columns_.add(connections_entry, [&](ByteBuffer &out) {
        put_numbers(out, count_, [&, known = std::uint64_t{0}](std::size_t i) mutable {
            auto distance = known - connections_[i];
            known += distance == 0 ? 1U : 0U;
            return distance;
        });
        put_numbers(out, cookies_.size(), [&, before = std::uint64_t{0}](std::size_t i) mutable {
            return zigzag(cookies_[i] - std::exchange(before, cookies_[i]));
        });
    });
}

void RecordPacker::add_rest()
{
    const auto &places = places_[part::rest];
    columns_.add(rest_sizes_entry, [&](ByteBuffer &out) {
        put_numbers(out, places.size(), [&](std::size_t i) { return rest_sizes_[i]; });
    });
    columns_.add(rest_bytes_entry, [&](ByteBuffer &out) {
        for (std::size_t i = 0; i < places.size(); i++)
            out.append(parts_.bytes().subspan(places.at(i), rest_sizes_[i]));
    });
}

bool RecordUnpacker::unpack(std::span<const std::byte> payload, std::size_t count)
{
    ends_.clear();
    auto columns = find_columns(payload);
    return columns && fill_shapes(*columns, count) && fill_connections(*columns) && place_records(*columns) &&
           fill_parts(*columns);
}

std::span<const std::byte> RecordUnpacker::record(std::size_t index) const
{
    auto begin = index == 0 ? 0 : ends_[index - 1];
    if ((shapes_[index].parts & ~known_bits) != 0)
        return {};
    return records_.bytes().subspan(begin, ends_[index] - begin);
}

bool RecordUnpacker::fill_shapes(const std::vector<Column> &columns, std::size_t count)
{
    auto &places = places_[part::shape];
    places.clear();
    shapes_.assign(count, {});
    for (std::size_t i = 0; i < count; i++)
        places.add(i * sizeof(Shape), 0);
    return std::ranges::all_of(columns, [&](const Column &column) {
        return column.entry.part != part::shape ||
               fill_column(column, sizeof(Shape), reinterpret_cast<std::byte *>(shapes_.data()), places, unknown_);
    });
}

bool RecordUnpacker::fill_connections(const std::vector<Column> &columns)
{
    const auto *column = find(columns, connections_entry);
    if (column == nullptr)
        return false;
    auto rest = column->bytes;
    auto back = Numbers::take(rest, shapes_.size());
    if (!back)
        return false;
    connections_.resize(shapes_.size());
    std::uint64_t known = 0;
    bool sound = true;
    back->for_each([&](std::size_t i, std::uint64_t distance) {
        sound &= distance <= known;
        connections_[i] = static_cast<std::uint16_t>(known - distance);
        known += distance == 0 ? 1U : 0U;
    });
    auto cookies = Numbers::take(rest, known);
    if (!sound || !cookies || !rest.empty())
        return false;
    cookies_.resize(known);
    cookies->for_each([&, cookie = std::uint64_t{0}](std::size_t i, std::uint64_t coded) mutable {
        cookie += unzigzag(coded);
        cookies_[i] = cookie;
    });
    return true;
}

// Most blocks have a few.
const RecordUnpacker::Layout &RecordUnpacker::layout_of(std::uint32_t parts)
{
    auto &layout = layouts_.at(parts * 0x9e3779b9U >> 26);
    if (layout.parts == parts)
        return layout;
    layout = {.parts = parts};
    for (std::size_t i = 0; i < record_parts.size(); i++) {
        if ((parts >> record_parts.at(i).number & 1) != 0)
            layout.indexes.at(layout.count++) = static_cast<std::uint8_t>(i);
    }
    return layout;
}

bool RecordUnpacker::place_records(const std::vector<Column> &columns)
{
    for (const auto &part : record_parts)
        places_[part.number].clear();
    places_[part::rest].clear();
    auto &headers = places_[part::header];
    headers.resize(shapes_.size());
    ends_.resize(shapes_.size());

    rest_sizes_.clear();
    if (const auto *column = find(columns, rest_sizes_entry)) {
        auto with_rest =
            std::ranges::count_if(shapes_, [](const Shape &shape) { return (shape.parts & rest_bit) != 0; });
        auto rest = column->bytes;
        auto sizes = Numbers::take(rest, static_cast<std::size_t>(with_rest));
        if (!sizes)
            return false;
        sizes->for_each([&](std::size_t, std::uint64_t size) {
            rest_sizes_.push_back(static_cast<std::uint32_t>(std::min(size, std::uint64_t{max_block_size})));
        });
    }

    std::size_t at = 0;
    std::size_t rests = 0;
    for (std::size_t i = 0; i < shapes_.size(); i++) {
        headers.put(i, at, connections_[i]);
        at += sizeof(tf_header);
        auto parts = shapes_[i].parts;
        if (parts != 0) { // most records are but a header
            const auto &layout = layout_of(parts);
            for (std::size_t n = 0; n < layout.count; n++) {
                const auto &part = record_parts[layout.indexes[n]];
                places_[part.number].add(at, connections_[i]);
                at += part.size;
            }
            if ((parts & rest_bit) != 0) {
                if (rests == rest_sizes_.size())
                    return false;
                places_[part::rest].add(at, connections_[i]);
                at += rest_sizes_[rests++];
            }
            unknown_ += (parts & ~known_bits) != 0 ? 1U : 0U;
        }
        if (at > 2 * std::size_t{max_block_size})
            return false;
        ends_[i] = static_cast<std::uint32_t>(at);
    }
    return true;
}

bool RecordUnpacker::fill_parts(const std::vector<Column> &columns)
{
    records_.clear();
    auto *records = records_.extend(ends_.empty() ? 0 : ends_.back());
    std::memset(records, 0, records_.size());
    const auto &headers = places_[part::header];
    for (std::size_t i = 0; i < headers.size(); i++) {
        auto *header = records + headers.at(i);
        std::memcpy(header + offsetof(tf_header, cookie), &cookies_[connections_[i]], sizeof(tf_header::cookie));
        header[offsetof(tf_header, type)] = std::byte{shapes_[i].type};
        header[offsetof(tf_header, flags)] = std::byte{shapes_[i].flags};
    }
    auto part_size = [](std::uint8_t number) -> std::size_t {
        if (number == header_part.number)
            return header_part.size;
        auto found = std::ranges::find(record_parts, number, &Part::number);
        return found == record_parts.end() ? 0 : found->size;
    };
    for (const auto &column : columns) {
        if (is_of(column, connections_entry) || is_of(column, rest_sizes_entry) || column.entry.part == part::shape)
            continue;
        if (is_of(column, rest_bytes_entry)) {
            auto bytes = column.bytes;
            for (std::size_t i = 0; i < rest_sizes_.size(); i++) {
                if (bytes.size() < rest_sizes_[i])
                    return false;
                std::ranges::copy(bytes.first(rest_sizes_[i]), records + places_[part::rest].at(i));
                bytes = bytes.subspan(rest_sizes_[i]);
            }
        } else if (auto size = part_size(column.entry.part); size == 0) {
            unknown_++;
        } else if (!fill_column(column, size, records, places_[column.entry.part], unknown_)) {
            return false;
        }
    }
    return true;
}

} // namespace tcpflight

#include "recording/columns.h"

#include "recording/format.h"
#include "recording/numbers.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;

template <typename T> T load(const std::byte *from)
{
    T value{};
    std::memcpy(&value, from, sizeof(T));
    return value;
}

template <typename T> void store(std::byte *to, std::uint64_t value)
{
    auto narrow = static_cast<T>(value);
    std::memcpy(to, &narrow, sizeof(T));
}

// Calls use(T{}) for the integer of so many bytes. False: there is none.
template <typename Use> bool with_integer(std::size_t width, Use &&use)
{
    switch (width) {
    case 1: use(std::uint8_t{}); return true;
    case 2: use(std::uint16_t{}); return true;
    case 4: use(std::uint32_t{}); return true;
    case 8: use(std::uint64_t{}); return true;
    default: return false;
    }
}

// Differences are taken in the field's width, so that what wraps around stays small.
template <typename T> std::uint64_t difference(T value, std::uint64_t before)
{
    auto narrow = static_cast<T>(value - static_cast<T>(before));
    return zigzag(static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::make_signed_t<T>>(narrow))));
}

template <typename T, typename Where>
void put_integers(const Field &field, const std::byte *structs, const Where &places, std::size_t connections,
                  std::vector<std::uint64_t> &last, ByteBuffer &out)
{
    const auto *fields = structs + field.offset;
    auto value = [&](std::size_t i) { return load<T>(fields + places.at(i)); };
    switch (field.coding) {
    case Coding::Deltas:
        put_numbers(out, places.size(), [&, before = std::uint64_t{0}](std::size_t i) mutable {
            T now = value(i);
            return difference(now, std::exchange(before, now));
        });
        break;
    case Coding::DeltasByConnection:
        last.assign(connections, 0);
        put_numbers(out, places.size(), [&](std::size_t i) {
            T now = value(i);
            return difference(now, std::exchange(last[places.connection(i)], now));
        });
        break;
    case Coding::Beyond:
        put_numbers(out, places.size(), [&](std::size_t i) {
            return static_cast<T>(value(i) - load<T>(structs + field.base + places.at(i)));
        });
        break;
    default: put_numbers(out, places.size(), value); break;
    }
}

template <typename T> bool fill_integers(const Column &column, std::byte *structs, const Places &places)
{
    auto rest = column.bytes;
    auto numbers = Numbers::take(rest, places.size());
    if (!numbers || !rest.empty())
        return false;
    auto *fields = structs + column.entry.offset;
    switch (column.entry.coding) {
    case Coding::Deltas:
        numbers->for_each([&, now = std::uint64_t{0}](std::size_t i, std::uint64_t coded) mutable {
            now += unzigzag(coded);
            store<T>(fields + places.at(i), now);
        });
        break;
    case Coding::DeltasByConnection: {
        std::vector<std::uint64_t> last(max_block_count);
        numbers->for_each([&](std::size_t i, std::uint64_t coded) {
            auto &now = last[places.connection(i)];
            now += unzigzag(coded);
            store<T>(fields + places.at(i), now);
        });
        break;
    }
    case Coding::Beyond:
        numbers->for_each([&](std::size_t i, std::uint64_t coded) {
            store<T>(fields + places.at(i), load<T>(structs + column.entry.base + places.at(i)) + coded);
        });
        break;
    default:
        numbers->for_each([&](std::size_t i, std::uint64_t coded) { store<T>(fields + places.at(i), coded); });
        break;
    }
    return true;
}

// Known at compile time, a width makes a copy one or two instructions.
template <typename Use> void with_width(std::size_t width, Use &&use)
{
    switch (width) {
    case 4: use([] { return std::size_t{4}; }); break;
    case 8: use([] { return std::size_t{8}; }); break;
    case 16: use([] { return std::size_t{16}; }); break;
    case 20: use([] { return std::size_t{20}; }); break;
    case 24: use([] { return std::size_t{24}; }); break;
    default: use([width] { return width; }); break;
    }
}

// Of a packed dictionary with so many values: an index needs so many bits.
unsigned index_bits(std::size_t values)
{
    if (values <= 1)
        return 0;
    return values <= 16 ? 4 : values <= 256 ? 8 : 16;
}

void put_indexes(std::size_t values, std::span<const std::uint16_t> indexes, ByteBuffer &out)
{
    switch (index_bits(values)) {
    case 4: {
        auto *to = out.extend((indexes.size() + 1) / 2);
        for (std::size_t i = 0; i + 1 < indexes.size(); i += 2)
            *to++ = static_cast<std::byte>(indexes[i] | indexes[i + 1] << 4);
        if (indexes.size() % 2 != 0)
            *to = static_cast<std::byte>(indexes.back());
        break;
    }
    case 8: {
        auto *to = out.extend(indexes.size());
        for (auto index : indexes)
            *to++ = static_cast<std::byte>(index);
        break;
    }
    case 16: out.append(std::as_bytes(indexes)); break;
    default: break;
    }
}

// Calls take(i, index) for each of `count` indexes. False: `bytes` are not as many as there should be.
template <typename Take>
bool take_indexes(std::size_t values, std::size_t count, std::span<const std::byte> bytes, Take &&take)
{
    auto bits = index_bits(values);
    if (bytes.size() != (count * bits + 7) / 8)
        return false;
    switch (bits) {
    case 4:
        for (std::size_t i = 0; i < count; i++)
            take(i, std::to_integer<std::size_t>(bytes[i / 2]) >> (i % 2 * 4) & 15U);
        break;
    case 8:
        for (std::size_t i = 0; i < count; i++)
            take(i, std::to_integer<std::size_t>(bytes[i]));
        break;
    case 16:
        for (std::size_t i = 0; i < count; i++)
            take(i, load<std::uint16_t>(bytes.data() + i * sizeof(std::uint16_t)));
        break;
    default:
        for (std::size_t i = 0; i < count; i++)
            take(i, 0);
        break;
    }
    return true;
}

bool fill_dictionary(const Column &column, std::byte *structs, const Places &places)
{
    auto rest = column.bytes;
    if (rest.size() < sizeof(std::uint32_t))
        return false;
    std::size_t count = load<std::uint32_t>(rest.data());
    rest = rest.subspan(sizeof(std::uint32_t));
    std::size_t field_width = column.entry.width;
    if (count > places.size() || rest.size() < count * field_width)
        return false;
    const auto *values = rest.data();
    rest = rest.subspan(count * field_width);
    bool sound = true;
    with_width(field_width, [&](auto width) {
        auto take = [&](std::size_t i, std::uint64_t index) {
            if (index < count)
                std::memcpy(structs + places.at(i) + column.entry.offset, values + index * width(), width());
            else
                sound = false;
        };
        if (column.entry.coding == Coding::PackedDictionary) {
            sound &= take_indexes(count, places.size(), rest, take);
        } else if (auto numbers = Numbers::take(rest, places.size()); numbers && rest.empty()) {
            numbers->for_each(take);
        } else {
            sound = false;
        }
    });
    return sound;
}

// Then it needs no column.
template <typename Where> bool is_zero(const Field &field, const std::byte *structs, const Where &places)
{
    const auto *fields = structs + field.offset;
    auto all = [&](auto &&is_zero_at) {
        for (std::size_t i = 0; i < places.size(); i++) {
            if (!is_zero_at(fields + places.at(i)))
                return false;
        }
        return true;
    };
    bool zero = false;
    if (!with_integer(field.width, [&]<typename T>(T) { zero = all([](auto *at) { return load<T>(at) == 0; }); }))
        zero =
            all([&](auto *at) { return std::all_of(at, at + field.width, [](auto b) { return b == std::byte{}; }); });
    return zero;
}

ColumnEntry entry_of(const Part &part, const Field &field)
{
    return {
        .part = part.number, .coding = field.coding, .offset = field.offset, .width = field.width, .base = field.base};
}

} // namespace

void ColumnWriter::add(const Part &part, const std::byte *structs, const Places &places)
{
    add_fields(part, structs, places);
}

void ColumnWriter::add(const Part &part, const std::byte *structs, const Rows &rows)
{
    add_fields(part, structs, rows);
}

void ColumnWriter::add(const Part &part, const Field &field, std::span<const std::byte> values,
                       std::span<const std::uint16_t> indexes)
{
    add(entry_of(part, field), [&](ByteBuffer &out) {
        auto count = static_cast<std::uint32_t>(values.size() / field.width);
        out.put(count);
        out.append(values);
        put_indexes(count, indexes, out);
    });
}

template <typename Where> void ColumnWriter::add_fields(const Part &part, const std::byte *structs, const Where &places)
{
    if (places.size() == 0)
        return;
    for (const auto &field : part.fields) {
        if (field.coding == Coding::Connections || is_zero(field, structs, places))
            continue;
        add(entry_of(part, field), [&](ByteBuffer &out) {
            if (field.coding == Coding::PackedDictionary)
                add_dictionary(field, structs, places);
            else
                with_integer(field.width,
                             [&]<typename T>(T) { put_integers<T>(field, structs, places, connections_, last_, out); });
        });
    }
}

template <typename Where>
void ColumnWriter::add_dictionary(const Field &field, const std::byte *structs, const Where &places)
{
    indexes_.resize(places.size());
    auto count_at = body_.size();
    body_.put(std::uint32_t{0});
    std::uint32_t count = 0;
    switch (field.width) {
    case 4: count = index_integers<std::uint32_t>(field, structs, places); break;
    case 8: count = index_integers<std::uint64_t>(field, structs, places); break;
    default: count = index_bytes(field, structs, places); break;
    }
    std::memcpy(body_.data() + count_at, &count, sizeof(count));
    put_indexes(count, indexes_, body_);
}

// Appends the values, and fills indexes_. Returns how many values there are.
template <typename T, typename Where>
std::uint32_t ColumnWriter::index_integers(const Field &field, const std::byte *structs, const Where &places)
{
    const auto *fields = structs + field.offset;
    std::uint32_t count = 0;
    // Most fields have few values: a table that begins small stays in the cache.
    integers_.assign(256, {});
    auto find = [&](std::uint64_t value) -> Integer & {
        auto slot = (value * odd >> 32) & (integers_.size() - 1);
        while (integers_[slot].number != 0 && integers_[slot].value != value)
            slot = (slot + 1) & (integers_.size() - 1);
        return integers_[slot];
    };
    for (std::size_t i = 0; i < places.size(); i++) {
        auto value = load<T>(fields + places.at(i));
        auto &known = find(value);
        if (known.number != 0) {
            indexes_[i] = static_cast<std::uint16_t>(known.number - 1);
            continue;
        }
        indexes_[i] = static_cast<std::uint16_t>(count++);
        known = {.value = value, .number = count};
        body_.put(value);
        if (count > integers_.size() / 2) {
            auto before = std::exchange(integers_, std::vector<Integer>(4 * integers_.size()));
            for (const auto &integer : before) {
                if (integer.number != 0)
                    find(integer.value) = integer;
            }
        }
    }
    return count;
}

// The same for values that are no integers.
template <typename Where>
std::uint32_t ColumnWriter::index_bytes(const Field &field, const std::byte *structs, const Where &places)
{
    auto values_at = body_.size();
    std::uint32_t count = 0;
    with_width(field.width, [&](auto width) {
        auto value_of = [&](std::size_t number) { return body_.data() + values_at + (number - 1) * width(); };
        slots_.assign(256, 0);    // number of the value, from 1
        std::uint16_t before = 0; // of the last one: most fields repeat themselves
        auto find = [&](const std::byte *value) -> std::uint16_t & {
            auto slot = (XXH3_64bits(value, width()) >> 32) & (slots_.size() - 1);
            while (slots_[slot] != 0 && std::memcmp(value_of(slots_[slot]), value, width()) != 0)
                slot = (slot + 1) & (slots_.size() - 1);
            return slots_[slot];
        };
        for (std::size_t i = 0; i < places.size(); i++) {
            const auto *value = structs + places.at(i) + field.offset;
            if (before != 0 && std::memcmp(value_of(before), value, width()) == 0) {
                indexes_[i] = static_cast<std::uint16_t>(before - 1);
                continue;
            }
            auto &number = find(value);
            if (number == 0) {
                number = static_cast<std::uint16_t>(++count);
                body_.append({value, width()});
            }
            before = number;
            indexes_[i] = static_cast<std::uint16_t>(number - 1);
            if (count > slots_.size() / 2) {
                slots_.assign(4 * slots_.size(), 0);
                for (std::uint32_t known = 1; known <= count; known++)
                    find(value_of(known)) = static_cast<std::uint16_t>(known);
            }
        }
    });
    return count;
}

void ColumnWriter::finish(ByteBuffer &out)
{
    out.put(static_cast<std::uint32_t>(entries_.size()));
    for (const auto &entry : entries_)
        out.put(entry);
    out.append(body_.bytes());
    entries_.clear();
    body_.clear();
}

std::optional<std::vector<Column>> find_columns(std::span<const std::byte> payload)
{
    constexpr std::size_t most = 4096;
    if (payload.size() < sizeof(std::uint32_t))
        return std::nullopt;
    std::size_t count = load<std::uint32_t>(payload.data());
    payload = payload.subspan(sizeof(std::uint32_t));
    if (count > most || payload.size() < count * sizeof(ColumnEntry))
        return std::nullopt;
    auto bytes = payload.subspan(count * sizeof(ColumnEntry));
    std::vector<Column> columns(count);
    for (auto &column : columns) {
        column.entry = load<ColumnEntry>(payload.data());
        payload = payload.subspan(sizeof(ColumnEntry));
        if (bytes.size() < column.entry.size)
            return std::nullopt;
        column.bytes = bytes.first(column.entry.size);
        bytes = bytes.subspan(column.entry.size);
    }
    if (!bytes.empty())
        return std::nullopt;
    return columns;
}

bool fill_column(const Column &column, std::size_t part_size, std::byte *structs, const Places &places,
                 std::uint64_t &unknown)
{
    const auto &entry = column.entry;
    auto fits = [&](std::size_t offset) { return offset + entry.width <= part_size; };
    if (!fits(entry.offset) || !fits(entry.base)) {
        unknown++;
        return true;
    }
    switch (entry.coding) {
    case Coding::Bytes:
        if (column.bytes.size() != places.size() * entry.width)
            return false;
        for (std::size_t i = 0; i < places.size(); i++)
            std::memcpy(structs + places.at(i) + entry.offset, column.bytes.data() + i * entry.width, entry.width);
        return true;
    case Coding::Numbers:
    case Coding::Deltas:
    case Coding::DeltasByConnection:
    case Coding::Beyond: {
        bool sound = true;
        return with_integer(entry.width, [&]<typename T>(T) { sound = fill_integers<T>(column, structs, places); }) &&
               sound;
    }
    case Coding::Dictionary:
    case Coding::PackedDictionary: return fill_dictionary(column, structs, places);
    case Coding::Connections: break; // its place is taken by whoever reads the header
    }
    unknown++;
    return true;
}

} // namespace tcpflight

#include "recording/columns.h"

#include "recording/format.h"
#include "recording/numbers.h"

#include <xxhash.h>

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

template <typename T>
void put_integers(const Field &field, const std::byte *structs, const Places &places, std::vector<std::uint64_t> &last,
                  ByteBuffer &out)
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
        last.assign(max_block_count, 0);
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
    default: use([width] { return width; }); break;
    }
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
    auto numbers = Numbers::take(rest, places.size());
    if (!numbers || !rest.empty())
        return false;
    bool sound = true;
    with_width(field_width, [&](auto width) {
        numbers->for_each([&](std::size_t i, std::uint64_t index) {
            if (index < count)
                std::memcpy(structs + places.at(i) + column.entry.offset, values + index * width(), width());
            else
                sound = false;
        });
    });
    return sound;
}

} // namespace

void ColumnWriter::add(const Part &part, const std::byte *structs, const Places &places)
{
    if (places.size() == 0)
        return;
    for (const auto &field : part.fields) {
        if (field.coding == Coding::Connections)
            continue;
        ColumnEntry entry{.part = part.number,
                          .coding = field.coding,
                          .offset = field.offset,
                          .width = field.width,
                          .base = field.base};
        add(entry, [&](ByteBuffer &out) {
            if (field.coding == Coding::Dictionary)
                add_dictionary(field, structs, places);
            else
                with_integer(field.width, [&]<typename T>(T) { put_integers<T>(field, structs, places, last_, out); });
        });
    }
}

void ColumnWriter::add_dictionary(const Field &field, const std::byte *structs, const Places &places)
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
    put_numbers(body_, places.size(), [&](std::size_t i) { return indexes_[i]; });
}

// Appends the values, and fills indexes_. Returns how many values there are.
template <typename T>
std::uint32_t ColumnWriter::index_integers(const Field &field, const std::byte *structs, const Places &places)
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
std::uint32_t ColumnWriter::index_bytes(const Field &field, const std::byte *structs, const Places &places)
{
    auto values_at = body_.size();
    std::uint32_t count = 0;
    with_width(field.width, [&](auto width) {
        auto value_of = [&](std::size_t number) { return body_.data() + values_at + (number - 1) * width(); };
        slots_.assign(256, 0); // number of the value, from 1
        auto find = [&](const std::byte *value) -> std::uint16_t & {
            auto slot = (XXH3_64bits(value, width()) >> 32) & (slots_.size() - 1);
            while (slots_[slot] != 0 && std::memcmp(value_of(slots_[slot]), value, width()) != 0)
                slot = (slot + 1) & (slots_.size() - 1);
            return slots_[slot];
        };
        for (std::size_t i = 0; i < places.size(); i++) {
            const auto *value = structs + places.at(i) + field.offset;
            auto &number = find(value);
            if (number == 0) {
                number = static_cast<std::uint16_t>(++count);
                body_.append({value, width()});
            }
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
    case Coding::Dictionary: return fill_dictionary(column, structs, places);
    case Coding::Connections: break; // its place is taken by whoever reads the header
    }
    unknown++;
    return true;
}

} // namespace tcpflight

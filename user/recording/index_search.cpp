#include "recording/index_search.h"

#include "recording/block.h"
#include "recording/plain_blocks.h"

#include <algorithm>
#include <vector>

namespace tcpflight {
namespace {

struct Block {
    BlockHeader header;
    std::vector<std::byte> payload; // unpacked
};

IoResult<std::vector<std::byte>> read_stretch(InputFile &file, std::uint64_t offset, std::size_t size)
{
    std::vector<std::byte> bytes(size);
    std::size_t held = 0;
    while (held < size) {
        auto count = file.read_at(offset + held, std::span(bytes).subspan(held));
        if (!count)
            return tl::unexpected(count.error());
        if (*count == 0)
            break;
        held += *count;
    }
    bytes.resize(held);
    return bytes;
}

// None: there is no block that is whole.
IoResult<std::optional<Block>> read_block(InputFile &file, std::uint64_t offset)
{
    auto bytes = read_stretch(file, offset, sizeof(BlockHeader));
    if (!bytes)
        return tl::unexpected(bytes.error());
    auto header = bytes->size() == sizeof(BlockHeader) ? read_block_header(*bytes) : std::nullopt;
    if (!header)
        return std::nullopt;
    auto packed = read_stretch(file, offset + sizeof(BlockHeader), header->size);
    if (!packed)
        return tl::unexpected(packed.error());
    BlockUnpacker unpacker;
    auto payload = packed->size() == header->size ? unpacker.unpack(*header, *packed) : std::nullopt;
    if (!payload)
        return std::nullopt;
    return Block{*header, {payload->begin(), payload->end()}};
}

// The last block that begins in the last `size` bytes and whose header is sound: its offset.
IoResult<std::optional<std::uint64_t>> find_last_block(InputFile &file, std::uint64_t size)
{
    auto begin = file.size() - std::min(file.size(), size);
    auto bytes = read_stretch(file, begin, static_cast<std::size_t>(file.size() - begin));
    if (!bytes)
        return tl::unexpected(bytes.error());
    const auto mark = std::as_bytes(std::span(BlockHeader::block_mark));
    auto end = bytes->end();
    for (;;) {
        auto found = std::find_end(bytes->begin(), end, mark.begin(), mark.end());
        if (found == end)
            return std::nullopt;
        auto rest = std::span(*bytes).subspan(static_cast<std::size_t>(found - bytes->begin()));
        if (rest.size() >= sizeof(BlockHeader) && read_block_header(rest.first(sizeof(BlockHeader))))
            return begin + static_cast<std::uint64_t>(found - bytes->begin());
        end = found + static_cast<std::ptrdiff_t>(mark.size()) - 1;
    }
}

std::optional<IndexItem> search(const std::vector<IndexItem> &index, std::int64_t wall_ns)
{
    std::optional<IndexItem> best;
    for (const auto &item : index) {
        if (item.wall_ns > wall_ns)
            break;
        best = item;
    }
    return best;
}

// From the last entry point back; each says where the one before it is.
IoResult<std::vector<IndexItem>> walk_back(InputFile &file, std::uint64_t offset)
{
    std::vector<IndexItem> index;
    for (auto limit = file.size(); offset != 0 && offset < limit;) {
        auto block = read_block(file, offset);
        if (!block)
            return tl::unexpected(block.error());
        auto entry = *block && (*block)->header.kind == BlockKind::Entry ? get_entry((*block)->payload) : std::nullopt;
        if (!entry)
            break;
        const auto &header = (*block)->header;
        index.push_back({.offset = offset,
                         .time_ns = header.first_ns,
                         .wall_ns = entry->clock.to_wall(header.first_ns),
                         .first_record = header.first_record});
        limit = offset;
        offset = header.entry_offset;
    }
    std::reverse(index.begin(), index.end());
    return index;
}

} // namespace

IoResult<std::optional<IndexItem>> find_entry(InputFile &file, std::int64_t wall_ns)
{
    std::optional<std::uint64_t> last;
    for (std::uint64_t size : {std::uint64_t{64} << 10, std::uint64_t{2} * max_block_size}) {
        auto found = find_last_block(file, size);
        if (!found)
            return tl::unexpected(found.error());
        last = *found;
        if (last)
            break;
    }
    auto block = last ? read_block(file, *last) : IoResult<std::optional<Block>>(std::nullopt);
    if (!block)
        return tl::unexpected(block.error());
    if (!*block)
        return std::nullopt;
    const auto &header = (*block)->header;
    auto index = header.kind == BlockKind::End ? get_index((*block)->payload) : std::nullopt;
    if (!index) {
        auto walked = walk_back(file, header.kind == BlockKind::Entry ? *last : header.entry_offset);
        if (!walked)
            return tl::unexpected(walked.error());
        index = std::move(*walked);
    }
    auto item = search(*index, wall_ns);
    if (!item)
        return std::nullopt;
    auto entry = read_block(file, item->offset);
    if (!entry)
        return tl::unexpected(entry.error());
    if (!*entry || (*entry)->header.kind != BlockKind::Entry)
        return std::nullopt; // the index is wrong: reading from the begin is right in any case
    item->first_record = (*entry)->header.first_record;
    item->time_ns = (*entry)->header.first_ns;
    return item;
}

} // namespace tcpflight

#include "recording/entry_search.h"

#include "recording/block.h"
#include "recording/plain_blocks.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tcpflight {
namespace {

struct Block {
    std::uint64_t offset = 0;
    BlockHeader header;
};

class Search {
public:
    explicit Search(InputFile &file) : file_(file) {}

    IoResult<std::vector<IndexItem>> entries()
    {
        auto last = last_block();
        if (!last)
            return tl::unexpected(last.error());
        if (!*last)
            return std::vector<IndexItem>{};
        if ((*last)->header.kind == BlockKind::End) {
            auto payload = payload_of(**last);
            if (!payload)
                return tl::unexpected(payload.error());
            if (auto index = *payload ? get_index(**payload) : std::nullopt)
                return std::move(*index);
        }
        return chain((*last)->header.kind == BlockKind::Entry ? (*last)->offset : (*last)->header.entry_offset);
    }

    // None: there is no sound Entry block.
    IoResult<std::optional<Block>> entry_at(std::uint64_t offset)
    {
        ByteBuffer bytes;
        if (auto done = read(offset, sizeof(BlockHeader), bytes); !done)
            return tl::unexpected(done.error());
        auto header = bytes.size() < sizeof(BlockHeader) ? std::nullopt : read_block_header(bytes.bytes());
        if (!header || header->kind != BlockKind::Entry)
            return std::nullopt;
        return Block{.offset = offset, .header = *header};
    }

private:
    IoResult<void> read(std::uint64_t offset, std::size_t size, ByteBuffer &out)
    {
        out.clear();
        while (out.size() < size) {
            auto held = out.size();
            auto *room = out.extend(size - held);
            auto count = file_.read_at(offset + held, {room, size - held});
            out.cut(held + count.value_or(0));
            if (!count)
                return tl::unexpected(count.error());
            if (*count == 0)
                break;
        }
        return {};
    }

    // Reads back from the end, in steps that grow: the last block may be as large as a block can be, or damaged.
    IoResult<std::optional<Block>> last_block()
    {
        constexpr std::uint64_t first_step = std::uint64_t{64} << 10;
        constexpr std::uint64_t last_step = std::uint64_t{16} << 20;
        auto end = file_.size();
        for (auto step = first_step; step <= last_step; step *= 4) {
            auto begin = end - std::min(end, step);
            if (auto done = read(begin, static_cast<std::size_t>(end - begin), tail_); !done)
                return tl::unexpected(done.error());
            if (auto block = last_block_in_tail(begin))
                return block;
            if (begin == 0)
                break;
        }
        return std::nullopt;
    }

    std::optional<Block> last_block_in_tail(std::uint64_t begin)
    {
        std::string_view tail(reinterpret_cast<const char *>(tail_.data()), tail_.size());
        std::string_view mark(BlockHeader::block_mark.data(), BlockHeader::block_mark.size());
        for (auto at = tail.rfind(mark); at != std::string_view::npos; at = tail.rfind(mark, at - 1)) {
            if (tail.size() - at >= sizeof(BlockHeader))
                if (auto header = read_block_header(tail_.bytes().subspan(at)))
                    return Block{.offset = begin + at, .header = *header};
            if (at == 0)
                break;
        }
        return std::nullopt;
    }

    IoResult<std::optional<std::span<const std::byte>>> payload_of(const Block &block)
    {
        if (auto done = read(block.offset + sizeof(BlockHeader), block.header.size, payload_); !done)
            return tl::unexpected(done.error());
        if (!BlockUnpacker::is_sound(block.header, payload_.bytes()))
            return std::nullopt;
        return unpacker_.unpack(block.header, payload_.bytes());
    }

    // From `offset` back to the first, or to where damage breaks the chain.
    IoResult<std::vector<IndexItem>> chain(std::uint64_t offset)
    {
        std::vector<IndexItem> entries;
        while (offset != 0) {
            auto block = entry_at(offset);
            if (!block)
                return tl::unexpected(block.error());
            if (!*block)
                break;
            auto payload = payload_of(**block);
            if (!payload)
                return tl::unexpected(payload.error());
            auto entry = *payload ? get_entry(**payload) : std::nullopt;
            if (!entry)
                break;
            const auto &header = (*block)->header;
            entries.push_back({.offset = offset,
                               .time_ns = header.first_ns,
                               .wall_ns = entry->clock.to_wall(header.first_ns),
                               .first_record = header.first_record});
            if (header.entry_offset >= offset)
                break;
            offset = header.entry_offset;
        }
        std::ranges::reverse(entries);
        return entries;
    }

    InputFile &file_;
    BlockUnpacker unpacker_;
    ByteBuffer tail_;
    ByteBuffer payload_;
};

} // namespace

IoResult<std::uint64_t> find_entry_before(InputFile &file, std::int64_t wall_ns)
{
    Search search(file);
    auto entries = search.entries();
    if (!entries)
        return tl::unexpected(entries.error());
    // Where the clock was set back, times occur twice; the first occurrence must not be passed over.
    auto end = std::ranges::find_if(*entries, [&](const IndexItem &item) { return item.wall_ns >= wall_ns; });
    if (end == entries->begin())
        return 0;
    auto offset = std::prev(end)->offset;
    auto found = search.entry_at(offset);
    if (!found)
        return tl::unexpected(found.error());
    return *found ? offset : 0;
}

} // namespace tcpflight

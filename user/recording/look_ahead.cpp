#include "recording/look_ahead.h"

#include "recording/plain_blocks.h"

#include <string_view>
#include <utility>

namespace tcpflight {

Ahead look_ahead(std::span<const std::byte> bytes, BlockUnpacker &blocks)
{
    constexpr std::string_view mark(BlockHeader::block_mark.data(), BlockHeader::block_mark.size());
    // A file can be made in which each payload holds all others.
    std::size_t may_check = 2 * max_look_ahead;
    const std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    Ahead ahead;
    for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
        auto rest = bytes.subspan(at);
        auto header = rest.size() < sizeof(BlockHeader) ? std::nullopt : read_block_header(rest);
        if (!header)
            continue;
        const bool is_start = header->kind == BlockKind::Start && !std::exchange(ahead.has_block, true);
        ahead.has_block = true;
        rest = rest.subspan(sizeof(BlockHeader));
        if ((!is_start && header->kind != BlockKind::Entry) || header->size > rest.size())
            continue;
        if (header->size > may_check)
            break;
        may_check -= header->size;
        auto packed = rest.first(header->size);
        auto payload = BlockUnpacker::is_sound(*header, packed) ? blocks.unpack(*header, packed) : std::nullopt;
        if (is_start && payload && (ahead.start = get_start(*payload)))
            break;
        if (auto entry = payload && !is_start ? get_entry(*payload) : std::nullopt) {
            ahead.clock = entry->clock;
            break;
        }
    }
    return ahead;
}

} // namespace tcpflight

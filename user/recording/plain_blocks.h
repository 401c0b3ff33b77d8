// The payloads of the blocks that hold no columns.
#pragma once

#include "recording/byte_buffer.h"
#include "recording/format.h"
#include "table/known_connection.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace tcpflight {

void put_start(const StartInfo &start, ByteBuffer &out);
void put_clock(const ClockAnchor &clock, ByteBuffer &out);
void put_entry(const ClockAnchor &clock, const KnownGaps &gaps, std::span<const KnownCgroup> cgroups, ByteBuffer &out);
void put_index(std::span<const IndexItem> index, ByteBuffer &out);

struct EntryInfo {
    ClockAnchor clock;
    KnownGaps gaps;
    std::vector<KnownCgroup> cgroups;
};

// None: the payload is not what the function above makes.
std::optional<StartInfo> get_start(std::span<const std::byte> payload);
std::optional<ClockAnchor> get_clock(std::span<const std::byte> payload);
std::optional<EntryInfo> get_entry(std::span<const std::byte> payload);
std::optional<std::vector<IndexItem>> get_index(std::span<const std::byte> payload);

} // namespace tcpflight

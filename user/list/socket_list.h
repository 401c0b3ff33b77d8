// The sockets of a snapshot, as `tcpflight list` shows them: filtered and in order.
#pragma once

#include "filter/filter.h"
#include "list/sort_key.h"
#include "model/cgroups.h"
#include "model/event.h"
#include "model/holder.h"
#include "tcpflight/control.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tcpflight {

struct ListedSocket {
    std::uint64_t cookie = 0;
    std::uint64_t time_ns = 0; // when it was looked at
    Identity identity;         // the owner is the holder that began first
    Found found;
    std::span<const Holder> holders; // one for each descriptor
};

class SocketList {
public:
    // `records` (TF_RECORD_FOUND, with identities) must be sound; of a socket that occurs twice the later counts.
    // `cgroups`: those that are there.
    SocketList(std::span<const std::byte> records, std::span<const tf_holder> holders, const Filter &filter,
               const Cgroups &cgroups);
    SocketList(const SocketList &) = delete;
    SocketList &operator=(const SocketList &) = delete;

    void sort(SortKey key);

    [[nodiscard]] std::span<const ListedSocket> sockets() const { return sockets_; }

private:
    [[nodiscard]] std::span<const Holder> holders_of(std::uint64_t cookie) const;
    void group(std::span<const tf_holder> holders);

    std::vector<Holder> holders_;                                                   // those of a socket in a row
    tsl::robin_map<std::uint64_t, std::pair<std::uint32_t, std::uint32_t>> groups_; // cookie > begin and end there
    std::vector<ListedSocket> sockets_;
};

} // namespace tcpflight

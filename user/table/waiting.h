// What the looks at the sockets (probe/sweeper) tell of those that wait, for their process or for the other end: of
// that there are no events. It comes as records, for the verdicts and for a recording.
#pragma once

#include "model/look.h"
#include "model/meanwhile.h"
#include "table/table.h"

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpflight {

class Waiting {
public:
    // `table` has seen every event up to `now_ns`, CLOCK_BOOTTIME, which is behind the end of the look. What waited at
    // the look before is told of again, also if it does not now. A connection that has had an event since the look
    // began is left out: it moved. One whose other end ought to be on this host, and is not
    // there, is told of at two looks: the first can come before the end of the other is known.
    std::vector<std::byte> find(const Table &table, const Look &look, std::uint64_t now_ns, Meanwhile &meanwhile);

private:
    static constexpr std::uint32_t deserted_told = 2;

    tsl::robin_set<std::uint64_t> told_;                    // cookies: at the last look
    tsl::robin_map<std::uint64_t, std::uint32_t> deserted_; // likewise > how often it was told
};

} // namespace tcpflight

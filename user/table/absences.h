// What the looks at the sockets (probe/sweeper) tell of the connections that are known: which of them are not there any
// more, and which orphans in FIN_WAIT2 are in TIME_WAIT by now. It comes as records, for the table and for a recording.
//
// A socket that moves while it is looked for can be overlooked. So whatever should be there has to be missing twice;
// only a TIME_WAIT whose time is over need not.
#pragma once

#include "model/look.h"
#include "model/meanwhile.h"
#include "table/table.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpflight {

class Absences {
public:
    // `table` has seen every event up to the end of the look. `now_ns`, CLOCK_BOOTTIME: for the time stamps of what was
    // found missing; not before the end of the look. Looks are passed in the order of time. `meanwhile`, here and in
    // the like: `table` stays as it is.
    std::vector<std::byte> compare(const Table &table, const Look &look, std::uint64_t now_ns, Meanwhile &meanwhile);

    // Is anything missing that only another look can make sure of?
    [[nodiscard]] bool is_in_doubt() const { return !missing_.empty(); }

private:
    struct Sign { // of a TIME_WAIT
        std::uint64_t seen_ns = 0;
        std::uint64_t expires_ns = 0;
    };
    struct Comparison;

    tsl::robin_map<std::uint64_t, Sign> signs_;            // cookie > at the last look
    tsl::robin_map<std::uint64_t, std::uint64_t> missing_; // cookie > the end of the look that missed it first
};

} // namespace tcpflight

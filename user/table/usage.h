// How much of what a network namespace has is taken, as a look at the sockets (probe/sweeper) shows it.
#pragma once

#include "model/look.h"
#include "model/meanwhile.h"
#include "model/usage.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tcpflight {

// Only what is taken by half and more.
std::vector<Usage> count_usage(const Look &look, Meanwhile &meanwhile);

// The same as records (TF_RECORD_USAGE), for the verdicts and for a recording.
class UsageTeller {
public:
    // `now_ns`, CLOCK_BOOTTIME, is behind the end of the look. What was much at the look before and is not now is told
    // of once more.
    std::vector<std::byte> tell(const Look &look, std::uint64_t now_ns, Meanwhile &meanwhile);

private:
    std::map<UsageKey, Usage> told_; // at the last look
};

} // namespace tcpflight

// How network namespaces are set, as a look (probe/sweeper) shows it, as records: for the verdicts and for a recording.
#pragma once

#include "model/look.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace tcpflight {

// A TF_RECORD_SETTINGS for each.
std::vector<std::byte> settings_records(std::span<const NetnsLimits> limits, std::uint64_t time_ns);

class SettingsTeller {
public:
    // Of a look: what was not told before, has changed, or was told a minute ago, for those who begin to read in the
    // middle. `now_ns`: CLOCK_BOOTTIME, behind the end of the look.
    std::vector<std::byte> tell(const Look &look, std::uint64_t now_ns);

    static constexpr std::uint64_t again_ns = 60'000'000'000;

private:
    struct Told {
        NetnsSettings settings;
        std::uint64_t time_ns = 0;
    };

    std::map<std::uint32_t, Told> told_; // by namespace; of those that are there
};

} // namespace tcpflight

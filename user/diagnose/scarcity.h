// The family "pressure", as looks show it: ports and TIME_WAITs, of which there are only so many.
#pragma once

#include "diagnose/thresholds.h"
#include "model/usage.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace tcpflight {

class Scarcity {
public:
    explicit Scarcity(const Thresholds &thresholds) : thresholds_(thresholds) {}

    // So much is taken of something at `time_ns`; looks are passed in the order of time. Each is said once, until there
    // is enough again.
    std::optional<Verdict> judge(const Usage &usage, std::uint64_t time_ns);
    void clear() { known_.clear(); }

    // When there are more, which a damaged recording can have, all are forgotten.
    static constexpr std::size_t capacity = 65'536;

private:
    struct Known {
        std::uint64_t time_ns = 0;
        std::uint32_t taken = 0;
        bool said = false;
    };

    Thresholds thresholds_;
    std::map<UsageKey, Known> known_; // at the last look that told of it
};

} // namespace tcpflight

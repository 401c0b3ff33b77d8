// The family "pressure", as looks show it: ports and TIME_WAITs, of which there are only so many.
#pragma once

#include "diagnose/thresholds.h"
#include "model/usage.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace tcpflight {

class Scarcity {
public:
    explicit Scarcity(const Thresholds &thresholds) : thresholds_(thresholds) {}

    // What much is taken of at `time_ns`; looks are passed in the order of time. What there is to say: of the so
    // manieth of `usage`. Each is said once, until there is enough again.
    std::vector<std::pair<std::size_t, Verdict>> judge(std::span<const Usage> usage, std::uint64_t time_ns);
    void clear() { known_.clear(); }

private:
    using Key = std::tuple<Usage::Kind, std::uint32_t, std::array<std::uint8_t, 16>, std::array<std::uint8_t, 16>,
                           std::uint16_t>; // namespace, addresses, remote port
    struct Known {
        std::uint64_t time_ns = 0;
        std::uint32_t taken = 0;
        bool said = false;
    };

    static Key key_of(const Usage &usage);

    Thresholds thresholds_;
    std::map<Key, Known> known_; // at the last look
};

} // namespace tcpflight

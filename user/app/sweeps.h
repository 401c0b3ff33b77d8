// When to look at all sockets, and what comes of it: the ends that nobody saw, and what waits.
#pragma once

#include "model/look.h"
#include "model/meanwhile.h"
#include "model/result.h"
#include "probe/sweeper.h"
#include "table/absences.h"
#include "table/settings.h"
#include "table/table.h"
#include "table/usage.h"
#include "table/waiting.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace tcpflight {

class Sweeps {
public:
    // The descriptor is in the event loop already. `period_ns`: between the end of a look and the next one, at least.
    Sweeps(Sweeper sweeper, std::uint64_t period_ns) : sweeper_(std::move(sweeper)), period_ns_(period_ns) {}

    // Does anything wait for a look? To be told before each due_ns().
    void want(bool wanted);
    // CLOCK_BOOTTIME; none: no look is due before something wants one, or the one under way has come.
    [[nodiscard]] std::optional<std::uint64_t> due_ns() const { return due_ns_; }
    // Asks for a look if one is due. An error: there will be no more looks. `consumed`: records so far, here and below.
    Result<void> tick(std::uint64_t consumed);
    // EventLoop::Wake::Look. True: a look is whole.
    Result<bool> collect();
    // Of a look that is whole, if `table` has seen all events up to `until_ns` and that is behind its end: what became
    // of the connections, which of them wait, what much is taken of, and how the namespaces are set, as records. None:
    // there is no such look.
    std::optional<std::vector<std::byte>> compare(const Table &table, std::uint64_t until_ns, std::uint64_t consumed,
                                                  Meanwhile &meanwhile);
    // Nothing has happened since a look at which there were listeners at most, and those wait for nothing.
    [[nodiscard]] bool is_still(std::uint64_t consumed) const { return still_at_ == consumed; }

    // Is anything in doubt that the next look decides?
    [[nodiscard]] bool is_in_doubt() const { return absences_.is_in_doubt(); }

private:
    Sweeper sweeper_;
    std::uint64_t period_ns_;
    Absences absences_;
    Waiting waiting_;
    UsageTeller usage_;
    SettingsTeller settings_;
    std::optional<std::uint64_t> due_ns_;
    std::optional<Look> look_;
    std::uint64_t asked_at_ = 0; // records that were consumed when the last look was asked for
    std::optional<std::uint64_t> still_at_;
    bool under_way_ = false;
    std::uint64_t rest_ns_ = 0; // after the last look
};

} // namespace tcpflight

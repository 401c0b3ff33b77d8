// The family "stuck": connections that wait, without an event, for a process or for the other end. They are found by
// looking again and again (table/waiting.h).
//
// What a process leaves undone it leaves undone many times: a verdict is about the connection of an owner that has
// waited longest, and counts the others. It is said again when there are ten times as many.
#pragma once

#include "diagnose/story.h"
#include "diagnose/thresholds.h"
#include "model/event.h"

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace tcpflight {

// What a socket can wait for, by the verdict that comes of it.
constexpr std::array stuck_kinds{VerdictKind::CloseWaitHeld, VerdictKind::FinWaitHeld, VerdictKind::AcceptStalled,
                                 VerdictKind::ZeroWindow,    VerdictKind::Unread,      VerdictKind::ProbesUnanswered};

// Does this connection wait in this way now? `found`: as it was just seen.
bool waits_for(VerdictKind kind, const Story &story, const Found &found, const Thresholds &thresholds);
// How long it may; 0: not at all.
std::uint64_t patience_ns(VerdictKind kind, const Thresholds &thresholds);
// Since when it does, as far as events tell; 0: they do not.
std::uint64_t waits_since_ns(VerdictKind kind, const Story &story);

class Stuck {
public:
    struct Case {
        VerdictKind kind = VerdictKind::CloseWaitHeld;
        std::uint64_t connection = 0; // the one that has waited longest
        std::uint32_t slot = no_slot;
        std::uint64_t since_ns = 0;
        std::uint32_t alike = 0;
        std::uint32_t queued = 0; // bytes
        std::uint32_t probes = 0;
        std::uint64_t next_probe_ns = 0;
    };

    // A socket that waits, seen at event.time_ns.
    void see(const Event &event, const Found &found, const Story &story, std::uint32_t slot,
             const Thresholds &thresholds);
    // Has a look begun whose end is not known yet? It is over with the first event that is later.
    [[nodiscard]] bool is_looking() const { return look_ns_ != 0; }
    [[nodiscard]] std::uint64_t look_ns() const { return look_ns_; }
    // The look is over: what there is to say that was not said.
    std::vector<Case> conclude();
    void clear();

private:
    struct Watch {
        std::array<std::uint64_t, stuck_kinds.size()> since_ns{}; // 0: it does not wait in this way
        std::uint64_t seen_ns = 0;                                // the last look that saw it
        std::uint32_t unread = 0;
    };
    struct CookieHash {
        std::size_t operator()(std::uint64_t cookie) const { return (cookie * 0x9e3779b97f4a7c15U) >> 32; }
    };
    using Group = std::pair<VerdictKind, std::uint64_t>; // of a process, or of a connection without one

    tsl::robin_map<std::uint64_t, Watch, CookieHash> watched_; // cookie > what the last looks saw
    std::map<Group, Case> cases_;                              // of this look
    std::map<Group, std::uint32_t> said_;                      // how many were alike when it was said last
    std::uint64_t look_ns_ = 0;
};

} // namespace tcpflight

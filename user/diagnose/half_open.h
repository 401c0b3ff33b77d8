// The family "half-open" (RFC 9293 section 3.5.1): one end believes in a connection that the other end, or the way to
// it, no longer has.
#pragma once

#include "diagnose/story.h"
#include "diagnose/thresholds.h"

#include <optional>

namespace tcpflight {

// After a retransmission: nothing has come back for so many time-outs that the connection is taken for broken.
std::optional<Verdict> judge_silence(const Story &story, const Thresholds &thresholds);

// Does this event of a connection that was called half-open show that the other end has acknowledged something?
bool is_answered(const Event &event);

// One that was called half-open a minute ago can be again, if it was not all the time.
constexpr std::uint64_t half_open_again_ns = 60'000'000'000;

// `story` was deserted, and is there still, as `found` shows: does keepalive find that, and when at the latest?
std::optional<Verdict> judge_deserted(const Story &story, const Found &found, std::uint64_t time_ns,
                                      const NetnsSettings &settings);

// Can a connection that ends like this leave its other end behind, which is not told?
bool can_desert(VerdictKind end);
// `story` is alive, and its other end, on this host, has ended so: has it been left behind?
bool is_deserted(const Story &story);

} // namespace tcpflight

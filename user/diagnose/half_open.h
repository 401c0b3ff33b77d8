// The family "half-open" (RFC 9293 section 3.5.1): one end believes in a connection that the other end, or the way to
// it, no longer has.
#pragma once

#include "diagnose/story.h"
#include "diagnose/thresholds.h"

#include <optional>

namespace tcpflight {

// After a retransmission: nothing has come back for so many time-outs that the connection is taken for broken.
std::optional<Verdict> judge_silence(const Story &story, const Thresholds &thresholds);

// `other` is the other end of `story`, on this host, and has ended as `end` says; `story` is alive: has it been left
// behind without being told?
bool is_deserted(const Story &story, const Verdict &end);

} // namespace tcpflight

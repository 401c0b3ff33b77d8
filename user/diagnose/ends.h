// The family "ends": why a connection is over.
#pragma once

#include "diagnose/story.h"

namespace tcpflight {

// `story` has ended. Always an answer: Unclear where the rules have none.
VerdictKind kind_of_end(const Story &story);
// That, with its evidence.
Verdict judge_end(const Story &story);

// What every verdict about this connection says, of whatever family: times, who closed, what was repeated.
Verdict evidence_of(const Story &story, VerdictKind kind, std::uint64_t about_ns);

} // namespace tcpflight

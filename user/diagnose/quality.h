// The family "pressure", of the way of one connection: how much of what is sent is lost there, and how long it takes.
#pragma once

#include "diagnose/story.h"
#include "diagnose/thresholds.h"

#include <optional>

namespace tcpflight {

// A burst of losses is over within some round trips: so long they must go on.
constexpr std::uint64_t loss_over_ns = 1'000'000'000;
// Fewer segments that are sent again say nothing of a rate.
constexpr std::uint32_t least_repeated = 10;
// RFC 1122 section 4.2.3.2: an ACK may be delayed for less than that, and a round trip takes so much longer.
constexpr std::uint64_t longest_delayed_ack_ns = 500'000'000;

// After a retransmission: was so much sent again, of what was sent in the same time, that the way loses it?
std::optional<Verdict> judge_loss(const Story &story, const Thresholds &thresholds);

// After that was said: was there a time since then in which less was lost?
bool is_loss_over(const Story &story, const Thresholds &thresholds);

// After a retransmission: has a round trip taken far longer than the shortest one, for a second or more?
std::optional<Verdict> judge_slowness(Story &story, std::uint32_t rtt_us, std::uint64_t time_ns,
                                      const Thresholds &thresholds);

// At the end of a connection: did a round trip take far longer than the shortest one?
std::optional<Verdict> judge_rtt(const Story &story, const Traffic &traffic, const Thresholds &thresholds);

} // namespace tcpflight

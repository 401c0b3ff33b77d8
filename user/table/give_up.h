// When the kernel stops to send again and ends a connection with ETIMEDOUT.
#pragma once

#include "tcpflight/records.h"

#include <cstdint>
#include <optional>

namespace tcpflight {

// The time from a retransmission by time-out until the time-out at which the kernel gives up, nanoseconds, if nothing
// is acknowledged until then. Worked out as the kernel does (tcp_write_timeout() in net/ipv4/tcp_timer.c), one time-out
// after the other, because it looks at the limits only when one expires. `rto_us`: the one that just expired. None
// where it is not known.
//
// Real timers expire a little later, up to an eighth of their time (kernel/time/timer.c); what is told allows for what
// is usual.
std::optional<std::uint64_t> time_until_give_up_ns(const tf_retransmission &record, std::uint8_t state,
                                                   std::uint32_t rto_us);

// The same for a probe that gets no answer, nor any after it (tcp_probe_timer() and tcp_keepalive_timer()), and how
// long until the next one; if that is the end, the connection ends then. None where it is not known.
struct ProbeTimes {
    std::optional<std::uint64_t> next_ns;
    std::optional<std::uint64_t> gives_up_ns;
};
ProbeTimes probe_times(const tf_probe &probe);
// How many may go without an answer.
unsigned probe_limit(const tf_probe &probe);

} // namespace tcpflight

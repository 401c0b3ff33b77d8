// The length of a jiffy.
#pragma once

struct programs;

namespace tcpflight {

// Microseconds (4000 with CONFIG_HZ=250); 0 if the kernel would not tell: then time-outs are not shown. Method and
// source are in bpf/clock_rate.bpf.c. The skeleton must be loaded.
unsigned measure_jiffy_us(programs &skeleton);

} // namespace tcpflight

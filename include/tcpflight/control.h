/*
 * What user space tells the BPF programs, and what they count. Never stored: this may change with every release.
 */
#ifndef TCPFLIGHT_CONTROL_H
#define TCPFLIGHT_CONTROL_H

#include "records.h"

/* One counter line per CPU. A host with more CPUs shares lines; the counts are atomic, so their sums stay exact. */
#define TF_CPU_LINES 256
TF_STATIC_ASSERT((TF_CPU_LINES & (TF_CPU_LINES - 1)) == 0, "used as a mask");

/* One cache line. Read by user space at any time; each counter only grows. */
struct tf_cpu_counters {
	__u64 ring_full;    /* records that found no room */
	__u64 reported;     /* ring_full as of the last TF_RECORD_LOST that this CPU got through */
	__u64 filtered_out; /* events of connections that the filter refused */
	__u64 not_stored;   /* events for which the kernel had no per-socket storage: sent, with their identity */
	__u64 rescued; /* events that on_transition missed because it was interrupted, and on_nested_transition took */
	__u32 busy;    /* not a counter: 1 + the CPU on which on_transition is running now, or 0 */
	__u32 unused[5];
};
TF_STATIC_ASSERT(sizeof(struct tf_cpu_counters) == 64, "one cache line");

/* Which of the two ends a port list speaks of. */
enum tf_port_end { TF_PORT_EITHER = 0, TF_PORT_LOCAL = 1, TF_PORT_REMOTE = 2, TF_PORT_ENDS };

#define TF_PORT_WORDS (65536 / 64)
#define TF_MAX_PIDS   256

enum tf_family_bit {
	TF_FAMILY_IPV4 = 1 << 0, /* v4-mapped included: they are IPv4 on the wire */
	TF_FAMILY_IPV6 = 1 << 1,
};

#endif

/*
 * Maps, settings and counters that the programs share. Declared once here; every object file gets a weak copy, which
 * `bpftool gen object` merges into one.
 *
 * Settings are constants to the verifier: a branch on one that is off costs nothing at run time.
 */
#ifndef TCPFLIGHT_MAPS_BPF_H
#define TCPFLIGHT_MAPS_BPF_H

#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "tcpflight/control.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024); /* replaced by --buffer-size */
} ring __weak SEC(".maps");

enum verdict {
	VERDICT_OPEN = 0, /* not decided, or not decidable yet */
	VERDICT_WANTED,
	VERDICT_REFUSED,
};

/*
 * What is remembered of a socket. A listener's copy is inherited by its children (BPF_F_CLONE) and is there already at
 * their first event, LISTEN > SYN_RECV.
 */
struct remembered {
	__u32 said;   /* the say_epoch in which the identity went out; 0: it did not */
	__u8 verdict; /* enum verdict */
	__u8 source;  /* enum tf_owner_source */
	__u8 unused[2];
	__u32 pid;
	__u32 tid;
	__u64 comm[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct remembered);
} sockets __weak SEC(".maps");

/* The owners asked for with --pid; sized to them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TF_MAX_PIDS);
	__type(key, __u32);
	__type(value, __u8);
} wanted_pids __weak SEC(".maps");

/* --- settings, fixed at load --- */

/* Is there anything to decide in the kernel at all? */
const volatile _Bool filter_active __weak = 0;
const volatile _Bool filter_pids __weak = 0;
const volatile _Bool filter_ports[TF_PORT_ENDS] __weak = {};
const volatile unsigned char filter_families __weak = TF_FAMILY_IPV4 | TF_FAMILY_IPV6;
/* One bit a port. */
const volatile unsigned long long wanted_ports[TF_PORT_ENDS][TF_PORT_WORDS] __weak = {};
/* Does tcp_retransmit_skb have its third argument (Linux 6.17)? Learned from BTF. */
const volatile _Bool retransmit_has_error __weak = 0;
/* State records carry tf_metrics too (-v). */
const volatile _Bool metrics_everywhere __weak = 0;

/* --- shared memory, read and written while tracing --- */

/* Identities said before this epoch are said again. User space adds one where it forgot some. */
volatile unsigned int say_epoch __weak = 1;
/* Microseconds in a jiffy; 0 where user space could not find out. */
volatile unsigned int jiffy_us __weak = 0;
/* What programs/clock_rate found: see clock_rate.bpf.c */
volatile int fin_timeout_jiffies __weak = 0;

struct tf_cpu_counters counters[TF_CPU_LINES] __weak = {};

#endif

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

/* The stages: one a CPU that could ever be there (set by user space). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tf_stage);
} stages __weak SEC(".maps");

/*
 * An owner that has to stay with its socket: that of a listener which may not be alone on its port, which its children
 * inherit (BPF_F_CLONE; for all others see listeners.bpf.h); and one that could not be told because the ring was full.
 */
struct kept_owner {
	__u32 pid;
	__u32 tid;
	__u64 comm[2];
	__u64 source; /* enum tf_owner_source */
	__u64 since;  /* TF_OWNER_SNAPSHOT: when the process began */
	struct tf_owner_place place;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct kept_owner);
} owners __weak SEC(".maps");

/* The child that was born last on this CPU, while it had no cookie of its own: see is_early_birth(). */
struct birth {
	__u64 sk; /* its address, only to be compared */
	__u64 time_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct birth);
} births __weak SEC(".maps");

/* What filter_decide() runs through. Filled before anything is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tf_filter_program);
} filter_program __weak SEC(".maps");

/* --- settings, fixed at load --- */

/* How many criteria the kernel decides; 0: there is nothing to decide. */
const volatile unsigned int filter_ops __weak = 0;
/* What they ask for: bits 1 << enum tf_filter_code. */
const volatile unsigned int filter_asks __weak = 0;
/* Does tcp_retransmit_skb have its third argument (Linux 6.17)? Learned from BTF. */
const volatile _Bool retransmit_has_error __weak = 0;
/* Does tcp_send_reset have its third argument (Linux 6.10)? */
const volatile _Bool reset_has_reason __weak = 0;
/* From the kernel's numbers (enum sk_rst_reason) to enum tf_reset_reason. */
const volatile unsigned char reset_reasons[TF_RESET_KERNEL_REASONS] __weak = {};
/* Packets can be read only with a helper that lockdown=confidentiality refuses. */
const volatile _Bool may_probe_read __weak = 0;
/* Microseconds in a jiffy, in which the kernel keeps time-outs: 1000 to 10000. */
const volatile unsigned int jiffy_us __weak = 0;
/* State records carry tf_metrics too (-v). */
const volatile _Bool metrics_everywhere __weak = 0;
/* Is every SYN recorded? Then the record of ESTABLISHED need not tell how long the handshake took. */
const volatile _Bool syns_are_seen __weak = 0;

/* --- shared memory, read and written while tracing --- */

/* Identities said in another epoch than this (1 to 255) are said again. User space moves it on where it forgot some. */
volatile unsigned int say_epoch __weak = 1;
/* The reader sleeps, and wants to be woken by the next record. */
volatile unsigned int reader_asleep __weak = 0;
/* Are children traced before they have a cookie of their own? Up to 6.12 they are: see is_early_birth(). */
volatile _Bool births_come_early __weak = 0;
/* 0, which the verifier does not know: see unlearned(). */
volatile unsigned int nothing __weak = 0;

/*
 * A number that a branch has taught the verifier keeps two ways apart from there on: it follows what comes behind them
 * twice, and behind three such branches eight times. Of this it learns nothing.
 */
static __always_inline __u32 unlearned(__u32 number)
{
	return __builtin_constant_p(number) ? number : number ^ nothing;
}

/*
 * The same pointer, to follow pointers from. Where a pointer leads that is loaded from what the verifier trusts, such
 * as what a program was handed, it asks: may that be trusted too? This is a search through the names of all the
 * kernel's types, up to four times for each load (Linux 6.3 to 6.18, docs/decisions/0020-what-the-verifier-follows.md).
 * What is not trusted it need not ask about. Only for pointers: reading all else is dearer from here, as each load is
 * guarded.
 *
 * The call that stands here is none of the kernel's; user space puts another one in its place
 * (user/probe/told_types.cpp).
 */
#define untrusted(object, type) ((typeof(object))untrusted_pointer(object, type))

static __always_inline void *untrusted_pointer(const void *object, enum tf_untrusted type)
{
	void *same;

	asm volatile("r1 = %[object]\n"
		     "r2 = %[type]\n"
		     "call %[mark]\n"
		     "%[same] = r0"
		     : [same] "=r"(same)
		     : [object] "r"(object), [type] "i"(type), [mark] "i"(TF_UNTRUSTED_CALL)
		     : "r0", "r1", "r2", "r3", "r4", "r5");
	return same;
}

static __always_inline const struct sock *followable(const struct sock *sk)
{
	return untrusted(sk, TF_UNTRUSTED_SOCK);
}

#endif

/*
 * What is remembered of each socket: one word, in a table that the low bits of the socket's cookie index directly.
 * Nothing is allocated or looked up, and a socket that another one displaced is no loss: what is not remembered is said
 * again or decided again (docs/decisions/0007-one-word-per-socket.md).
 *
 *     63..32  the cookie above the index, and 1 more, so that 0 is nobody's: whose word it is
 *     31..10  pid of the owner; 0: not known
 *      9..2   the say_epoch in which the identity was said; 0: it was not
 *      1..0   enum tf_filter_verdict
 *
 * It is read and written as a whole, so two CPUs whose sockets share a place never mix them up.
 */
#ifndef TCPFLIGHT_MEMORY_BPF_H
#define TCPFLIGHT_MEMORY_BPF_H

#include "maps.bpf.h"

#define MEMORY_BITS 17

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << MEMORY_BITS);
	__type(key, __u32);
	__type(value, __u64);
} memory __weak SEC(".maps");

struct remembered {
	__u32 tag;
	__u32 pid;
	__u8 said;
	__u8 verdict;
};

static __always_inline volatile __u64 *place_of(__u64 cookie)
{
	__u32 index = cookie & ((1 << MEMORY_BITS) - 1);
	return bpf_map_lookup_elem(&memory, &index);
}

static __always_inline void forget(struct remembered *mem)
{
	mem->pid = nothing;
	mem->said = nothing;
	mem->verdict = TF_VERDICT_OPEN ^ nothing;
}

static __always_inline void recall(struct remembered *mem, __u64 cookie)
{
	volatile __u64 *place = place_of(cookie);
	__u64 word = place ? *place : 0; /* never NULL: the index is masked */

	mem->tag = (cookie >> MEMORY_BITS) + 1;
	mem->pid = word >> 10 & 0x3fffff;
	mem->said = word >> 2 & 0xff;
	mem->verdict = word & 3;
	if ((__u32)(word >> 32) != mem->tag)
		forget(mem);
}

/* Was there an event of it lately? Also after the last one. */
static __always_inline _Bool was_seen(__u64 cookie)
{
	volatile __u64 *place = place_of(cookie);

	return place && *place >> 32 == (cookie >> MEMORY_BITS) + 1;
}

static __always_inline void remember(const struct remembered *mem, __u64 cookie)
{
	__u64 word = (__u64)mem->tag << 32 | (__u64)mem->pid << 10 | (__u64)mem->said << 2 | mem->verdict;
	volatile __u64 *place = place_of(cookie);

	if (place && *place != word) /* most events change nothing: leave the cache line shared */
		*place = word;
}

#endif

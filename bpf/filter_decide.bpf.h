/*
 * What the criteria of the filter say of a connection. Functions of their own to the verifier, and of nothing but their
 * arguments: so a test can ask them (tests/live/kernel_filter_test.cpp), and each is verified once.
 *
 * A criterion can be open: what it asks for is not known yet. So there are two results: what holds if everything that
 * is open does not hold, and if it does. Each is a stack of bits, the last one in bit 0.
 */
#ifndef TCPFLIGHT_FILTER_DECIDE_BPF_H
#define TCPFLIGHT_FILTER_DECIDE_BPF_H

#include "maps.bpf.h"

#include <bpf/bpf_endian.h>

/* Two bits: may it hold, and does it for certain. */
enum answer {
	ANSWER_NO = 0,
	ANSWER_OPEN = 1,
	ANSWER_YES = 3,
};

static __always_inline _Bool is_v4_mapped(const __u32 *address)
{
	return !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
}

static __always_inline _Bool is_unspecified(const __u32 *address)
{
	return !address[0] && !address[1] && !address[3] && (!address[2] || address[2] == bpf_htonl(0xffff));
}

static __always_inline _Bool in_net(const __u32 *address, const struct tf_filter_op *op)
{
	/* ::/0 is no network of IPv4 addresses, though they are stored as if it was. */
	return is_v4_mapped(address) == op->ipv4 && (address[0] & op->mask[0]) == op->address[0] &&
	       (address[1] & op->mask[1]) == op->address[1] && (address[2] & op->mask[2]) == op->address[2] &&
	       (address[3] & op->mask[3]) == op->address[3];
}

static __always_inline __u32 net_answer(const __u32 *address, _Bool known, const struct tf_filter_op *op)
{
	return !known ? ANSWER_OPEN : in_net(address, op) ? ANSWER_YES : ANSWER_NO;
}

static __always_inline __u32 port_answer(__u16 port, const struct tf_filter_op *op)
{
	return !port ? ANSWER_OPEN : port >= op->first && port <= op->last ? ANSWER_YES : ANSWER_NO;
}

/* A port that is not chosen yet is known in part: `port 443` is none that the kernel chooses. */
static __always_inline __u32 local_port_answer(const struct tf_filter_facts *f, const struct tf_filter_op *op)
{
	if (f->local_port || !f->last_port)
		return port_answer(f->local_port, op);
	if (f->last_port < op->first || f->first_port > op->last)
		return ANSWER_NO;
	return f->first_port >= op->first && f->last_port <= op->last ? ANSWER_YES : ANSWER_OPEN;
}

static __always_inline __u32 of_ends(const struct tf_filter_op *op, __u32 local, __u32 remote)
{
	/* "And" and "or" of both bits at once are those of the answers. */
	switch (op->end) {
	case TF_END_LOCAL:
		return local;
	case TF_END_REMOTE:
		return remote;
	case TF_END_BOTH:
		return local & remote;
	}
	return local | remote;
}

static __always_inline __u32 family_answer(const struct tf_filter_facts *f, const struct tf_filter_op *op)
{
	/* On older kernels the address, and with it "v4-mapped", comes only after LISTEN > SYN_RECV. */
	if (!f->listener && is_unspecified(f->local) && !is_v4_mapped(f->local))
		return ANSWER_OPEN;
	return is_v4_mapped(f->local) == op->ipv4 ? ANSWER_YES : ANSWER_NO;
}

static __always_inline __u32 number_answer(__u32 number, __u32 unknown, const struct tf_filter_op *op)
{
	return number == unknown ? ANSWER_OPEN : number == op->value ? ANSWER_YES : ANSWER_NO;
}

static __always_inline __u32 plain_answer(const struct tf_filter_facts *f, const struct tf_filter_op *op)
{
	switch (op->code) {
	case TF_ASK_NET: {
		__u32 local = net_answer(f->local, f->listener || !is_unspecified(f->local), op);
		__u32 remote = f->listener ? ANSWER_NO : net_answer(f->remote, f->remote_port, op);

		return of_ends(op, local, remote);
	}
	case TF_ASK_PORT: {
		/* A listener has no remote port and never will. Its own is missing if listen(2) was called without
		 * bind(2).
		 */
		__u32 local = local_port_answer(f, op);
		__u32 remote = f->listener ? ANSWER_NO : port_answer(f->remote_port, op);

		return of_ends(op, local, remote);
	}
	case TF_ASK_FAMILY:
		return family_answer(f, op);
	case TF_ASK_PID:
		return number_answer(f->pid, 0, op);
	case TF_ASK_UID:
		return number_answer(f->uid, UID_UNKNOWN, op);
	case TF_ASK_NETNS:
		return f->netns == op->value ? ANSWER_YES : ANSWER_NO;
	case TF_ASK_DIRECTION:
		return number_answer(f->direction, TF_DIRECTION_UNKNOWN, op);
	}
	return ANSWER_OPEN;
}

/* enum answer */
__weak __noinline int criterion_answer(const struct tf_filter_facts *f, const struct tf_filter_op *op)
{
	if (!f || !op)
		return ANSWER_OPEN;
	__u32 answer = plain_answer(f, op);

	/* "Not" of what may hold holds for certain if it may not. */
	if (op->negated)
		answer = (~answer >> 1 & 1) | (~answer & 1) << 1;
	return answer;
}

static __always_inline __u64 join(__u64 results, __u64 next, __u8 how)
{
	if (how == TF_JOIN_AND)
		return results & (next | ~1ULL);
	if (how == TF_JOIN_OR)
		return results | next;
	return results << 1 | next;
}

/*
 * enum tf_filter_verdict. The results are never branched on: a verifier that had to know them would follow each way
 * through all criteria by itself.
 */
__weak __noinline int filter_decide(const struct tf_filter_facts *f)
{
	__u32 zero = 0;
	const struct tf_filter_program *program = bpf_map_lookup_elem(&filter_program, &zero);
	__u64 possible = 0;
	__u64 certain = 0;

	if (!f || !program)
		return TF_VERDICT_OPEN;
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < TF_FILTER_OPS; i++) {
		if (i >= filter_ops)
			break;
		const struct tf_filter_op *op = &program->ops[i];
		__u64 may = possible & 1;
		__u64 does = certain & 1;

		if (op->code == TF_ASK_RESULT) {
			possible >>= 1;
			certain >>= 1;
		} else {
			__u32 answer = criterion_answer(f, op);

			may = answer & 1;
			does = answer >> 1 & 1;
		}
		possible = join(possible, may, op->join);
		certain = join(certain, does, op->join);
	}
	/* What is certain is possible: TF_VERDICT_WANTED; what is not possible: TF_VERDICT_REFUSED. */
	return (certain & 1) | (~possible & 1) << 1;
}

#endif

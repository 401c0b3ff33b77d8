/*
 * The kernel's part of the filter. It is decided once per connection and must never refuse what user space would keep:
 * what cannot be known here counts as wanted, or stays open until it can. (docs/decisions/0016-filter.md)
 */
#ifndef TCPFLIGHT_FILTER_BPF_H
#define TCPFLIGHT_FILTER_BPF_H

#include <bpf/bpf_endian.h>

#include "emit.bpf.h"
#include "filter_decide.bpf.h"
#include "maps.bpf.h"

static __always_inline __u8 direction_of(const struct event *e)
{
	if (becomes(e, TCP_LISTEN))
		return TF_DIRECTION_NEITHER;
	if (was(e, TCP_CLOSE) && becomes(e, TCP_SYN_SENT))
		return TF_DIRECTION_OUTGOING;
	if (is_request(e) || (was(e, TCP_LISTEN) && becomes(e, TCP_SYN_RECV)))
		return TF_DIRECTION_INCOMING;
	return TF_DIRECTION_UNKNOWN;
}

/*
 * Of the ports that the kernel chooses from (ip(7), ip_local_port_range); IP_LOCAL_PORT_RANGE of a socket (6.3) only
 * makes it smaller (inet_sk_get_local_port_range() in net/ipv4/inet_connection_sock.c).
 */
static __always_inline void read_port_range(struct tf_filter_facts *facts, const struct sock *sk)
{
	const struct net *net = followable(sk)->__sk_common.skc_net.net;
	const struct net___two *two = (const void *)net;

	if (bpf_core_field_exists(net->ipv4.ip_local_ports.range)) {
		__u32 range = net->ipv4.ip_local_ports.range;

		facts->first_port = range;
		facts->last_port = range >> 16;
	} else if (bpf_core_field_exists(two->ipv4.ip_local_ports.range)) {
		facts->first_port = two->ipv4.ip_local_ports.range[0];
		facts->last_port = two->ipv4.ip_local_ports.range[1];
	}
}

/* An owner that is not known (any more) is an open question. It is asked again when one is learned (learn_owner). */
static __always_inline __u8 decide(const struct event *e)
{
	struct tf_filter_facts facts = {
		.local_port = e->port,
		.remote_port = bpf_ntohs(SK_FIELD(e, __sk_common.skc_dport)),
		.pid = e->mem.pid,
		.uid = is_request(e) ? UID_UNKNOWN : SK_FIELD(e, sk_uid.val),
		.direction = direction_of(e),
		.listener = becomes(e, TCP_LISTEN),
	};

	/* What leads over pointers, or is much, only if it is asked for. */
	if (filter_asks & 1 << TF_ASK_NETNS)
		facts.netns = netns_inode(e);
	if (filter_asks & (1 << TF_ASK_NET | 1 << TF_ASK_FAMILY))
		read_addresses(facts.local, facts.remote, e);
	if (filter_asks & 1 << TF_ASK_PORT && !e->port && !was_followed_to(e))
		read_port_range(&facts, e->sk);
	return filter_decide(&facts);
}

/*
 * It was told of while the question was open, as a connect before its port is chosen. So that user space does not keep
 * it for ever, the next change of state is told as the last thing of it. What comes before that needs a body, and is
 * for user space to refuse.
 */
static __always_inline void refuse_aloud(struct event *e)
{
	if (e->type != TF_RECORD_STATE)
		return;
	e->type = TF_RECORD_REFUSED;
	e->mem.verdict = TF_VERDICT_REFUSED;
}

/* Should this event be sent? The answer is kept, so that a connection nobody asked for costs the look-up and this test.
 */
static __always_inline _Bool wanted(struct event *e)
{
	if (!filter_ops)
		return 1;
	if (e->mem.verdict == TF_VERDICT_OPEN) {
		if (!e->port)
			e->port = event_port(e);
		__u8 verdict = decide(e);

		if (verdict == TF_VERDICT_REFUSED && e->mem.said == (__u8)say_epoch) {
			refuse_aloud(e);
			return 1;
		}
		e->mem.verdict = verdict;
	}
	if (e->mem.verdict != TF_VERDICT_REFUSED)
		return 1;
	count(&e->stage->filtered_out);
	return 0;
}

/* Of something that is not a socket: who owns what is not there is for user space to say. */
static __always_inline _Bool ends_wanted(const struct tf_identity *id)
{
	if (!filter_ops)
		return 1;
	struct tf_filter_facts facts = {
		.local_port = id->local_port,
		.remote_port = id->remote_port,
		.uid = UID_UNKNOWN,
		.netns = id->netns,
	};

	__builtin_memcpy(facts.local, id->local_addr, sizeof(facts.local));
	__builtin_memcpy(facts.remote, id->remote_addr, sizeof(facts.remote));
	return filter_decide(&facts) != TF_VERDICT_REFUSED;
}

#endif

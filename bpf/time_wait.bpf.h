/*
 * TIME_WAIT, and FIN_WAIT2 without a process, are no states of a socket: the kernel puts a small thing in its place
 * (struct inet_timewait_sock) and closes it. Nothing traces that, but the small thing has the socket's cookie and
 * stands in the socket's chain of the hash table already when > CLOSE is traced (tcp_time_wait() in
 * net/ipv4/tcp_minisocks.c).
 */
#ifndef TCPFLIGHT_TIME_WAIT_BPF_H
#define TCPFLIGHT_TIME_WAIT_BPF_H

#include <bpf/bpf_core_read.h>

#include "maps.bpf.h"

/* Chains are short: the table has more of them than there are sockets. */
#define TIME_WAIT_LOOKS 16

static __always_inline _Bool may_leave_time_wait(int old_state, int new_state)
{
	return unlearned(new_state) == TCP_CLOSE &&
	       (unlearned(old_state) == TCP_FIN_WAIT2 || unlearned(old_state) == TCP_CLOSING);
}

/*
 * Without a look at the chain (lockdown): the FIN came (SOCK_DONE), so it is TIME_WAIT, if there was room for it. An
 * orphan in FIN_WAIT2 cannot be told from a socket that is about to send a RST.
 */
static __always_inline __u8 probably_left(const struct sock *sk, int old_state)
{
	return unlearned(old_state) == TCP_CLOSING || sk->__sk_common.skc_flags & 1 << SOCK_DONE ? TCP_TIME_WAIT : 0;
}

/* The state in which the connection goes on: TCP_TIME_WAIT, TCP_FIN_WAIT2; 0: it does not. */
static __noinline __u8 state_left(const struct sock *sk, int old_state, __u64 cookie)
{
	if (sk->sk_err)
		return 0;

	const struct net *net = followable(sk)->__sk_common.skc_net.net;

	if (!may_probe_read || !bpf_core_field_exists(net->ipv4.tcp_death_row.hashinfo))
		return probably_left(sk, old_state);

	const struct inet_hashinfo *table = net->ipv4.tcp_death_row.hashinfo;
	__u64 chains = 0;
	__u64 node = 0;

	bpf_core_read(&chains, sizeof(chains), &table->ehash);
	chains += (sk->__sk_common.skc_hash & table->ehash_mask) * sizeof(struct inet_ehash_bucket);
	bpf_probe_read_kernel(&node, sizeof(node), (void *)chains);
	for (int i = 0; i < TIME_WAIT_LOOKS; i++) {
		if (!node || node & 1) /* the mark at the end of a chain: include/linux/list_nulls.h */
			return 0;

		const struct inet_timewait_sock *tw =
			(void *)(node - bpf_core_field_offset(struct sock_common, skc_nulls_node));
		__u64 its_cookie = 0;
		__u8 its_state = 0;
		__u8 substate = 0;

		bpf_core_read(&its_cookie, sizeof(its_cookie), &tw->__tw_common.skc_cookie.counter);
		bpf_core_read(&its_state, sizeof(its_state), &tw->__tw_common.skc_state);
		if (its_cookie == cookie && its_state == TCP_TIME_WAIT) {
			bpf_core_read(&substate, sizeof(substate), &tw->tw_substate);
			return substate;
		}
		bpf_probe_read_kernel(&node, sizeof(node), (void *)node);
	}
	return 0;
}

#endif

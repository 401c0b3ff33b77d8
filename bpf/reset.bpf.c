/* Connections cut off with a RST: tcp:tcp_send_reset and tcp:tcp_receive_reset. */
#define TYPED_ONLY

#include "kernel_types.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

/*
 * SK_RST_REASON_TCP_STATE is several things to a user. A socket that is closed already was disconnected
 * (tcp_disconnect): by close(2) with linger 0, by connect(2) to AF_UNSPEC, or because its listener was closed first
 * (inet_child_forget). One that is not was aborted (tcp_abort).
 */
static __always_inline __u8 reason_of(const struct sock *sk, __u8 state, __u8 told)
{
	if (told != TF_RESET_ABORTED || state != TCP_CLOSE)
		return told;
	if (sk->__sk_common.skc_flags & 1 << SOCK_LINGER && !sk->sk_lingertime)
		return TF_RESET_LINGER_0;
	return followable(sk)->sk_socket ? TF_RESET_DISCONNECTED : TF_RESET_NOT_ACCEPTED;
}

static __always_inline void record_reset(struct tcp_sock *tp, struct tf_reset *reset)
{
	const struct sock *sk = (void *)tp;
	struct tf_stage *stage = this_cpu_stage();
	__u8 state = sk->__sk_common.skc_state;

	if (!stage)
		return;
	reset->reason = reason_of(sk, state, reset->reason);
	struct event e = {
		.sk = sk,
		/* Who aborts a socket holds its lock, but is somebody else. */
		.task = reset->reason == TF_RESET_ABORTED ? NULL : owning_task(sk),
		.stage = stage,
		.cookie = bpf_get_socket_cookie(tp),
		.port = local_port(sk),
		.type = TF_RECORD_RESET,
		.old_state = state,
		.new_state = state,
	};

	recall(&e.mem, e.cookie);
	if (e.task)
		learn_owner(&e.mem, e.task);
	if (wanted(&e))
		send_event(&e, (struct body){reset, sizeof(*reset)}, NULL, SEND_ALONE);
	remember(&e.mem, e.cookie);
}

/* The answered segment came from the remote end to the local one. */
static __always_inline _Bool fill_ends(struct tf_identity *id, const struct sk_buff *skb)
{
	__be16 ports[2];
	__u8 ip[40]; /* an IPv6 header, or an IPv4 one and some of what follows */
	void *head = skb->head;

	if (bpf_probe_read_kernel(ports, sizeof(ports), head + skb->transport_header) ||
	    bpf_probe_read_kernel(ip, sizeof(ip), head + skb->network_header))
		return 0;
	id->local_port = bpf_ntohs(ports[1]);
	id->remote_port = bpf_ntohs(ports[0]);
	if (ip[0] >> 4 == 6) {
		id->family = AF_INET6;
		__builtin_memcpy(id->remote_addr, ip + 8, 16);
		__builtin_memcpy(id->local_addr, ip + 24, 16);
		return 1;
	}
	id->family = AF_INET;
	id->remote_addr[10] = id->remote_addr[11] = 0xff;
	id->local_addr[10] = id->local_addr[11] = 0xff;
	__builtin_memcpy(id->remote_addr + 12, ip + 12, 4);
	__builtin_memcpy(id->local_addr + 12, ip + 16, 4);
	return 1;
}

struct stray_reset {
	struct tf_header header;
	struct tf_reset reset;
	struct tf_identity identity;
};

/* There is no connection: the ends are those of the segment that was answered. `cookie`: of what is left of one. */
static __always_inline void record_stray(const struct sk_buff *skb, const struct net *net, __u64 cookie, __u8 state,
					 const struct tf_reset *reset)
{
	struct tf_stage *stage = this_cpu_stage();
	struct tf_identity id = {.netns = net->ns.inum, .uid = UID_UNKNOWN};

	if (!stage || !fill_ends(&id, skb))
		return;
	if (!ends_wanted(&id)) {
		count(&stage->filtered_out);
		return;
	}
	struct stray_reset *rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec) {
		count_loss(stage);
		return;
	}
	rec->header = (struct tf_header){
		.time_ns = bpf_ktime_get_boot_ns(),
		.cookie = cookie,
		.type = TF_RECORD_RESET,
		.flags = TF_FLAG_IDENTITY,
		.local_port = id.local_port,
		.old_state = state,
		.new_state = state,
	};
	rec->reset = *reset;
	rec->identity = id;
	bpf_ringbuf_submit(rec, 0);
}

/*
 * (sk, skb, reason). The kernel's own types call neither pointer NULL before Linux 6.14, and the verifier drops a test
 * that it thinks is always true; but `sk` is NULL from 6.10 on where there is no socket. The bpf_skc_to_... helpers
 * take NULL, so only what they return is looked into. `skb` is NULL where a socket resets on its own, and is not looked
 * at then.
 */
SEC("tp_btf/tcp_send_reset")
int on_reset_sent(unsigned long long *ctx)
{
	struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	__u32 reason = reset_has_reason ? (__u32)ctx[2] : 0;
	struct tf_reset reset = {.direction = TF_RESET_SENT, .kernel_reason = reason};
	struct tcp_sock *tp = NULL;
	struct tcp_timewait_sock *tw = NULL;

	reset.reason = reason < TF_RESET_KERNEL_REASONS ? reset_reasons[reason] : TF_RESET_OTHER;
	if (sk) {
		tp = (void *)bpf_skc_to_tcp_sock(sk);
		tw = (void *)bpf_skc_to_tcp_timewait_sock(sk);
	}
	if (tp && ((const struct sock *)tp)->__sk_common.skc_state != TCP_LISTEN) {
		record_reset(tp, &reset);
		return 0;
	}
	if (!skb || !may_probe_read)
		return 0;
	if (tp) {
		const struct sock_common *listener = &((const struct sock *)tp)->__sk_common;

		record_stray(skb, listener->skc_net.net, 0, TCP_LISTEN, &reset);
	} else if (tw) {
		const struct sock_common *common = &tw->tw_sk.__tw_common;

		reset.reason = TF_RESET_TIME_WAIT;
		record_stray(skb, common->skc_net.net, common->skc_cookie.counter, tw->tw_sk.tw_substate, &reset);
	} else {
		record_stray(skb, untrusted(skb, TF_UNTRUSTED_SKB)->dev->nd_net.net, 0, TCP_CLOSE, &reset);
	}
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int on_reset_received(unsigned long long *ctx)
{
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)ctx[0]);
	struct tf_reset reset = {.direction = TF_RESET_RECEIVED};

	if (tp)
		record_reset(tp, &reset);
	return 0;
}

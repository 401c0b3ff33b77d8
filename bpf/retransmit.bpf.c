/* Every segment sent again, SYN and FIN included: tcp:tcp_retransmit_skb. SYN-ACKs have a tracepoint of their own. */
#define TYPED_ONLY

#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"
#include "timers.bpf.h"

/* As tcp_model_timeout() in net/ipv4/tcp_timer.c counts it; 0 before the first retransmission. */
static __always_inline __u32 retrying_ms(const struct tcp_sock *tp)
{
	const struct tcp_sock___usec *usec = (const void *)tp;

	if (!tp->retrans_stamp)
		return 0;
	if (bpf_core_field_exists(usec->tcp_usec_ts) && BPF_CORE_READ_BITFIELD(usec, tcp_usec_ts))
		return ((__u32)tp->tcp_mstamp - tp->retrans_stamp) / 1000;
	return (__u32)(tp->tcp_mstamp / 1000) - tp->retrans_stamp;
}

static __always_inline __u32 silent_us(const struct tcp_sock *tp)
{
	__u64 since = tp->delivered_mstamp;
	__u64 silent = bpf_ktime_get_ns() / 1000 - since;

	return since && silent < TF_SILENT_UNKNOWN ? silent : TF_SILENT_UNKNOWN;
}

/* How often a time-out may expire: tcp_write_timeout() in net/ipv4/tcp_timer.c. */
static __always_inline void fill_limits(struct tf_retransmission *r, const struct sock *sk, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct net *net = ((const struct sock *)tp)->__sk_common.skc_net.net;
	__u8 state = sk->__sk_common.skc_state;

	r->user_timeout_ms = icsk->icsk_user_timeout;
	r->rto_max_ms = rto_max_ms(tp, 0);
	r->syn_linear = 0;
	r->orphan = 0;
	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV) {
		r->max_retries = icsk->icsk_syn_retries;
		if (!r->max_retries)
			r->max_retries = net->ipv4.sysctl_tcp_syn_retries;
		if (bpf_core_field_exists(net->ipv4.sysctl_tcp_syn_linear_timeouts))
			r->syn_linear = net->ipv4.sysctl_tcp_syn_linear_timeouts;
	} else if (sk->__sk_common.skc_flags & 1 << SOCK_DEAD) {
		r->orphan = 1;
		r->max_retries = net->ipv4.sysctl_tcp_orphan_retries;
	} else {
		r->max_retries = net->ipv4.sysctl_tcp_retries2;
	}
	r->sent_known = 1;
	r->sent = tp->segs_out;
}

static __always_inline void fill_retransmission(struct tf_retransmission *r, const struct tcp_sock *tp,
						const struct sk_buff *skb, int error)
{
	/* What size tcp_flags has on this kernel, libbpf finds out and loads accordingly. */
	const struct tcp_skb_cb *cb = (const void *)skb->cb;

	r->bytes_acked = tp->bytes_acked;
	r->seq = cb->seq;
	r->end_seq = cb->end_seq;
	r->snd_una = tp->snd_una;
	r->tcp_flags = cb->tcp_flags;
	r->send_error = error;
	r->ca_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	r->rto_count = tp->inet_conn.icsk_retransmits;
	r->backoff = tp->inet_conn.icsk_backoff;
	r->timer = tp->inet_conn.icsk_pending;
	r->total = tp->total_retrans;
	r->silent_us = silent_us(tp);
	r->retrying_ms = retrying_ms(tp);
}

SEC("tp_btf/tcp_retransmit_skb")
int on_retransmit(unsigned long long *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	const struct sk_buff *skb = (void *)ctx[1];
	/* Since 6.17 failed sends are traced too; before, they were not. The third argument tells. */
	int error = retransmit_has_error ? (int)ctx[2] : 0;
	struct tf_retransmission block;
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	struct tf_stage *stage = this_cpu_stage();

	if (!tp || !stage)
		return 0;

	__u8 state = sk->__sk_common.skc_state;
	struct event e = {
		.sk = sk,
		.task = owning_task(sk),
		.stage = stage,
		.cookie = bpf_get_socket_cookie((void *)sk),
		.port = local_port(sk),
		.type = TF_RECORD_RETRANSMIT,
		.old_state = state,
		.new_state = state,
	};

	recall(&e.mem, e.cookie);
	if (e.task)
		learn_owner(&e.mem, e.task);
	if (wanted(&e)) {
		fill_retransmission(&block, tp, skb, error);
		fill_limits(&block, sk, tp);
		send_event(&e, (struct body){&block, sizeof(block)}, tp, SEND_ALONE);
	}
	remember(&e.mem, e.cookie);
	return 0;
}

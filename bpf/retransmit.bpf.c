/* Every segment sent again, SYN and FIN included: tcp:tcp_retransmit_skb. SYN-ACKs have a tracepoint of their own. */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

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
		send_event(&e, (struct body){&block, sizeof(block)}, tp, 0);
	}
	remember(&e.mem, e.cookie);
	return 0;
}

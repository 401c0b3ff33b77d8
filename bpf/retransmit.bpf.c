/* Every segment sent again, SYN and FIN included: tcp:tcp_retransmit_skb. SYN-ACKs have a tracepoint of their own. */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

SEC("tp_btf/tcp_retransmit_skb")
int on_retransmit(unsigned long long *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	/* Since 6.17 failed sends are traced too; before, they were not. The third argument tells. */
	struct segment segment = {
		.skb = (void *)ctx[1],
		.error = retransmit_has_error ? (int)ctx[2] : 0,
	};
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
	if (wanted(&e))
		send_event(&e, &segment, tp, 0);
	remember(&e.mem, e.cookie);
	return 0;
}

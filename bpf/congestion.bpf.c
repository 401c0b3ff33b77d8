/* Changes of a sender's congestion state: tcp:tcp_cong_state_set (Linux 5.16). With -v only. */
#define TYPED_ONLY

#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

/* Traced before it is set, and also where nothing changes. */
SEC("tp_btf/tcp_cong_state_set")
int on_congestion(unsigned long long *ctx)
{
	const struct sock *sk = (void *)ctx[0];
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	struct tf_congestion block = {.new_state = ctx[1]};

	if (!tp)
		return 0;
	block.old_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	if (block.old_state == block.new_state)
		return 0;

	struct tf_stage *stage = this_cpu_stage();
	__u8 state = sk->__sk_common.skc_state;

	if (!stage || state == TCP_CLOSE) /* a socket that is made ready for another life */
		return 0;
	struct event e = {
		.sk = sk,
		.task = owning_task(sk),
		.stage = stage,
		.cookie = bpf_get_socket_cookie((void *)sk),
		.port = local_port(sk),
		.type = TF_RECORD_CONGESTION,
		.old_state = state,
		.new_state = state,
	};

	recall(&e.mem, e.cookie);
	if (e.task)
		learn_owner(&e.mem, e.task);
	if (wanted(&e))
		send_event(&e, (struct body){&block, sizeof(block)}, tp, SEND_ALONE);
	remember(&e.mem, e.cookie);
	return 0;
}

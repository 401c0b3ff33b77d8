/* Every change of a TCP socket's state: sock:inet_sock_set_state (Linux 4.16; before, tcp:tcp_set_state). */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_transition, const struct sock *sk, int old_state, int new_state)
{
	/* Also fires for SCTP and for MPTCP's own sockets (docs/limits.md), and for changes that change nothing. */
	if (sk->sk_protocol != IPPROTO_TCP || old_state == new_state)
		return 0;

	struct remembered *mem = recall(sk);
	struct task_struct *task = owning_task(sk);

	if (mem) {
		if (old_state == TCP_LISTEN)
			inherit(mem, new_state);
		else if (old_state == TCP_CLOSE)
			forget(mem);
		if (task)
			learn_owner(mem, task, owner_source(new_state));
	}

	struct event e = {
		.sk = sk,
		.mem = mem,
		.type = TF_RECORD_STATE,
		.old_state = old_state,
		.new_state = new_state,
		.flags = task ? TF_FLAG_OWNED : 0,
	};
	if (!wanted(&e))
		return 0;
	send_event(&e, NULL, metrics_everywhere ? (void *)bpf_skc_to_tcp_sock((void *)sk) : NULL);
	return 0;
}

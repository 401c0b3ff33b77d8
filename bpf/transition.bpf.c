/* Every change of a TCP socket's state: sock:inet_sock_set_state (Linux 4.16; before, tcp:tcp_set_state). */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static __always_inline void record_transition(const struct sock *sk, int old_state, int new_state)
{
	/* Also fires for SCTP and for MPTCP's own sockets (docs/limits.md), and for changes that change nothing. */
	if (sk->sk_protocol != IPPROTO_TCP || old_state == new_state)
		return;

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
	if (wanted(&e))
		send_event(&e, NULL, metrics_everywhere ? (void *)bpf_skc_to_tcp_sock((void *)sk) : NULL);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_transition, const struct sock *sk, int old_state, int new_state)
{
	volatile __u32 *busy = &this_cpu_counters()->busy;

	*busy = bpf_get_smp_processor_id() + 1;
	record_transition(sk, old_state, new_state);
	*busy = 0;
	return 0;
}

/*
 * The kernel does not run a program that is running on this CPU already (bpf_prog->active, Linux 6.1), and it does
 * happen: an interrupt in the middle of on_transition, and behind it packets that change other sockets' states. Those
 * events come here, to a second program, whose own guard is free. If on_transition is not interrupted, it has seen the
 * event itself. (docs/decisions/0004-nested-events.md)
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_nested_transition, const struct sock *sk, int old_state, int new_state)
{
	struct tf_cpu_counters *line = this_cpu_counters();

	/* CPUs beyond TF_CPU_LINES share lines: then the number differs, and the event is counted as lost, not seen
	 * twice. */
	if (__builtin_expect(line->busy != bpf_get_smp_processor_id() + 1, 1))
		return 0;
	count(&line->rescued);
	record_transition(sk, old_state, new_state);
	return 0;
}

/*
 * The floor of a filter: finds what is remembered of the socket, tests a flag in it and counts. What an event costs in
 * the kernel whose connection nobody asked for.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "memory.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(flag, const struct sock *sk, int old_state, int new_state)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct tf_stage *stage = bpf_map_lookup_elem(&stages, &cpu);
	struct remembered mem;

	recall(&mem, bpf_get_socket_cookie((void *)sk));
	if (stage && mem.verdict != TF_VERDICT_WANTED)
		__sync_fetch_and_add(&stage->filtered_out, 1);
	return 0;
}

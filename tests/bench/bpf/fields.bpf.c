/*
 * The second floor: reads what a line of output needs, and sends nothing. What a tracer costs above this is
 * remembering, sending and reading.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Volatile, so that no read is optimized away; one for each CPU, so that they do not meet in a cache line. */
struct fields {
	__u64 time_ns;
	__u64 cookie;
	__u64 comm[2];
	__u32 local[4];
	__u32 remote[4];
	__u32 netns;
	__u32 uid;
	__u32 pid;
	__u32 tid;
	__u16 local_port;
	__u16 remote_port;
	__u16 family;
	__u16 error;
	__u32 old_state;
	__u32 new_state;
	__u32 unused[8];
} __attribute__((aligned(64)));

#define CPUS 256
volatile struct fields sunk[CPUS] = {};

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(fields, const struct sock *sk, int old_state, int new_state)
{
	const struct sock_common *common = &sk->__sk_common;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	volatile struct fields *out = &sunk[bpf_get_smp_processor_id() & (CPUS - 1)];

	out->time_ns = bpf_ktime_get_boot_ns();
	out->cookie = bpf_get_socket_cookie((void *)sk);
	out->comm[0] = *(__u64 *)&task->comm[0];
	out->comm[1] = *(__u64 *)&task->comm[8];
	if (common->skc_family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			out->local[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			out->remote[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
		}
	} else {
		out->local[3] = common->skc_rcv_saddr;
		out->remote[3] = common->skc_daddr;
	}
	out->netns = common->skc_net.net->ns.inum;
	out->uid = sk->sk_uid.val;
	out->pid = task->tgid;
	out->tid = task->pid;
	out->local_port = common->skc_num;
	out->remote_port = common->skc_dport;
	out->family = common->skc_family;
	out->error = sk->sk_err;
	out->old_state = old_state;
	out->new_state = new_state;
	return 0;
}

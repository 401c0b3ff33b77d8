/*
 * How long is a jiffy? The kernel keeps retransmission time-outs in jiffies, and neither BTF nor any system call tells
 * CONFIG_HZ. But net.ipv4.tcp_fin_timeout is seconds in /proc and jiffies in memory: run once by user space
 * (BPF_PROG_TEST_RUN), this reads the second, and the quotient is the clock rate.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "maps.bpf.h"

SEC("raw_tp")
int clock_rate(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	if (task->nsproxy && task->nsproxy->net_ns)
		fin_timeout_jiffies = task->nsproxy->net_ns->ipv4.sysctl_tcp_fin_timeout;
	return 0;
}

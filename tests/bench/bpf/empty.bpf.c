/* The floor: what the tracepoint costs with a program on it that does nothing. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/inet_sock_set_state")
int empty(void *ctx)
{
	return 0;
}

/* The floor of a tracer that hangs two programs on the tracepoint, as tcpflight does (decisions/0004). */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("tp_btf/inet_sock_set_state")
int first(void *ctx)
{
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int second(void *ctx)
{
	return 0;
}

/* Asks the tracer's own filter_decide() about a connection: run by kernel_filter_test with BPF_PROG_TEST_RUN. */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>

#include "filter_decide.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("syscall")
int ask(struct tf_filter_facts *given)
{
    struct tf_filter_facts facts = *given;

    return filter_decide(&facts);
}

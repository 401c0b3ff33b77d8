// Tracepoints by way of perf, for programs in sections "tp/GROUP/EVENT+EVENT...": one program on several events.
#pragma once

#include <vector>

struct bpf_link;
struct bpf_program;

namespace tcpflight {

// Can this process hang such a program on its events? tracefs need not be mounted.
bool can_attach_tracepoints(const bpf_program *program);

// A link for each event; the caller destroys them. Empty: it failed, and errno tells why.
std::vector<bpf_link *> attach_tracepoints(const bpf_program *program);

} // namespace tcpflight

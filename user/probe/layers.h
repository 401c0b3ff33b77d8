// What this kernel lets programs hang on, and which of them are therefore loaded.
#pragma once

#include "model/layer.h"
#include "probe/kernel_btf.h"

#include <string>
#include <vector>

struct bpf_link;
struct bpf_program;
struct programs;

namespace tcpflight {

class Tracepoints;

// The highest layer up to `limit` that this kernel takes. A kernel may still refuse a single program of it: then
// everything is tried again in the layer below.
Layer highest_layer(const KernelBtf &btf, Layer limit);

// Above Core only.
Layer below(Layer layer);

// Of each concern, the best program that `layer` and the kernel's own description of itself allow; a concern that none
// can serve is left out, and so is a program that was kept from being loaded before. All others are now. In the order
// in which they are to be attached.
std::vector<bpf_program *> choose_programs(programs &skeleton, const KernelBtf &btf, Layer layer,
                                           Tracepoints &tracepoints);

// Its links, which the caller destroys. Empty: it failed, and errno tells why.
std::vector<bpf_link *> attach_program(const bpf_program *program, Tracepoints &tracepoints);

// For people: "tp_btf+fentry".
std::string describe_hooks(const std::vector<bpf_program *> &chosen);

} // namespace tcpflight

// The table of what is traced, and of the programs that can do it.
#pragma once

#include <vector>

struct bpf_program;
struct programs;

namespace tcpflight {

struct Hook {
    bpf_program *program;
    // Of the kernel's function, where its programs differ by that. 0: however many it has.
    unsigned arguments = 0;
};

// Programs that do the same by different means, best first.
using Concern = std::vector<Hook>;

// In the order in which they are attached.
std::vector<Concern> concerns(programs &skeleton);

} // namespace tcpflight

#include "probe/concerns.h"

#include <bpf/libbpf.h>
#include <programs.skel.h>

namespace tcpflight {

std::vector<Concern> concerns(programs &skeleton)
{
    const auto &programs = skeleton.progs;
    return {
        {{programs.on_transition}},
        {{programs.on_retransmit}},
        // Last: while the others are attached and it is not, what it would rescue is counted as lost.
        {{programs.on_nested_transition}},
    };
}

} // namespace tcpflight

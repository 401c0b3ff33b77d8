// The running kernel's numbers for why it sends a RST.
#pragma once

#include "probe/kernel_btf.h"

struct programs;

namespace tcpflight {

// Tells the programs which of the kernel's reasons (enum sk_rst_reason, Linux 6.10) is which of ours: its numbers
// change between versions, its names do not. Before the load. Kernels without the enum tell no reasons.
void configure_resets(programs &skeleton, const KernelBtf &btf);

} // namespace tcpflight

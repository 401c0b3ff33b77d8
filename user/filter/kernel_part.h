// What the kernel can decide of an expression, once per connection: ends, ports, families, pids, uids, network
// namespaces and directions. What it cannot decide counts as met, so that it never refuses what eval.h would keep.
#pragma once

#include "filter/expression.h"
#include "tcpflight/control.h"

#include <string>
#include <vector>

namespace tcpflight {

struct KernelPart {
    Expression decided;            // in words; open: the kernel decides nothing
    std::vector<tf_filter_op> ops; // the same for bpf/filter.bpf.h: at most TF_FILTER_OPS
};

KernelPart kernel_part(const Expression &expression);

// For --explain: the tree, what the kernel decides, and what is left to user space. Ends with a newline.
std::string explain(const Expression &expression);

} // namespace tcpflight

#include "probe/pushdown.h"

#include "filter/kernel_part.h"
#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <programs.skel.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tcpflight {

void push_down(const Filter &filter, programs &skeleton)
{
    auto part = kernel_part(filter.expression());
    skeleton.rodata->filter_ops = static_cast<unsigned>(part.ops.size());
    for (const tf_filter_op &op : part.ops)
        skeleton.rodata->filter_asks |= 1U << op.code;
}

Result<void> fill_filter(const Filter &filter, programs &skeleton)
{
    auto part = kernel_part(filter.expression());
    if (part.ops.empty())
        return {};
    auto program = std::make_unique<tf_filter_program>();
    std::copy(part.ops.begin(), part.ops.end(), program->ops);
    __u32 zero = 0;
    if (bpf_map_update_elem(bpf_map__fd(skeleton.maps.filter_program), &zero, program.get(), BPF_ANY) != 0)
        return failure(fmt::format("cannot tell the kernel about the filter: {}", std::strerror(errno)));
    return {};
}

} // namespace tcpflight

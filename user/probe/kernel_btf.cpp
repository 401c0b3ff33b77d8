#include "probe/kernel_btf.h"

#include <bpf/btf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tcpflight {

void KernelBtf::Free::operator()(btf *types) const
{
    btf__free(types);
}

Result<KernelBtf> KernelBtf::load()
{
    if (auto *types = btf__load_vmlinux_btf(); types != nullptr)
        return KernelBtf(types);
    int error = errno;
    constexpr auto path = "/sys/kernel/btf/vmlinux";
    if (access(path, F_OK) != 0)
        return failure(
            fmt::format("this kernel does not describe its types ({} is missing): tcpflight needs Linux 5.12 "
                        "or later built with CONFIG_DEBUG_INFO_BTF=y, as distributions do",
                        path));
    return failure(fmt::format("cannot read {}: {}", path, std::strerror(error)));
}

// A raw tracepoint NAME is described by the type `btf_trace_NAME`: a pointer to a function of (context, arguments...).
unsigned KernelBtf::tracepoint_arguments(const char *tracepoint) const
{
    auto id = btf__find_by_name_kind(types_.get(), fmt::format("btf_trace_{}", tracepoint).c_str(), BTF_KIND_TYPEDEF);
    if (id < 0)
        return 0;
    const auto *type = btf__type_by_id(types_.get(), static_cast<__u32>(id));
    for (int depth = 0; type != nullptr && depth < 4; depth++) {
        if (btf_is_func_proto(type))
            return btf_vlen(type) > 0 ? btf_vlen(type) - 1U : 0U;
        type = btf__type_by_id(types_.get(), type->type);
    }
    return 0;
}

unsigned KernelBtf::function_id(const char *function) const
{
    auto id = btf__find_by_name_kind(types_.get(), function, BTF_KIND_FUNC);
    return id < 0 ? 0U : static_cast<unsigned>(id);
}

std::optional<unsigned> KernelBtf::function_arguments(const char *function) const
{
    auto id = function_id(function);
    if (id == 0)
        return std::nullopt;
    const auto *prototype = btf__type_by_id(types_.get(), btf__type_by_id(types_.get(), id)->type);
    return btf_vlen(prototype);
}

} // namespace tcpflight

// The running kernel's own description of its types.
#pragma once

#include "model/result.h"

#include <memory>
#include <optional>

struct btf;

namespace tcpflight {

class KernelBtf {
public:
    static Result<KernelBtf> load();

    // Arguments of a tracepoint, without the context that every one of them has; 0 if it does not exist. Stable kernels
    // back-port signature changes, so the number of arguments is looked up and never derived from a version.
    [[nodiscard]] unsigned tracepoint_arguments(const char *tracepoint) const;

    // Its BTF id; 0 if the kernel has no such function, or has inlined it everywhere.
    [[nodiscard]] unsigned function_id(const char *function) const;
    // None: no such function.
    [[nodiscard]] std::optional<unsigned> function_arguments(const char *function) const;

private:
    struct Free {
        void operator()(btf *types) const;
    };
    explicit KernelBtf(btf *types) : types_(types) {}
    std::unique_ptr<btf, Free> types_;
};

} // namespace tcpflight

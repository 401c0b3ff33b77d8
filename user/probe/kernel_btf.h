// The running kernel's own description of its types (Documentation/bpf/btf.rst), with an index of names: libbpf looks
// at all of them for each name that is asked for, and there are more than a hundred thousand.
#pragma once

#include "model/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

struct btf_type;

namespace tcpflight {

class KernelBtf {
public:
    static Result<KernelBtf> load();
    // Of `bytes`, which must stay. None: they are no such description.
    static std::optional<KernelBtf> parse(std::span<const std::byte> bytes);

    KernelBtf(KernelBtf &&other) noexcept;
    KernelBtf &operator=(KernelBtf &&other) noexcept;
    ~KernelBtf();

    // Arguments of a tracepoint, without the context that every one of them has; 0 if it does not exist. Stable kernels
    // back-port signature changes, so the number of arguments is looked up and never derived from a version.
    [[nodiscard]] unsigned tracepoint_arguments(std::string_view tracepoint) const;
    // The BTF id of what typed programs on it are made for; 0 if it does not exist.
    [[nodiscard]] unsigned tracepoint_id(std::string_view tracepoint) const;

    // Its BTF id; 0 if the kernel has no such function, or has inlined it everywhere.
    [[nodiscard]] unsigned function_id(std::string_view function) const;
    // None: no such function.
    [[nodiscard]] std::optional<unsigned> function_arguments(std::string_view function) const;

    // Its BTF id; 0 if the kernel has no such struct.
    [[nodiscard]] unsigned struct_id(std::string_view name) const;

    // The names and values of an enum; empty if it does not exist.
    [[nodiscard]] std::vector<std::pair<std::string_view, std::uint64_t>> enumerators(std::string_view wanted) const;

    // All types of that name, whatever their kind, but no functions: ids.
    [[nodiscard]] std::vector<unsigned> named(std::string_view wanted) const;
    // nullptr: none has this id; 0 is void's.
    [[nodiscard]] const btf_type *type(unsigned id) const;
    [[nodiscard]] std::string_view name(unsigned offset) const;

private:
    KernelBtf() = default;
    bool index();
    void index_names();
    void add_name(unsigned id, std::string_view name);
    [[nodiscard]] unsigned find(std::string_view wanted, unsigned kind) const;

    std::vector<std::byte> read_;       // where it cannot be mapped
    std::span<const std::byte> mapped_; // otherwise
    std::span<const std::byte> types_;
    std::span<const char> strings_;
    std::vector<std::uint32_t> offsets_; // of each type in types_, by id - 1
    // Functions are half of all that has a name, and only a few are asked for: finding one goes through them all.
    struct Function {
        std::uint32_t begin; // of its name
        std::uint32_t id;
    };
    std::vector<Function> functions_;
    std::vector<std::uint32_t> names_; // ids of the others, at the place that the name's hash gives, or the next free
                                       // one; 0: free
};

} // namespace tcpflight

// What is read of the kernel's types: once into memory (docs/decisions/0025), and no less than the programs need
// (0026).
#include "model/file_descriptor.h"
#include "probe/kernel_btf.h"
#include "probe/needed_types.h"

#include <algorithm>
#include <bpf/btf.h>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <vector>

namespace tcpflight::test {
namespace {

constexpr auto path = "/sys/kernel/btf/vmlinux";

// A size of this process, KiB.
std::size_t status_kib(const std::string &key)
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":"))
            return std::strtoul(line.c_str() + key.size() + 1, nullptr, 10);
    }
    return 0;
}

TEST(KernelTypes, AreInMemoryOnce)
{
    const FileDescriptor file(open(path, O_RDONLY | O_CLOEXEC)); // NOLINT(cppcoreguidelines-pro-type-vararg)
    struct stat status {};
    if (!file.is_open() || fstat(file.get(), &status) != 0)
        GTEST_SKIP() << "needs a kernel with BTF (" << path << ")";
    const auto size = static_cast<std::size_t>(status.st_size);
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED)
        GTEST_SKIP() << "needs a kernel whose BTF can be mapped (Linux 6.16)";
    munmap(data, size);

    const auto before = status_kib("VmRSS");
    std::ofstream("/proc/self/clear_refs") << 5; // VmHWM counts from here on
    ASSERT_TRUE(KernelBtf::load());
    const auto peak = status_kib("VmHWM");
    ASSERT_GT(peak, before);
    EXPECT_LT((peak - before) * 1024, size + size / 2);
}

// A member, in bits from where the struct begins, also if it is in one without a name; and what it comes to.
struct Place {
    std::uint32_t bits = 0;
    std::uint32_t field_bits = 0; // of a bitfield
    std::size_t size = 0;         // of its type; 0: none, as a pointer's here
    bool operator==(const Place &) const = default;
};

std::size_t size_of(const KernelBtf &types, unsigned id)
{
    for (const auto *type = types.type(id); type != nullptr; type = types.type(type->type)) {
        if (btf_is_array(type))
            return btf_array(type)->nelems * size_of(types, btf_array(type)->type);
        if (btf_is_ptr(type) || btf_is_func_proto(type))
            return 0;
        if (!btf_is_mod(type) && !btf_is_typedef(type) && !btf_is_type_tag(type))
            return type->size;
    }
    return 0;
}

std::optional<Place> place_of(const KernelBtf &types, const btf_type &type, std::string_view name)
{
    for (unsigned i = 0; i < btf_vlen(&type); i++) {
        const auto &member = btf_members(&type)[i];
        const auto bits = btf_member_bit_offset(&type, i);
        if (types.name(member.name_off) == name)
            return Place{bits, btf_member_bitfield_size(&type, i), size_of(types, member.type)};
        const auto *inner = types.type(member.type);
        if (member.name_off != 0 || inner == nullptr || !btf_is_composite(inner))
            continue;
        if (auto found = place_of(types, *inner, name)) {
            found->bits += bits;
            return found;
        }
    }
    return std::nullopt;
}

std::string essence(std::string_view name)
{
    return std::string(name.substr(0, name.find("___")));
}

struct Free {
    void operator()(btf *types) const { btf__free(types); }
};

TEST(KernelTypes, WhatProgramsNeedIsLikeTheKernels)
{
    auto kernel = KernelBtf::load();
    if (!kernel)
        GTEST_SKIP() << kernel.error().message;
    const std::unique_ptr<btf, Free> programs(btf__parse(TCPFLIGHT_PROGRAMS_OBJECT, nullptr));
    ASSERT_TRUE(programs);
    const auto bytes = needed_types(*kernel, *programs);
    const auto needed = KernelBtf::parse(bytes);
    ASSERT_TRUE(needed);
    EXPECT_LT(bytes.size(), 200'000U);
    const std::unique_ptr<btf, Free> read(btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size())));
    ASSERT_TRUE(read) << "libbpf does not take it";

    std::size_t members = 0;
    for (unsigned id = 1; id < btf__type_cnt(programs.get()); id++) {
        const auto *type = btf__type_by_id(programs.get(), id);
        const auto name = essence(btf__name_by_offset(programs.get(), type->name_off));
        if (!btf_is_composite(type) || name.empty())
            continue;
        const auto theirs = kernel->named(name);
        const auto ours = needed->named(name);
        const auto is_composite = [](const KernelBtf &types) {
            return [&types](unsigned one) { return btf_is_composite(types.type(one)); };
        };
        ASSERT_EQ(std::count_if(theirs.begin(), theirs.end(), is_composite(*kernel)),
                  std::count_if(ours.begin(), ours.end(), is_composite(*needed)))
            << name;
        const auto their = std::find_if(theirs.begin(), theirs.end(), is_composite(*kernel));
        const auto our = std::find_if(ours.begin(), ours.end(), is_composite(*needed));
        if (their == theirs.end())
            continue;
        EXPECT_EQ(kernel->type(*their)->size, needed->type(*our)->size) << name;
        for (const auto &member : std::span(btf_members(type), btf_vlen(type))) {
            const std::string_view field = btf__name_by_offset(programs.get(), member.name_off);
            const auto there = place_of(*kernel, *kernel->type(*their), field);
            EXPECT_EQ(there, place_of(*needed, *needed->type(*our), field)) << name << "." << field;
            members += there ? 1U : 0U;
        }
    }
    EXPECT_GT(members, 150U) << "hardly anything was compared";
    EXPECT_EQ(kernel->enumerators("bpf_func_id"), needed->enumerators("bpf_func_id"));
    EXPECT_FALSE(needed->enumerators("bpf_func_id").empty());
}

// What is cut off or none is found out, and nothing is read behind its end.
TEST(KernelTypes, OnesThatAreDamagedAreRefused)
{
    auto kernel = KernelBtf::load();
    if (!kernel)
        GTEST_SKIP() << kernel.error().message;
    const std::unique_ptr<btf, Free> programs(btf__parse(TCPFLIGHT_PROGRAMS_OBJECT, nullptr));
    ASSERT_TRUE(programs);
    const auto whole = needed_types(*kernel, *programs);
    for (std::size_t size = 0; size < whole.size(); size += 97) {
        const std::vector<std::byte> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(KernelBtf::parse(part)) << size;
    }
    auto unknown = whole;
    constexpr std::uint32_t no_kind = 31U << 24;
    std::memcpy(unknown.data() + sizeof(btf_header) + offsetof(btf_type, info), &no_kind, sizeof(no_kind));
    EXPECT_FALSE(KernelBtf::parse(unknown));
}

} // namespace
} // namespace tcpflight::test

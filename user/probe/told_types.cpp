#include "probe/told_types.h"

#include "probe/needed_types.h"
#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tcpflight {
namespace {

// libbpf calls back without saying for whom.
struct Told {
    bool has_types = false;
    std::unordered_map<const bpf_program *, unsigned> targets; // what typed programs hang on: BTF ids
    unsigned cast = 0;                                         // bpf_rdonly_cast; 0: there is none
    std::array<unsigned, TF_UNTRUSTED_TYPES> types{};          // by tf_untrusted
    std::function<void()> maps_exist;
};
std::unique_ptr<Told> told; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

unsigned find_target(const KernelBtf &kernel, std::string_view section)
{
    const auto type = section.substr(0, section.find('/'));
    const auto name = section.substr(std::min(type.size() + 1, section.size()));
    if (type == "tp_btf")
        return kernel.tracepoint_id(name);
    if (type == "iter")
        return kernel.function_id(fmt::format("bpf_iter_{}", name));
    if (type == "fentry" || type == "fexit")
        return kernel.function_id(name);
    return 0;
}

// Functions of the kernel can be called by compiled programs only. Where there is no such setting they always are.
bool compiles_programs()
{
    std::ifstream file("/proc/sys/net/core/bpf_jit_enable");
    int setting = 0;
    return !(file >> setting) || setting != 0;
}

// Puts what the mark in untrusted() (bpf/maps.bpf.h) stands for in its place: a pointer of the same value and type that
// the verifier does not trust, or where the kernel has no such function (Linux 6.2), simply the same one. The verifier
// looks for names first since 6.3.
void make_untrusted(const bpf_program *program)
{
    // This is what libbpf is about to load. bpf_program__set_insns() would only put a copy in its place.
    auto *begin = const_cast<bpf_insn *>(bpf_program__insns(program)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    const std::span instructions(begin, bpf_program__insn_cnt(program));
    for (std::size_t i = 1; i < instructions.size(); i++) {
        auto &call = instructions[i];
        auto &type = instructions[i - 1]; // r2 = ...
        if (call.code != (BPF_JMP | BPF_CALL) || call.src_reg != 0 || call.imm != TF_UNTRUSTED_CALL)
            continue;
        if (told->cast != 0) {
            type.imm = static_cast<int>(told->types.at(static_cast<std::size_t>(type.imm)));
            call = {.code = BPF_JMP | BPF_CALL,
                    .dst_reg = 0,
                    .src_reg = BPF_PSEUDO_KFUNC_CALL,
                    .off = 0,
                    .imm = static_cast<int>(told->cast)};
        } else {
            call = {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 0, .src_reg = 1, .off = 0, .imm = 0};
        }
    }
}

int prepare(bpf_program *program, bpf_prog_load_opts * /*options*/, long /*cookie*/)
{
    if (told == nullptr)
        return -ESRCH;
    make_untrusted(program);
    return 0;
}

int set_target(bpf_program *program, bpf_prog_load_opts *options, long cookie)
{
    if (int error = prepare(program, options, cookie); error != 0)
        return error;
    const auto target = told->targets.find(program);
    if (target == told->targets.end())
        return -ESRCH;
    options->attach_btf_id = target->second;
    if (auto call = std::exchange(told->maps_exist, nullptr))
        call();
    return 0;
}

int attach(const bpf_program *program, long /*cookie*/, bpf_link **link)
{
    *link = bpf_program__attach_trace(program);
    return *link != nullptr ? 0 : -errno;
}

int attach_kprobe(const bpf_program *program, long /*cookie*/, bpf_link **link)
{
    const std::string_view section = bpf_program__section_name(program);
    *link = bpf_program__attach_kprobe(program, false, section.substr(section.find('/') + 1).data());
    return *link != nullptr ? 0 : -errno;
}

// As libbpf's own (section_defs in libbpf.c), but for the search. libbpf keeps pointers to what was registered, and
// moves it when more is: so once and for all.
void register_sections()
{
    LIBBPF_OPTS(libbpf_prog_handler_opts, typed, .prog_prepare_load_fn = set_target, .prog_attach_fn = attach);
    LIBBPF_OPTS(libbpf_prog_handler_opts, iterator, .prog_prepare_load_fn = set_target);
    LIBBPF_OPTS(libbpf_prog_handler_opts, untyped, .prog_prepare_load_fn = prepare);
    LIBBPF_OPTS(libbpf_prog_handler_opts, kprobe, .prog_prepare_load_fn = prepare, .prog_attach_fn = attach_kprobe);
    libbpf_register_prog_handler("tp+", BPF_PROG_TYPE_TRACEPOINT, bpf_attach_type{}, &untyped);
    libbpf_register_prog_handler("kprobe+", BPF_PROG_TYPE_KPROBE, bpf_attach_type{}, &kprobe);
    libbpf_register_prog_handler("tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, &typed);
    libbpf_register_prog_handler("fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &typed);
    libbpf_register_prog_handler("fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &typed);
    libbpf_register_prog_handler("iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &iterator);
}

} // namespace

ToldTypes::ToldTypes() : file_(memfd_create("tcpflight-types", MFD_CLOEXEC))
{
    static const bool once = (register_sections(), true);
    static_cast<void>(once);
    told = std::make_unique<Told>();
    auto path = fmt::format("/proc/self/fd/{}", file_.get());
    if (file_.is_open() && access(path.c_str(), R_OK) == 0)
        path_ = std::move(path);
}

ToldTypes::~ToldTypes()
{
    told.reset();
}

void ToldTypes::fill_copy(const KernelBtf &kernel, const bpf_object &object)
{
    bpf_program *program = nullptr;
    bpf_object__for_each_program(program, &object)
    {
        if (bpf_program__autoload(program))
            told->targets[program] = find_target(kernel, bpf_program__section_name(program));
    }
}

void ToldTypes::when_maps_exist(std::function<void()> call)
{
    told->maps_exist = std::move(call);
}

Result<void> ToldTypes::fill(const KernelBtf &kernel, const bpf_object &object)
{
    fill_copy(kernel, object);
    told->types = {kernel.struct_id("task_struct"), kernel.struct_id("cgroup"), kernel.struct_id("sock"),
                   kernel.struct_id("sk_buff")};
    told->cast = compiles_programs() ? kernel.function_id("bpf_rdonly_cast") : 0;
    if (path_.empty())
        return {};
    const auto types = needed_types(kernel, *bpf_object__btf(&object));
    if (write(file_.get(), types.data(), types.size()) != static_cast<ssize_t>(types.size()))
        return failure(fmt::format("cannot keep the kernel's types in memory: {}", std::strerror(errno)));
    told->has_types = true;
    return {};
}

} // namespace tcpflight

// libbpf reads all of the kernel's types as soon as there is a typed program, also if it has no need of them any more.
static btf *nothing_or(btf *(*load)())
{
    if (tcpflight::told && tcpflight::told->has_types)
        return btf__new_empty();
    return load != nullptr ? load() : nullptr;
}

#ifdef TCPFLIGHT_STATIC
// For the linker's --wrap.
extern "C" btf *__real_btf__load_vmlinux_btf();
extern "C" btf *__wrap_btf__load_vmlinux_btf()
{
    return nothing_or(__real_btf__load_vmlinux_btf);
}
#else
// A public function of a shared library that calls it itself is called where the program defines it (ELF's
// interposition, as for malloc); a libbpf that is bound to its own, as with -Bsymbolic, goes on as without this.
extern "C" __attribute__((visibility("default"))) btf *btf__load_vmlinux_btf()
{
    return nothing_or(reinterpret_cast<btf *(*)()>(dlsym(RTLD_NEXT, "btf__load_vmlinux_btf")));
}
#endif

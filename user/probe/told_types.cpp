#include "probe/told_types.h"

#include "probe/needed_types.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tcpflight {
namespace {

// libbpf calls back without saying for whom.
struct Told {
    bool has_types = false;
    std::unordered_map<const bpf_program *, unsigned> targets; // what typed programs hang on: BTF ids
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

int set_target(bpf_program *program, bpf_prog_load_opts *options, long /*cookie*/)
{
    if (told == nullptr)
        return -ESRCH;
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

// As libbpf's own (section_defs in libbpf.c), but for the search. libbpf keeps pointers to what was registered, and
// moves it when more is: so once and for all.
void register_sections()
{
    LIBBPF_OPTS(libbpf_prog_handler_opts, typed, .prog_prepare_load_fn = set_target, .prog_attach_fn = attach);
    LIBBPF_OPTS(libbpf_prog_handler_opts, iterator, .prog_prepare_load_fn = set_target);
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

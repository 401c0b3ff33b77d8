#include "probe/layers.h"

#include "probe/concerns.h"
#include "probe/lockdown.h"
#include "probe/tracepoint.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// A section's name says how its program attaches, and where: "fexit/tcp_conn_request".
struct Section {
    std::string_view type;
    std::string function;
};

Section section_of(const bpf_program *program)
{
    std::string_view name = bpf_program__section_name(program);
    auto slash = name.find('/');
    return {name.substr(0, slash), std::string(slash == std::string_view::npos ? "" : name.substr(slash + 1))};
}

Layer layer_of(const Section &section)
{
    if (section.type == "fentry" || section.type == "fexit")
        return Layer::Fentry;
    if (section.type == "kprobe" || section.type == "kretprobe")
        return Layer::Kprobe;
    return Layer::Core;
}

bool is_possible(const Hook &hook, const KernelBtf &btf, Layer layer, Tracepoints &tracepoints)
{
    const auto section = section_of(hook.program);
    const auto needed = layer_of(section);
    // They follow pointers with bpf_probe_read_kernel, which that mode refuses.
    const bool untyped = needed == Layer::Kprobe || section.type == "tp";
    if (untyped && lockdown_mode() == "confidentiality")
        return false;
    if (section.type == "tp")
        return tracepoints.open(hook.program);
    if (needed == Layer::Core)
        return section.type != "tp_btf" || btf.tracepoint_arguments(section.function) != 0;
    const auto arguments = btf.function_arguments(section.function);
    return needed == layer && arguments && (hook.arguments == 0 || hook.arguments == *arguments);
}

// bpf_fentry_test1 is in every kernel, for tests like this (net/bpf/test_run.c). Some refuse all of them at the load:
// there is no trampoline for their machine, or a policy is against it.
bool takes_fentry(const KernelBtf &btf)
{
    const auto id = btf.function_id("bpf_fentry_test1");
    if (id == 0)
        return false;
    constexpr std::array<bpf_insn, 2> nothing{{
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    }};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = id);
    int fd =
        bpf_prog_load(BPF_PROG_TYPE_TRACING, "takes_fentry", "Dual MIT/GPL", nothing.data(), nothing.size(), &options);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

bool takes_kprobes()
{
    return access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0;
}

} // namespace

Layer highest_layer(const KernelBtf &btf, Layer limit)
{
    if (limit == Layer::Fentry && takes_fentry(btf))
        return Layer::Fentry;
    return limit != Layer::Core && takes_kprobes() ? Layer::Kprobe : Layer::Core;
}

Layer below(Layer layer)
{
    return layer == Layer::Fentry && takes_kprobes() ? Layer::Kprobe : Layer::Core;
}

std::vector<bpf_program *> choose_programs(programs &skeleton, const KernelBtf &btf, Layer layer,
                                           Tracepoints &tracepoints)
{
    std::vector<bpf_program *> chosen;
    for (const auto &concern : concerns(skeleton)) {
        auto best = std::find_if(concern.begin(), concern.end(), [&](const Hook &hook) {
            return bpf_program__autoload(hook.program) && is_possible(hook, btf, layer, tracepoints);
        });
        for (const auto &hook : concern)
            bpf_program__set_autoload(hook.program, false);
        if (best == concern.end())
            continue;
        bpf_program__set_autoload(best->program, true);
        chosen.push_back(best->program);
    }
    return chosen;
}

std::vector<bpf_link *> attach_program(const bpf_program *program, Tracepoints &tracepoints)
{
    if (section_of(program).type == "tp")
        return tracepoints.attach(program);
    if (auto *link = bpf_program__attach(program); link != nullptr)
        return {link};
    return {};
}

std::string describe_hooks(const std::vector<bpf_program *> &chosen)
{
    std::string text = "tp_btf";
    auto uses = [&](auto condition) {
        return std::any_of(chosen.begin(), chosen.end(),
                           [&](const bpf_program *program) { return condition(section_of(program)); });
    };
    for (auto layer : {Layer::Fentry, Layer::Kprobe}) {
        if (uses([layer](const Section &section) { return layer_of(section) == layer; }))
            text.append("+").append(name(layer));
    }
    if (uses([](const Section &section) { return section.type == "tp"; }))
        text += "+tracepoint";
    return text;
}

} // namespace tcpflight

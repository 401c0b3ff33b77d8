#include "probe/tracer.h"

#include "model/clock.h"
#include "probe/kernel_btf.h"
#include "probe/layers.h"
#include "probe/libbpf_log.h"
#include "probe/load_error.h"
#include "probe/privileges.h"
#include "probe/pushdown.h"
#include "probe/reset_reasons.h"
#include "probe/told_types.h"
#include "probe/tracepoint.h"
#include "probe/two_objects.h"
#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <malloc.h>
#include <programs.skel.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tcpflight {

struct Tracer::Programs {
    TwoObjects objects;
    programs *skeleton = nullptr;      // the first of the objects
    std::vector<bpf_program *> chosen; // of both, in the order of attaching
    std::vector<bpf_link *> links;
    Tracepoints tracepoints;
    std::size_t ring_bytes = 0;
    std::span<tf_stage> stages;

    explicit Programs(const ToldTypes &told) : objects(told) {}
    Programs(const Programs &) = delete;
    Programs &operator=(const Programs &) = delete;
    ~Programs()
    {
        unlink();
        if (!stages.empty())
            munmap(stages.data(), stages.size_bytes());
    }

    void unlink()
    {
        // The last first: on_nested_transition would take all events for itself.
        for (; !links.empty(); links.pop_back())
            bpf_link__destroy(links.back());
    }
};

namespace {

std::uint64_t read_counter(const __u64 &counter)
{
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}

// The program was not run because it was already running on that CPU; the kernel counts per program since 5.12.
std::uint64_t nested_misses(const bpf_program *program)
{
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0)
        return 0;
    return info.recursion_misses;
}

bool is_nested_transition(const bpf_program *program)
{
    return bpf_program__name(program) == std::string_view("on_nested_transition");
}

void configure(programs &skeleton, const TracerSettings &settings, std::size_t ring_bytes, const KernelBtf &btf)
{
    bpf_map__set_max_entries(skeleton.maps.ring, static_cast<__u32>(ring_bytes));
    bpf_map__set_max_entries(skeleton.maps.stages, static_cast<__u32>(libbpf_num_possible_cpus()));
    skeleton.rodata->jiffy_us = jiffy_us();
    skeleton.rodata->metrics_everywhere = settings.metrics;
    bpf_program__set_autoload(skeleton.progs.on_congestion, settings.metrics);
    skeleton.rodata->retransmit_has_error = btf.tracepoint_arguments("tcp_retransmit_skb") >= 3;
    configure_resets(skeleton, btf);
    push_down(settings.filter, skeleton);
}

// About half of the verifier's work to each. What hangs on perf events stays, as these were opened for it.
void share_out(std::vector<bpf_program *> &chosen, const TwoObjects &objects)
{
    for (auto &program : chosen) {
        if (program != objects.first().progs.on_transition && bpf_program__type(program) != BPF_PROG_TYPE_TRACEPOINT)
            program = objects.move_to_second(program);
    }
}

Result<std::span<tf_stage>> map_stages(const bpf_map *map)
{
    auto count = bpf_map__max_entries(map);
    void *memory = mmap(nullptr, count * sizeof(tf_stage), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (memory == MAP_FAILED)
        return failure(fmt::format("cannot map the stages: {}", std::strerror(errno)));
    return std::span(static_cast<tf_stage *>(memory), count);
}

} // namespace

Tracer::Tracer(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
Tracer::Tracer(Tracer &&) noexcept = default;
Tracer &Tracer::operator=(Tracer &&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::attach(const TracerSettings &settings)
{
    if (auto allowed = check_privileges("tracing"); !allowed)
        return tl::unexpected(allowed.error());
    for (auto layer = settings.layer;;) {
        auto tracer = attach_in(layer, settings);
        if (tracer || layer == Layer::Core)
            return tracer;
        layer = below(layer);
    }
}

Result<Tracer> Tracer::attach_in(Layer &layer, const TracerSettings &settings)
{
    LibbpfLog log;
    ToldTypes told;
    auto state = std::make_unique<Programs>(told);
    // A page of 64 KiB (arm64) is more than the smallest size that may be asked for.
    state->ring_bytes = std::max(std::size_t{settings.ring_bytes}, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
    {
        // Gone before there is a ring: they are the most that is in memory.
        const auto types = KernelBtf::load();
        if (!types) {
            layer = Layer::Core; // there are no more types in any other
            return tl::unexpected(types.error());
        }
        layer = highest_layer(*types, layer);
        if (int error = state->objects.wait_until_open(); error != 0)
            return load_error("open", error, log);
        state->skeleton = &state->objects.first();
        configure(*state->skeleton, settings, state->ring_bytes, *types);
        state->chosen = choose_programs(*state->skeleton, *types, layer, state->tracepoints);
        // Typed tracepoints (5.5) are older than much of the rest, so that there is nothing to fall back to.
        if (!bpf_program__autoload(state->skeleton->progs.on_transition))
            return failure(
                "this kernel does not offer changes of state to BPF programs (btf_trace_inet_sock_set_state is "
                "not among its types): tcpflight needs Linux 5.12 or later");
        state->skeleton->rodata->syns_are_seen = bpf_program__autoload(state->skeleton->progs.on_syn);
        share_out(state->chosen, state->objects);
        if (auto filled = told.fill(*types, *state->skeleton->obj); !filled)
            return tl::unexpected(filled.error());
        told.fill_copy(*types, state->objects.second());
    }
    if (int error = state->objects.load(told); error != 0)
        return load_error("load", error, log);
    // What held the kernel's types: glibc keeps free memory of that size for the next one, and there is none.
    malloc_trim(0);
    if (auto filled = fill_filter(settings.filter, *state->skeleton); !filled)
        return tl::unexpected(filled.error());
    auto stages = map_stages(state->skeleton->maps.stages);
    if (!stages)
        return tl::unexpected(stages.error());
    state->stages = *stages;
    for (const auto *program : state->chosen) {
        const auto links = attach_program(program, state->tracepoints);
        if (links.empty())
            return load_error("attach", errno, log);
        state->links.insert(state->links.end(), links.begin(), links.end());
    }
    return Tracer(std::move(state));
}

std::string Tracer::hooks() const
{
    return describe_hooks(programs_->chosen);
}

Result<SocketIterators> Tracer::socket_iterators() const
{
    return SocketIterators::attach(*programs_->skeleton);
}

Channel Tracer::channel() const
{
    auto *skeleton = programs_->skeleton;
    return {.ring_fd = bpf_map__fd(skeleton->maps.ring),
            .ring_bytes = programs_->ring_bytes,
            .stages = programs_->stages,
            .asleep = &skeleton->bss->reader_asleep};
}

Tracer::Counters Tracer::counters() const
{
    Counters sum;
    for (const auto &stage : programs_->stages)
        sum.filtered_out += read_counter(stage.filtered_out) + read_counter(stage.refused);
    return sum;
}

std::uint64_t Tracer::nested_losses() const
{
    std::uint64_t rescued = 0;
    for (const auto &stage : programs_->stages)
        rescued += __atomic_load_n(&stage.rescued, __ATOMIC_RELAXED);
    // What on_nested_transition missed itself is no loss: on_transition had it, or it is among that one's misses.
    std::uint64_t missed = 0;
    for (const auto *program : programs_->chosen)
        missed += is_nested_transition(program) ? 0 : nested_misses(program);
    return missed - std::min(missed, rescued);
}

void Tracer::say_again()
{
    // The kernel keeps eight bits of it with each socket, and 0 means never.
    auto &epoch = programs_->skeleton->data->say_epoch;
    __atomic_store_n(&epoch, epoch % 255 + 1, __ATOMIC_RELAXED);
}

void Tracer::detach()
{
    programs_->unlink();
}

} // namespace tcpflight

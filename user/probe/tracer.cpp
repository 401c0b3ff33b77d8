#include "probe/tracer.h"

#include "probe/clock_rate.h"
#include "probe/kernel_btf.h"
#include "probe/libbpf_log.h"
#include "probe/load_error.h"
#include "probe/privileges.h"
#include "probe/pushdown.h"
#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <programs.skel.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace tcpflight {

struct Tracer::Programs {
    programs *skeleton = nullptr;
    std::array<bpf_link *, 3> links{};
    std::size_t ring_bytes = 0;

    Programs() = default;
    Programs(const Programs &) = delete;
    Programs &operator=(const Programs &) = delete;
    ~Programs()
    {
        unlink();
        programs::destroy(skeleton);
    }

    void unlink()
    {
        for (auto *&link : links)
            bpf_link__destroy(std::exchange(link, nullptr));
    }

    [[nodiscard]] std::span<const tf_cpu_counters> lines() const { return skeleton->bss->counters; }
    // on_nested_transition last: while the others are attached and it is not, what it would rescue is counted as lost.
    [[nodiscard]] std::array<bpf_program *, 3> attached() const
    {
        return {skeleton->progs.on_transition, skeleton->progs.on_retransmit, skeleton->progs.on_nested_transition};
    }
};

namespace {

std::uint64_t read_counter(const __u64 &counter)
{
    return __atomic_load_n(&counter, __ATOMIC_RELAXED);
}

// The program was not run because it was already running on that CPU; the kernel counts per program since 5.12.
std::uint64_t nested_misses(bpf_program *program)
{
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0)
        return 0;
    return info.recursion_misses;
}

void configure(programs &skeleton, const TracerSettings &settings, std::size_t ring_bytes, const KernelBtf &btf)
{
    bpf_map__set_max_entries(skeleton.maps.ring, static_cast<__u32>(ring_bytes));
    skeleton.rodata->metrics_everywhere = settings.metrics;
    skeleton.rodata->retransmit_has_error = btf.tracepoint_arguments("tcp_retransmit_skb") >= 3;
    push_down(settings.filter, skeleton);
}

} // namespace

Tracer::Tracer(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
Tracer::Tracer(Tracer &&) noexcept = default;
Tracer &Tracer::operator=(Tracer &&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::attach(const TracerSettings &settings)
{
    if (auto allowed = check_privileges(); !allowed)
        return tl::unexpected(allowed.error());
    LibbpfLog log;
    auto btf = KernelBtf::load();
    if (!btf)
        return tl::unexpected(btf.error());

    auto state = std::make_unique<Programs>();
    // A page of 64 KiB (arm64) is more than the smallest size that may be asked for.
    state->ring_bytes = std::max(std::size_t{settings.ring_bytes}, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
    state->skeleton = programs::open();
    if (state->skeleton == nullptr)
        return load_error("open", errno, log);
    configure(*state->skeleton, settings, state->ring_bytes, *btf);
    if (int error = programs::load(state->skeleton); error != 0)
        return load_error("load", -error, log);
    if (auto filled = fill_pids(settings.filter, *state->skeleton); !filled)
        return tl::unexpected(filled.error());
    state->skeleton->bss->jiffy_us = measure_jiffy_us(*state->skeleton);

    auto attached = state->attached();
    for (std::size_t i = 0; i < attached.size(); i++) {
        state->links[i] = bpf_program__attach(attached[i]);
        if (state->links[i] == nullptr)
            return load_error("attach", errno, log);
    }
    return Tracer(std::move(state));
}

int Tracer::ring_fd() const
{
    return bpf_map__fd(programs_->skeleton->maps.ring);
}

std::size_t Tracer::ring_bytes() const
{
    return programs_->ring_bytes;
}

Tracer::Counters Tracer::counters() const
{
    Counters sum;
    for (const auto &line : programs_->lines()) {
        sum.filtered_out += read_counter(line.filtered_out);
        sum.not_stored += read_counter(line.not_stored);
    }
    return sum;
}

std::vector<tf_loss> Tracer::losses() const
{
    std::vector<tf_loss> losses;
    std::uint64_t rescued = 0;
    __u32 cpu = 0;
    for (const auto &line : programs_->lines()) {
        rescued += read_counter(line.rescued);
        if (auto total = read_counter(line.ring_full); total != 0)
            losses.push_back({.total = total, .cpu = cpu, .reason = TF_LOSS_RING_FULL});
        cpu++;
    }
    // What on_nested_transition missed itself is no loss: on_transition had it, or it is among that one's misses.
    auto *skeleton = programs_->skeleton;
    auto nested = nested_misses(skeleton->progs.on_transition) + nested_misses(skeleton->progs.on_retransmit);
    nested -= std::min(nested, rescued);
    if (nested != 0)
        losses.push_back({.total = nested, .cpu = 0xffffffff, .reason = TF_LOSS_NESTED});
    return losses;
}

void Tracer::say_again()
{
    __atomic_add_fetch(&programs_->skeleton->data->say_epoch, 1U, __ATOMIC_RELAXED);
}

void Tracer::detach()
{
    programs_->unlink();
}

} // namespace tcpflight

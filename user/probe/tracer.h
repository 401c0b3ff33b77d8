// The kernel side: loads the BPF programs, attaches them, and reads what they count.
#pragma once

#include "filter/filter.h"
#include "model/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

struct tf_loss;

namespace tcpflight {

struct TracerSettings {
    Filter filter;                       // the kernel takes the part that it can decide
    std::uint32_t ring_bytes = 4U << 20; // a power of two; a page, if that is more
    bool metrics = false;                // tf_metrics in state records too
};

class Tracer {
public:
    // Loads and attaches; on return every event is being recorded, and the process has given up all capabilities.
    static Result<Tracer> attach(const TracerSettings &settings);

    Tracer(Tracer &&) noexcept;
    Tracer &operator=(Tracer &&) noexcept;
    ~Tracer();

    // The ring buffer: becomes readable when records are waiting. Owned by the tracer.
    [[nodiscard]] int ring_fd() const;
    [[nodiscard]] std::size_t ring_bytes() const;

    // How the programs are attached: "tp_btf".
    [[nodiscard]] static std::string_view layer() { return "tp_btf"; }

    struct Counters {
        std::uint64_t filtered_out = 0; // events that the filter refused in the kernel
        std::uint64_t not_stored = 0;   // events that found no memory for their socket (still sent)
    };
    [[nodiscard]] Counters counters() const;

    // Every loss so far, as it would stand in a TF_RECORD_LOST: totals, only those that are not 0.
    [[nodiscard]] std::vector<tf_loss> losses() const;

    // Ask for all identities once more, each with its connection's next record.
    void say_again();

    // Stop: no record is added after this.
    void detach();

private:
    struct Programs;
    explicit Tracer(std::unique_ptr<Programs> programs);
    std::unique_ptr<Programs> programs_;
};

} // namespace tcpflight

// The kernel side: loads the BPF programs, attaches them, and reads what they count.
#pragma once

#include "filter/filter.h"
#include "model/layer.h"
#include "model/result.h"
#include "probe/socket_iterators.h"
#include "source/channel.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace tcpflight {

struct TracerSettings {
    Filter filter;                       // the kernel takes the part that it can decide
    std::uint32_t ring_bytes = 4U << 20; // a power of two; a page, if that is more
    bool metrics = false;                // tf_metrics in state records too
    Layer layer = Layer::Fentry;         // nothing above it
};

class Tracer {
public:
    // Loads and attaches; on return every event is being recorded.
    static Result<Tracer> attach(const TracerSettings &settings);

    Tracer(Tracer &&) noexcept;
    Tracer &operator=(Tracer &&) noexcept;
    ~Tracer();

    // For a Sweeper. While the process still has its privileges.
    [[nodiscard]] Result<SocketIterators> socket_iterators() const;

    // What a LiveSource reads; all of it stays the tracer's.
    [[nodiscard]] Channel channel() const;

    // How the programs are attached, for people: "tp_btf+fentry".
    [[nodiscard]] std::string hooks() const;

    struct Counters {
        std::uint64_t filtered_out = 0; // events that the filter refused in the kernel
    };
    [[nodiscard]] Counters counters() const;

    // Events that no program took because it was interrupted by itself (TF_LOSS_NESTED), since the start. Records that
    // found no room are in the stream (LiveSource).
    [[nodiscard]] std::uint64_t nested_losses() const;

    // Ask for all identities once more, each with its connection's next record.
    void say_again();

    // Stop: no record is added after this.
    void detach();

private:
    struct Programs;
    // In the highest layer up to `layer` that this kernel takes, which it is set to.
    static Result<Tracer> attach_in(Layer &layer, const TracerSettings &settings);
    explicit Tracer(std::unique_ptr<Programs> programs);
    std::unique_ptr<Programs> programs_;
};

} // namespace tcpflight

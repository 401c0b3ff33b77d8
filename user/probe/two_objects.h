// The BPF programs, opened twice: nearly all of a start is the verifier's time, and from a thread it takes one program
// after the other. So some are loaded from the first object, and meanwhile, by a thread of its own, the others from the
// second one, over the maps of the first (docs/decisions/0026-a-quick-start.md).
#pragma once

#include "probe/told_types.h"

#include <future>
#include <memory>

struct bpf_object;
struct bpf_program;
struct programs;

namespace tcpflight {

class TwoObjects {
public:
    // They are opened meanwhile, with the types that `told` will have when they are loaded. Where no thread can be had,
    // all is done in its turn.
    explicit TwoObjects(const ToldTypes &told);

    // Waits. 0, or an errno; until then there are no objects.
    int wait_until_open();

    [[nodiscard]] programs &first() const { return *opened_.first; }
    [[nodiscard]] bpf_object &second() const { return *opened_.second; }

    // The second object's copy of it, which is to be loaded instead.
    [[nodiscard]] bpf_program *move_to_second(bpf_program *program) const;

    // 0, or an errno.
    int load(ToldTypes &told) const;

private:
    struct Close {
        void operator()(programs *object) const;
        void operator()(bpf_object *object) const;
    };
    struct Opened {
        std::unique_ptr<programs, Close> first;
        std::unique_ptr<bpf_object, Close> second;
        int error = 0;
    };
    static Opened open(const char *types);

    std::future<Opened> opening_;
    Opened opened_;
};

} // namespace tcpflight

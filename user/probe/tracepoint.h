// Tracepoints by way of perf, for programs in sections "tp/GROUP/EVENT+EVENT...": one program on several events.
#pragma once

#include "model/file_descriptor.h"

#include <unordered_map>
#include <vector>

struct bpf_link;
struct bpf_program;

namespace tcpflight {

class Tracepoints {
public:
    // Can this process hang such a program on its events? They stay open until it does: to close one takes the kernel
    // tens of milliseconds, for it waits until nobody is in it any more. tracefs need not be mounted.
    bool open(const bpf_program *program);

    // Behind open(): a link for each event; the caller destroys them. Empty: it failed, and errno tells why.
    std::vector<bpf_link *> attach(const bpf_program *program);

private:
    std::unordered_map<const bpf_program *, std::vector<FileDescriptor>> events_;
};

} // namespace tcpflight

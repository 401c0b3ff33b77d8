// The memory that the BPF programs and the reader share.
#pragma once

#include <cstddef>
#include <span>

struct tf_stage;

namespace tcpflight {

// All of it belongs to whoever handed it out (the tracer).
struct Channel {
    int ring_fd = -1; // of the ring buffer; becomes readable when a sleeping reader is wanted
    std::size_t ring_bytes = 0;
    std::span<tf_stage> stages; // one a CPU
    unsigned *asleep = nullptr; // 1: the next record is to wake the reader
};

} // namespace tcpflight

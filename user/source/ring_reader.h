// The ring buffer's only reader: maps it and takes records out, without a system call.
//
// The layout is the kernel's user-space interface (kernel/bpf/ringbuf.c, Documentation/bpf/ringbuf.rst): a page with
// the consumer's position, a page with the producers', then the data, mapped twice in a row so that no record ever
// wraps.
#pragma once

#include "model/result.h"
#include "source/source.h"

#include <cstddef>
#include <cstdint>

namespace tcpflight {

class RingReader {
public:
    // `map_fd` is a BPF_MAP_TYPE_RINGBUF of `size` bytes (a power of two); it stays the caller's.
    static Result<RingReader> open(int map_fd, std::size_t size);

    RingReader(RingReader &&other) noexcept;
    RingReader &operator=(RingReader &&other) noexcept;
    RingReader(const RingReader &) = delete;
    RingReader &operator=(const RingReader &) = delete;
    ~RingReader();

    // Hands over every record that is complete, in order. False: the consumer had enough.
    //
    // The position is given back to the kernel in steps, not for every record: the producers read it on each reserve,
    // and a cache line that bounces between the cores is most of what a record costs.
    bool drain(RecordConsumer &consumer);

    // Did the last drain() end before a record that its producer has not completed? Others may be behind it.
    [[nodiscard]] bool is_held_up() const { return held_up_; }

private:
    RingReader() = default;
    void give_back(std::uint64_t position);
    void unmap();

    std::uint64_t *consumer_position_ = nullptr; // its own page, writable
    std::byte *producer_page_ = nullptr;         // the producers' page, then the data twice; read-only
    std::size_t size_ = 0;
    bool held_up_ = false;
};

} // namespace tcpflight

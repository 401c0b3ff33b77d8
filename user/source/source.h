// Where raw records come from: the kernel's ring buffer, or (later) a recording.
#pragma once

#include <cstddef>
#include <span>

namespace tcpflight {

class RecordConsumer {
public:
    RecordConsumer() = default;
    RecordConsumer(const RecordConsumer &) = delete;
    RecordConsumer &operator=(const RecordConsumer &) = delete;
    virtual ~RecordConsumer() = default;

    // One record (tcpflight/records.h); the bytes are valid during the call. False: enough, stop reading.
    virtual bool consume(std::span<const std::byte> record) = 0;
};

} // namespace tcpflight

// A loss as a record of its own, as LiveSource makes them from counters.
#pragma once

#include "tcpflight/records.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace tcpflight {

constexpr std::uint32_t any_cpu = 0xffffffff; // tf_loss::cpu

class LossRecord {
public:
    LossRecord(std::uint64_t time_ns, const tf_loss &loss)
    {
        record_.header.time_ns = time_ns;
        record_.header.type = TF_RECORD_LOST;
        record_.loss = loss;
    }

    // Valid as long as this is.
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(&record_, 1)); }

private:
    struct {
        tf_header header;
        tf_loss loss;
    } record_{};
};

} // namespace tcpflight

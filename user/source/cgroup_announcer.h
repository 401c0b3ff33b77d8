// Says where a cgroup is before the first record that names it. So a recording, which holds what comes out of here,
// tells it as well, and says nothing of the cgroups that have no connections.
#pragma once

#include "model/cgroups.h"
#include "source/source.h"
#include "tcpflight/records.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tcpflight {

class CgroupAnnouncer : public RecordConsumer {
public:
    // `cgroups`: those that are there; records of new ones (TF_RECORD_CGROUP) add to them and are kept back. All others
    // go to `next`, which outlives this.
    CgroupAnnouncer(Cgroups cgroups, RecordConsumer &next) : cgroups_(std::move(cgroups)), next_(next) {}

    bool consume(std::span<const std::byte> record) override;

    // So many are known for announced: less than a Table keeps, so that it has not forgotten them.
    static constexpr std::size_t capacity = 2048;

private:
    bool announce(const CgroupKey &key, std::uint64_t time_ns);

    Cgroups cgroups_;
    Cgroups announced_{capacity};
    CgroupKey last_announced_; // most records name the same one as the one before
    RecordConsumer &next_;
};

} // namespace tcpflight

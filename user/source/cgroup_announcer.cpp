#include "source/cgroup_announcer.h"

#include <algorithm>
#include <cstring>

namespace tcpflight {
namespace {

// Of a record whose end this is.
template <typename T> T take_last(std::span<const std::byte> &record)
{
    T block{};
    if (record.size() < sizeof(tf_header) + sizeof(T))
        return block;
    std::memcpy(&block, record.data() + record.size() - sizeof(T), sizeof(T));
    record = record.first(record.size() - sizeof(T));
    return block;
}

// Id 0: it names none.
CgroupKey key_of(std::span<const std::byte> record, const tf_header &header)
{
    CgroupKey key;
    if ((header.flags & TF_FLAG_TRAFFIC) != 0)
        take_last<tf_traffic>(record);
    if ((header.flags & TF_FLAG_BYTES) != 0)
        take_last<tf_bytes>(record);
    if ((header.flags & TF_FLAG_OWNER_PLACE) != 0) {
        const auto place = take_last<tf_owner_place>(record);
        key = {.id = place.cgroup, .hierarchy = place.hierarchy};
    }
    if (key.id == 0 && (header.flags & TF_FLAG_IDENTITY) != 0)
        key = {.id = take_last<tf_identity>(record).cgroup, .hierarchy = 0};
    return key;
}

} // namespace

bool CgroupAnnouncer::consume(std::span<const std::byte> record)
{
    // Most records name none.
    constexpr auto naming = std::byte{TF_FLAG_OWNER_PLACE | TF_FLAG_IDENTITY};
    if (record.size() < sizeof(tf_header) || (record[offsetof(tf_header, type)] != std::byte{TF_RECORD_CGROUP} &&
                                              (record[offsetof(tf_header, flags)] & naming) == std::byte{}))
        return next_.consume(record);
    tf_header header{};
    std::memcpy(&header, record.data(), sizeof(header));
    if (header.type == TF_RECORD_CGROUP) {
        const auto cgroup = take_last<tf_cgroup>(record);
        cgroups_.put({.id = cgroup.id, .hierarchy = cgroup.hierarchy},
                     {cgroup.path, strnlen(cgroup.path, sizeof(cgroup.path))});
        return true;
    }
    const auto key = key_of(record, header);
    if (key.id != 0 && !announce(key, header.time_ns))
        return false;
    return next_.consume(record);
}

bool CgroupAnnouncer::announce(const CgroupKey &key, std::uint64_t time_ns)
{
    if (key == last_announced_)
        return true;
    if (announced_.find(key)) {
        last_announced_ = key;
        return true;
    }
    const auto cgroup = cgroups_.find(key);
    if (!cgroup)
        return true;
    announced_.put(key, {});
    last_announced_ = key;
    struct {
        tf_header header;
        tf_cgroup cgroup;
    } out{};
    out.header.time_ns = time_ns;
    out.header.type = TF_RECORD_CGROUP;
    out.cgroup.id = key.id;
    out.cgroup.hierarchy = key.hierarchy;
    std::memcpy(out.cgroup.path, cgroup->path.data(), std::min(cgroup->path.size(), sizeof(out.cgroup.path) - 1));
    return next_.consume(std::as_bytes(std::span(&out, 1)));
}

} // namespace tcpflight

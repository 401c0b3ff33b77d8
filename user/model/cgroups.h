// Cgroups by what names them: those that records have told of, or those that are there.
#pragma once

#include "model/cgroup.h"
#include "model/event.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

struct KnownCgroup {
    CgroupKey key;
    std::string path;
};

class Cgroups {
public:
    // More than `capacity` (at least 1) are not kept: the one that was put first is forgotten before the others.
    explicit Cgroups(std::size_t capacity) : capacity_(capacity) {}
    Cgroups() : Cgroups(default_capacity) {}

    static constexpr std::size_t default_capacity = 4096;

    // Again: with another path, and as if it was put last. Without an id: nothing.
    void put(const CgroupKey &key, std::string_view path);
    void clear();

    // Null: it is not known.
    [[nodiscard]] Shared<Cgroup> find(const CgroupKey &key) const;
    void locate(Identity &identity) const { identity.where = find(identity.cgroup_key()); }

    // In the order in which they were put.
    [[nodiscard]] std::vector<KnownCgroup> known() const;
    [[nodiscard]] std::size_t size() const { return order_.size(); }

private:
    // Ids are numbered one after the other.
    struct Hash {
        std::size_t operator()(const CgroupKey &key) const
        {
            return ((key.id ^ (std::uint64_t{key.hierarchy} << 48)) * 0x9e3779b97f4a7c15U) >> 32;
        }
    };

    std::size_t capacity_;
    tsl::robin_map<CgroupKey, Shared<Cgroup>, Hash> cgroups_;
    std::deque<CgroupKey> order_;
};

} // namespace tcpflight

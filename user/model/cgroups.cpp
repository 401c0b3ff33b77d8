#include "model/cgroups.h"

#include <algorithm>
#include <utility>

namespace tcpflight {

void Cgroups::put(const CgroupKey &key, std::string_view path)
{
    if (key.id == 0)
        return;
    auto cgroup = Shared<Cgroup>::make(Cgroup{.path = std::string(path), .container = std::string(container_of(path))});
    if (!cgroups_.insert_or_assign(key, std::move(cgroup)).second) {
        order_.erase(std::ranges::find(order_, key));
    } else if (order_.size() == capacity_) {
        cgroups_.erase(order_.front());
        order_.pop_front();
    }
    order_.push_back(key);
}

void Cgroups::clear()
{
    cgroups_.clear();
    order_.clear();
}

Shared<Cgroup> Cgroups::find(const CgroupKey &key) const
{
    auto found = cgroups_.find(key);
    return found != cgroups_.end() ? found->second : nullptr;
}

std::vector<KnownCgroup> Cgroups::known() const
{
    std::vector<KnownCgroup> known;
    known.reserve(order_.size());
    for (const auto &key : order_)
        known.push_back({.key = key, .path = cgroups_.at(key)->path});
    return known;
}

} // namespace tcpflight

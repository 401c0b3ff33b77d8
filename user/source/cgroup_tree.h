// The cgroups that are there, as their file systems show them.
#pragma once

#include "model/cgroups.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

// Of a host: more are forgotten, the oldest first.
constexpr std::size_t max_cgroups = 65'536;

// Adds the folder and all below it. `path` is the folder's path in the hierarchy: "/" for its root. What cannot be read
// is left out, as are the folders of those that end meanwhile.
void read_cgroup_folder(const std::string &folder, std::uint32_t hierarchy, const std::string &path, Cgroups &out);

// Those of version 2, and on a host with version 1 the hierarchy that limits processes ("pids"), as
// /proc/self/mountinfo tells where they are mounted: the same ones that the BPF programs name (bpf/place.bpf.h).
void read_cgroups(Cgroups &out);

// The mounted hierarchies that read_cgroups() reads.
struct CgroupMount {
    std::string folder;
    std::string root; // its path in the hierarchy
    std::uint32_t hierarchy = 0;

    bool operator==(const CgroupMount &) const = default;
};
// From the text of /proc/self/mountinfo and /proc/self/cgroup.
std::vector<CgroupMount> find_cgroup_mounts(std::string_view mountinfo, std::string_view own_cgroups);

} // namespace tcpflight

// Control groups: where a process stands in its host, and with that, in which container.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tcpflight {

// What names a cgroup for as long as the host runs.
struct CgroupKey {
    std::uint64_t id = 0;        // the inode number of its folder; 0: none
    std::uint32_t hierarchy = 0; // 0: version 2's; others as in /proc/PID/cgroup

    auto operator<=>(const CgroupKey &) const = default;
};

// Both texts are untrusted: whoever may make cgroups chooses their names.
struct Cgroup {
    std::string path;      // from the root of its hierarchy: "/system.slice/ssh.service"
    std::string container; // container_of(path); empty: it is not a container's
};

// The container whose cgroup this is or lies in, of nested ones the innermost: the 64 hexadecimal digits by which
// Docker, containerd, CRI-O and Podman name theirs, or the name that LXC and systemd-machined give. Empty: none. What
// is returned is a part of `path`, bytes escaped by systemd ("\x2d") included.
std::string_view container_of(std::string_view path);

// One of those with 64 digits, not a name.
bool is_container_id(std::string_view container);

// What a container engine would print in a list: an id cut to its first 12 digits, a name whole.
std::string_view short_container(std::string_view container);

} // namespace tcpflight

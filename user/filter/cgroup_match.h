// What "cgroup" and "container" compare: patterns (glob.h) with where a process is.
//
// systemd writes some bytes of names as "\x2d". In a path that is compared with and without: a pattern may have the
// byte itself, "\x2d", which is the same, or, with a second backslash, those four bytes.
#pragma once

#include <string_view>

namespace tcpflight {

// Is it the cgroup of this path, or one that it lies in? "/system.slice" holds of "/system.slice/ssh.service", and "/"
// of every one.
bool cgroup_matches(std::string_view pattern, std::string_view path);

// An id by its begin, as container engines take it, a name (LXC, systemd-nspawn) as a whole. `container` is Cgroup's.
bool container_matches(std::string_view pattern, std::string_view container);

} // namespace tcpflight

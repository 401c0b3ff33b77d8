// The network namespaces of this host, as far as there is a way in: those that a process is in, and those that are
// mounted in a place that is visible here (`ip netns`).
#pragma once

#include "model/result.h"
#include "tcpflight/control.h"

#include <cstdint>
#include <functional>
#include <set>
#include <span>

namespace tcpflight {

// By inode number.
struct Namespaces {
    std::set<std::uint32_t> visited;
    std::set<std::uint32_t> present; // whether there was a way in or not
};

// Calls `visit` in each of them, once, this thread being inside, and comes back. Visited are the thread's own, which is
// the first, and all others that the kernel lets it enter (CAP_SYS_ADMIN, and for those of other users' processes
// CAP_SYS_PTRACE). An error of `visit` ends it.
Result<Namespaces> visit_namespaces(std::span<const tf_inhabitant> inhabitants,
                                    const std::function<Result<void>()> &visit);

} // namespace tcpflight

// The kernel's share of a filter. Never narrower than the filter itself: what the kernel lets through is looked at
// again.
#pragma once

#include "filter/filter.h"
#include "model/result.h"

struct programs;

namespace tcpflight {

// Before the load: families, ports, and whether there is a list of owners. Owners' names are left to user space.
void push_down(const Filter &filter, programs &skeleton);

// After the load: the list of owners, which is a map.
Result<void> fill_pids(const Filter &filter, programs &skeleton);

} // namespace tcpflight

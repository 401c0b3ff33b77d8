// The kernel's share of a filter. Never narrower than the filter itself: what the kernel lets through is looked at
// again.
#pragma once

#include "filter/filter.h"
#include "model/result.h"

struct programs;

namespace tcpflight {

// Before the load: whether there is anything to decide.
void push_down(const Filter &filter, programs &skeleton);

// After the load: what to decide, which is in a map.
Result<void> fill_filter(const Filter &filter, programs &skeleton);

} // namespace tcpflight

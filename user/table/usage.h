// How much of what a network namespace has is taken, as a look at the sockets (probe/sweeper) shows it.
#pragma once

#include "model/look.h"
#include "model/usage.h"

#include <vector>

namespace tcpflight {

// Only what is taken by half and more.
std::vector<Usage> count_usage(const Look &look);

} // namespace tcpflight

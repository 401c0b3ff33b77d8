// Rows in order.
#pragma once

#include "top/row.h"
#include "top/top_key.h"

#include <cstdint>
#include <span>
#include <vector>

namespace tcpflight {

// The numbers of the rows among `chosen`, put in order as at `now_ns`. What is equal stays in the order of the local
// ends, also when it is reversed.
void sort_rows(std::span<const Row> rows, TopKey key, bool reversed, std::uint64_t now_ns,
               std::vector<std::uint32_t> &chosen);

} // namespace tcpflight

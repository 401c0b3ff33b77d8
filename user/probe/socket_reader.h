// The sockets of this host, now: nothing is traced.
#pragma once

#include "model/result.h"
#include "probe/snapshot.h"

namespace tcpflight {

// Loads what is needed for it, and nothing else. `metrics`: the records have tf_metrics where there are any.
Result<Snapshot> read_sockets_now(bool metrics);

} // namespace tcpflight

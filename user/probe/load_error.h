// One sentence for a refusal by the kernel.
#pragma once

#include "model/result.h"
#include "probe/libbpf_log.h"

namespace tcpflight {

// `step`: "open", "load" or "attach"; `error`: the errno it ended with. What libbpf said becomes the detail.
tl::unexpected<Error> load_error(const char *step, int error, const LibbpfLog &log);

} // namespace tcpflight

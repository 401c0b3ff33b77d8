// The identity as the kernel says it, to the model's and back.
#pragma once

#include "model/event.h"
#include "tcpflight/records.h"

namespace tcpflight {

// `raw` has passed decode.
Identity to_identity(const tf_identity &raw);

// to_identity() of the result is `identity` again.
tf_identity to_raw(const Identity &identity);

} // namespace tcpflight

// From the layout of the records to the model.
#pragma once

#include "model/event.h"
#include "tcpflight/records.h"

#include <cstdint>

namespace tcpflight {

Identity to_identity(const tf_identity &raw);

Metrics to_metrics(const tf_metrics &raw);

// `time_ns`: the record's, to which ages are reckoned.
SocketStatus to_status(const tf_socket &raw, std::uint64_t time_ns);

} // namespace tcpflight

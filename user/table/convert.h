// From the layout of the records to the model, and back.
#pragma once

#include "decode/decode.h"
#include "model/event.h"
#include "model/settings.h"
#include "model/usage.h"
#include "tcpflight/records.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace tcpflight {

// `raw` has passed decode.
Identity to_identity(const tf_identity &raw);

// to_identity() of the result is `identity` again, but for the owner's place.
tf_identity to_raw(const Identity &identity);

Owner to_owner(const tf_accept &raw);

// Where the owner is goes beside its identity. All 0: in the initial pid namespace and in the socket's cgroup.
void set_place(Owner &owner, const tf_owner_place &place);
tf_owner_place place_of(const Owner &owner);

// Of a TF_RECORD_FOUND that has one.
tf_identity identity_in(std::span<const std::byte> record, const tf_header &header);

// Of any record: the zeros where it has no place.
Identity to_identity(const Record &record);

NetnsSettings to_settings(const tf_settings &raw);
tf_settings to_raw(const NetnsSettings &settings);

// Of a TF_RECORD_USAGE.
Usage to_usage(const Record &record);

Metrics to_metrics(const tf_metrics &raw);

Traffic to_traffic(const tf_traffic &raw);

// `time_ns`: the record's, to which ages are reckoned.
SocketStatus to_status(const tf_socket &raw, std::uint64_t time_ns);

// Of a TF_RECORD_FOUND.
Found to_found(const Record &record);

} // namespace tcpflight

// The sink for what the user asked.
#pragma once

#include "sink/sink.h"
#include "sink/style.h"

#include <memory>

namespace tcpflight {

std::unique_ptr<Sink> make_sink(const OutputStyle &style);

} // namespace tcpflight

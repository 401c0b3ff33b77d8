// What several readers ask of an event.
#pragma once

#include "model/event.h"

namespace tcpflight {

// Of the socket, when the event happened; null: the event has none.
const Metrics *metrics_of(const Event &event);

// Does a socket's life begin with it, or one of several (a refused connect(2) that is tried again)?
bool begins_life(const StateChange &change);

} // namespace tcpflight

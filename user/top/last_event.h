// What happened last to a connection, in a few words.
#pragma once

#include "model/event.h"

#include <string>

namespace tcpflight {

// Replaces `out`: "ESTABLISHED -> FIN_WAIT1", "retransmit FIN #5", "reset received". Empty: nothing that is worth
// telling.
void describe_last(const Event &event, std::string &out);

} // namespace tcpflight

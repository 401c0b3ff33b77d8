// When an alarm is over: on the screen it is not to stand beside a connection that is well again.
#pragma once

#include "model/event.h"
#include "model/verdict.h"

namespace tcpflight {

// Does this event, of the same connection and later than the verdict, show that what the verdict said is over? Where
// nothing tells of it (data that is acknowledged at last), none does.
bool is_recovery(VerdictKind kind, const Event &event);
// After that, is it so again? A connection is called half-open once only.
bool is_relapse(VerdictKind kind, const Event &event);

} // namespace tcpflight

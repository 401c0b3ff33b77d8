#include "sink/change_text.h"

#include "sink/color.h"
#include "sink/duration.h"
#include "sink/errno_name.h"

namespace tcpflight {

void put_change_details(LineWriter &line, const StateChange &change, const OutputStyle &style)
{
    if (change.syn_queue_ns) {
        line.put(", ");
        put_duration(line, *change.syn_queue_ns, style.precision);
        line.put(" in the SYN queue");
    }
    if (change.error == 0)
        return;
    line.put(", ");
    if (style.color)
        line.put(color::trouble);
    line.put("error ");
    put_errno_and_number(line, change.error);
    if (const auto what = describe(change.timed_out); !what.empty()) {
        line.put(": ");
        line.put(what);
        if (change.by_user_timeout.value_or(false))
            line.put(" (TCP_USER_TIMEOUT)");
    }
    if (style.color)
        line.put(color::reset);
}

} // namespace tcpflight

#include "sink/json.h"
#include "sink/json_parts.h"

namespace tcpflight {

void JsonSink::put_what(LineWriter &line, const Event &event, const Reset &reset)
{
    line.put(R"(","event":"reset")");
    put_connection(line, event);
    line.put(reset.direction == ResetDirection::Sent ? std::string_view(R"(,"direction":"sent")")
                                                     : std::string_view(R"(,"direction":"received")"));
    put_state(line, ",\"state\":", reset.state);
    if (reset.reason == ResetReason::Unknown) {
        line.put(R"(,"reason":null)");
        return;
    }
    line.put(R"(,"reason":")");
    line.put(name(reset.reason));
    if (reset.reason == ResetReason::Other)
        put_number(line, "_", reset.kernel_reason);
    line.put('"');
}

} // namespace tcpflight

#include "sink/json.h"
#include "sink/json_parts.h"

namespace tcpflight {

void JsonSink::put_what(LineWriter &line, const Event &event, const Accept &accept)
{
    line.put(R"(","event":"accept")");
    put_connection(line, event);
    put_state(line, ",\"state\":", accept.state);
    put_duration(line, ",\"queued_us\":", accept.queued_ns);
}

} // namespace tcpflight

#include "sink/json.h"
#include "sink/json_parts.h"

namespace tcpflight {

void JsonSink::put_what(LineWriter &line, const Event &event, const Probe &probe)
{
    line.put(R"(","event":"probe")");
    put_connection(line, event);
    put_state(line, ",\"state\":", probe.state);
    line.put(R"(,"kind":")");
    line.put(name(probe.kind));
    put_number(line, R"(","attempt":)", probe.attempt);
    put_number(line, ",\"limit\":", probe.limit);
    put_duration(line, ",\"silent_us\":", probe.silent_ns);
    put_duration(line, ",\"closed_us\":", probe.closed_ns);
    put_number(line, ",\"waiting\":", probe.waiting);
    put_number_or_null(line, ",\"next_us\":", probe.next_ns.value_or(0) / 1000);
    put_number_or_null(line, ",\"gives_up_us\":", probe.gives_up_ns.value_or(0) / 1000);
}

} // namespace tcpflight

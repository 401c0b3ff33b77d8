#include "sink/probe_text.h"

#include "sink/duration.h"
#include "sink/text_parts.h"

#include <optional>
#include <string_view>

namespace tcpflight {
namespace {

void put_time(LineWriter &line, std::string_view label, const std::optional<std::uint64_t> &time_ns,
              TimePrecision precision)
{
    if (!time_ns)
        return;
    line.put(label);
    put_duration(line, *time_ns, precision);
}

} // namespace

void put_probe(LineWriter &line, const Probe &probe)
{
    line.put(name(probe.kind));
    put_labelled(line, " probe #", probe.attempt);
    put_labelled(line, " of ", probe.limit);
}

void put_probe_times(LineWriter &line, const Probe &probe, TimePrecision precision)
{
    if (probe.kind == ProbeKind::Window) {
        put_labelled(line, ", ", probe.waiting);
        line.put(probe.waiting == 1 ? std::string_view(" byte waits") : std::string_view(" bytes wait"));
    }
    put_time(line, ", closed for ", probe.closed_ns, precision);
    put_time(line, ", silent for ", probe.silent_ns, precision);
    put_time(line, ", next in ", probe.next_ns, precision);
    if (probe.gives_up_ns)
        put_time(line, ", gives up in ", about(*probe.gives_up_ns), precision);
}

} // namespace tcpflight

#include "sink/make_sink.h"

#include "sink/json.h"
#include "sink/summary.h"
#include "sink/tcplife.h"
#include "sink/tcpstates.h"
#include "sink/text.h"
#include "sink/timeline.h"

namespace tcpflight {

std::unique_ptr<Sink> make_sink(const OutputStyle &style)
{
    switch (style.format) {
    case Format::Json: return std::make_unique<JsonSink>(style.precision);
    case Format::Tcplife: return std::make_unique<TcplifeSink>(style);
    case Format::Tcpstates: return std::make_unique<TcpstatesSink>(style);
    case Format::Text: break;
    }
    if (style.summary_ns)
        return std::make_unique<SummarySink>(style);
    if (style.timelines)
        return std::make_unique<TimelineSink>(style);
    return std::make_unique<TextSink>(style);
}

} // namespace tcpflight

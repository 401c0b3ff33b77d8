// Any bytes as a record, through all that reads records.
#include "app/pipeline.h"
#include "sink/make_sink.h"

#include <cstring>

namespace {

// The first byte of each piece is its length: records of a file follow each other like this.
void feed(tcpflight::Pipeline &pipeline, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        auto size = std::min<std::size_t>(std::to_integer<std::size_t>(bytes.front()), bytes.size() - 1);
        pipeline.consume(bytes.subspan(1, size));
        bytes = bytes.subspan(1 + size);
    }
    pipeline.finish();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    using namespace tcpflight;
    for (auto format : {Format::Text, Format::Json}) {
        OutputStyle style;
        style.format = format;
        auto sink = make_sink(style);
        Pipeline pipeline({}, *sink);
        feed(pipeline, std::as_bytes(std::span(data, size)));
    }
    return 0;
}

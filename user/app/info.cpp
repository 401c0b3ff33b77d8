#include "app/info.h"

#include "app/output.h"
#include "app/recording_info.h"
#include "app/replay_files.h"
#include "app/report.h"
#include "filter/quote.h"
#include "model/event.h"
#include "recording/summary.h"
#include "sink/clock_text.h"
#include "sink/duration.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <iterator>
#include <string>

namespace tcpflight {
namespace {

// What a function of the sinks puts into a line, by itself.
template <typename Put> std::string text_of(Put &&put)
{
    std::string text;
    LineWriter line(text);
    put(line);
    line.finish();
    text.pop_back(); // the newline
    return text;
}

std::string time_text(std::int64_t wall_ns)
{
    return text_of(
        [&](LineWriter &line) { ClockText(ClockText::Shape::DateClock, TimePrecision::Micro).put(line, wall_ns); });
}

std::string duration_text(std::uint64_t duration_ns)
{
    return text_of([&](LineWriter &line) { put_duration(line, duration_ns, TimePrecision::Micro); });
}

// By the anchor that held: the last one that was not taken later.
std::int64_t to_wall(const Summary &summary, std::uint64_t time_ns)
{
    ClockAnchor anchor = summary.clocks.empty() ? summary.start.clock : summary.clocks.front();
    for (const auto &clock : summary.clocks) {
        if (clock.boot_ns <= time_ns)
            anchor = clock;
    }
    return anchor.to_wall(time_ns);
}

class Paragraph {
public:
    void row(std::string_view label, std::string_view value)
    {
        fmt::format_to(std::back_inserter(text_), "  {:<13}{}\n", label, value);
    }
    void title(std::string_view title) { fmt::format_to(std::back_inserter(text_), "{}:\n", title); }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string kinds(const Summary &summary)
{
    static constexpr auto names = std::to_array<std::pair<std::uint8_t, std::string_view>>(
        {{TF_RECORD_STATE, "changes of state"},
         {TF_RECORD_ACCEPT, "accepts"},
         {TF_RECORD_RETRANSMIT, "retransmissions"},
         {TF_RECORD_RESET, "resets"},
         {TF_RECORD_HANDSHAKE, "handshakes"},
         {TF_RECORD_CONGESTION, "changes of congestion state"},
         {TF_RECORD_PROBE, "probes"},
         {TF_RECORD_QUEUE, "full queues"},
         {TF_RECORD_FOUND, "sockets found at the start"},
         {TF_RECORD_CGROUP, "places of cgroups"},
         {TF_RECORD_SETTINGS, "settings of namespaces"},
         {TF_RECORD_USAGE, "counts of what is scarce"},
         {TF_RECORD_REFUSED, "connections that the filter does not want"},
         {TF_RECORD_GONE, "ends of TIME_WAIT, and sockets found missing"}});
    std::string text;
    auto rest = summary.records;
    for (const auto &[type, name] : names) {
        // Those that every recording has are told also where there were none.
        if (summary.by_type.at(type) != 0 || type == TF_RECORD_STATE || type == TF_RECORD_RETRANSMIT)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", summary.by_type.at(type), name);
        rest -= summary.by_type.at(type);
    }
    return rest == 0 ? text : text + fmt::format(", {} of kinds that this version does not know", rest);
}

std::string losses(const Summary &summary)
{
    std::string text;
    for (const auto &[reason, count] : summary.lost) {
        auto why = reason < TF_LOSS_REASONS ? std::string(describe(static_cast<LossReason>(reason)))
                                            : fmt::format("reason {}", reason);
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, why);
    }
    return text.empty() ? "none" : text;
}

void describe_start(const StartInfo &start, Paragraph &out)
{
    out.row("begun", time_text(start.clock.wall_ns));
    out.row("host", fmt::format("{}, Linux {}", escape(start.host), escape(start.kernel)));
    out.row("boot", escape(start.boot_id));
    out.row("recorded by", fmt::format("{}, hooks: {}", escape(start.program), escape(start.hooks)));
    auto filter = filter_text(start);
    out.row("filter", filter.empty() ? "none" : filter);
}

std::string describe_file(const std::string &name, const Summary &summary)
{
    const auto &start = summary.start;
    Paragraph out;
    out.title(escape(name));
    if (summary.records != 0) {
        out.row("first event", time_text(to_wall(summary, summary.first_ns)));
        out.row("last event", fmt::format("{}, {} later", time_text(to_wall(summary, summary.last_ns)),
                                          duration_text(summary.last_ns - summary.first_ns)));
    }
    if (start.is_known())
        describe_start(start, out);
    else
        out.row("begun", "not known, nor where and how: it begins with damage");
    auto number = start.is_known() ? fmt::format("number {} of its recording, ", start.file_number) : std::string();
    out.row("file", fmt::format("{}{} bytes", number, summary.bytes));
    auto ratio = summary.records == 0 ? std::string()
                                      : fmt::format(", {:.1f} bytes each", static_cast<double>(summary.bytes) /
                                                                               static_cast<double>(summary.records));
    out.row("events", fmt::format("{}{}", summary.records, ratio));
    out.row("", kinds(summary));
    out.row("connections", fmt::format("{}, alive at the begin: {}", summary.connections, summary.alive_at_start));
    out.row("lost", losses(summary));
    if (summary.clocks.size() > 1)
        out.row("clock set", fmt::format("{} times while it was recorded", summary.clocks.size() - 1));
    if (summary.unknown != 0)
        out.row("not known", fmt::format("{} blocks, records or parts: from a newer version", summary.unknown));
    out.row("ended", summary.finished ? "by its writer" : "no: it is being written, or its writer was killed");
    out.row("whole", summary.is_whole() ? "yes" : fmt::format("no: damaged in {} places", summary.damage_count));
    for (const auto &damage : summary.damages) {
        auto records = damage.records ? fmt::format("{}", *damage.records) : std::string("unknown");
        out.row("", fmt::format("at offset {}, {} bytes: {}; records lost: {}", damage.offset, damage.size, damage.what,
                                records));
    }
    return out.take();
}

} // namespace

int info(const Options &options)
{
    int status = 0;
    std::string text;
    bool damaged = false;
    for (const auto &path : options.read->files) {
        auto sources = find_sources(path, damaged);
        if (!sources) {
            report_error(sources.error(), 0);
            status = 1;
            continue;
        }
        for (const auto &file : *sources) {
            auto input = file.open();
            auto summary = input ? summarize(std::move(*input), path) : tl::unexpected(input.error());
            if (!summary) {
                report_error(summary.error(), 0);
                status = 1;
                continue;
            }
            text += describe_file(file.name(), *summary);
            status = summary->is_whole() && !damaged ? status : 1;
        }
    }
    Output output(STDOUT_FILENO, -1);
    if (output.write(text) == Output::Outcome::Failed) {
        report_error({fmt::format("cannot write to standard output: {}", std::strerror(output.error()))}, 0);
        return 1;
    }
    return status;
}

} // namespace tcpflight

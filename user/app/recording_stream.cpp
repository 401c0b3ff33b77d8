#include "app/recording_stream.h"

#include "app/recording_info.h"
#include "app/report.h"
#include "filter/quote.h"

#include <fmt/format.h>

#include <utility>

namespace tcpflight {

RecordingStream::RecordingStream(const Options &options, std::optional<std::uint64_t> count, Sink &sink,
                                 std::vector<ReplayFile> files, Hooks hooks, std::optional<std::int64_t> origin)
    : options_(options), files_(std::move(files)), hooks_(std::move(hooks)), origin_(origin),
      pipeline_({.filter = options.filter,
                 .count = count,
                 .show_found = options.show_found,
                 .verdicts = options.shown_verdicts(),
                 .thresholds = options.thresholds,
                 .timelines = options.style.timelines},
                sink)
{
}

Result<RecordingStream::Step> RecordingStream::read(bool grows)
{
    if (!reader_) {
        if (next_ == files_.size())
            return Step::Over;
        if (auto opened = open_next(); !opened)
            return tl::unexpected(opened.error());
        return Step::More;
    }
    auto step = reader_->read(*this);
    if (!step)
        return tl::unexpected(step.error());
    if (*step == RecordingReader::Step::Stopped || (options_.read->to && pipeline_.is_past_range())) {
        end_file();
        next_ = files_.size();
        return Step::Over;
    }
    if (*step == RecordingReader::Step::More)
        return Step::More;
    if (*step == RecordingReader::Step::Edge) {
        if (grows)
            return Step::Edge;
        auto whole = reader_->close(*this);
        if (!whole)
            return tl::unexpected(whole.error());
        if (*whole)
            report_error({fmt::format("{} is unfinished: it is being written, or its writer was killed", quote(name_))},
                         0);
        before_whole_ = false;
    }
    end_file();
    return Step::More;
}

Result<void> RecordingStream::open_next()
{
    const auto &file = files_[next_++];
    name_ = file.name();
    auto input = hooks_.open(file);
    if (!input)
        return tl::unexpected(input.error());
    auto reader = RecordingReader::open(std::move(*input), name_, damaged_records_);
    if (!reader)
        return tl::unexpected(reader.error());
    bool is_first = !before_;
    if (auto begun = begin(reader->start()); !begun)
        return begun;
    if (is_first && from_ns_) {
        if (auto sought = reader->seek(*from_ns_); !sought)
            return sought;
    }
    before_whole_ = true;
    reader_ = std::move(*reader);
    return {};
}

Result<void> RecordingStream::begin(const StartInfo &start)
{
    join_ = Join::New;
    if (before_ && before_->recording_id == start.recording_id) {
        bool is_next = start.file_number == before_->file_number + 1;
        join_ = is_next && before_whole_ ? Join::GoesOn : Join::Gap;
        if (!is_next)
            report_error({fmt::format("files of this recording are missing before {}: it is number {}, after {}",
                                      quote(name_), start.file_number, before_->file_number)},
                         0);
    }
    if (join_ == Join::New) {
        auto recorded = recorded_filter(start);
        if (!recorded)
            report_error(
                {fmt::format("{} was recorded with a filter that this version does not know: all that is in it "
                             "is shown",
                             quote(name_))},
                0);
        if (!start.is_known())
            report_error(
                {fmt::format("the begin of {} cannot be read: a filter that it was recorded with is not applied",
                             quote(name_))},
                0);
        pipeline_.restart(recorded.value_or(Filter{}));
        pipeline_.set_clock(start.clock);
    }
    if (!before_) {
        TimeRange range;
        auto origin = origin_.value_or(start.clock.wall_ns);
        if (options_.read->from)
            range.begin_ns = *(from_ns_ = options_.read->from->to_wall(origin));
        if (options_.read->to)
            range.end_ns = options_.read->to->to_wall(from_ns_.value_or(origin));
        if (range.end_ns <= range.begin_ns)
            return failure("--to is not after --from: no moment lies between them");
        pipeline_.show_only(range);
    }
    before_ = start;
    return {};
}

void RecordingStream::end_file()
{
    damaged_records_ = reader_->damaged();
    unknown_ += reader_->unknown();
    reader_.reset();
}

bool RecordingStream::record(std::span<const std::byte> bytes)
{
    bool more = pipeline_.consume(bytes);
    return (pipeline_.output().empty() || hooks_.after_record()) && more;
}

void RecordingStream::entry_point(const EntryPoint &entry)
{
    if (entry.why == EntryPoint::Why::Healing || join_ == Join::Gap)
        pipeline_.heal(entry.cgroups, entry.connections);
    else if (entry.why == EntryPoint::Why::Sought || join_ == Join::New)
        pipeline_.restore(entry.gaps, entry.cgroups, entry.connections);
    // Otherwise all of it is known.
    join_ = Join::GoesOn;
}

void RecordingStream::damage(const Damage &damage)
{
    damaged_ = true;
    before_whole_ = false;
    auto records =
        damage.records ? fmt::format("{} records lost", *damage.records) : std::string("records lost: unknown");
    report_error({fmt::format("{} is damaged at offset {}, {} bytes: {}; {}", quote(name_), damage.offset, damage.size,
                              damage.what, records)},
                 0);
}

} // namespace tcpflight

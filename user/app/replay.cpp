#include "app/replay.h"

#include "app/event_loop.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/recording_info.h"
#include "app/replay_files.h"
#include "app/report.h"
#include "filter/quote.h"
#include "recording/reader.h"
#include "sink/make_sink.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

namespace tcpflight {
namespace {

// How often a file that is being written is looked at again. Its writer adds to it once a second.
constexpr std::uint64_t follow_interval_ns = 100'000'000;

// Asks before each read that could wait.
class AwaitedInput : public InputFile {
public:
    // `await`: returns when there is something to read, or false to give up.
    AwaitedInput(std::unique_ptr<InputFile> input, std::function<bool()> await)
        : input_(std::move(input)), await_(std::move(await))
    {
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override
    {
        if (!await_())
            return tl::unexpected<int>(ECANCELED);
        return input_->read_at(offset, out);
    }
    [[nodiscard]] bool is_seekable() const override { return input_->is_seekable(); }
    [[nodiscard]] std::uint64_t size() const override { return input_->size(); }

private:
    std::unique_ptr<InputFile> input_;
    std::function<bool()> await_;
};

class Replay : public RecordingConsumer {
public:
    Replay(const Options &options, EventLoop loop)
        : options_(options), sink_(make_sink(options.style)), pipeline_({.filter = options.filter,
                                                                         .count = options.count,
                                                                         .show_found = options.show_found,
                                                                         .verdicts = options.shown_verdicts(),
                                                                         .timelines = options.style.timelines},
                                                                        *sink_),
          loop_(std::move(loop)), output_(STDOUT_FILENO, loop_.signal_fd())
    {
    }

    Result<int> run();

    bool record(std::span<const std::byte> bytes) override;
    void clock(const ClockAnchor &anchor) override { pipeline_.set_clock(anchor); }
    void entry_point(const EntryPoint &entry) override;
    void damage(const Damage &damage) override;

private:
    enum class Join : std::uint8_t {
        New,    // another recording
        GoesOn, // where the file before ended
        Gap,    // of the same recording, but not all between them was read
    };

    Result<std::vector<ReplayFile>> choose_files();
    Result<std::unique_ptr<InputFile>> open(const std::string &path);
    Result<bool> show_file(const ReplayFile &file);
    Result<bool> read_blocks(RecordingReader &reader);
    Result<void> begin(const StartInfo &start, const std::string &path);
    EventLoop::Wake await(std::optional<std::uint64_t> deadline_ns);
    bool await_input();
    [[nodiscard]] bool is_over() const { return interrupted_ || outcome_ != Output::Outcome::Written; }
    bool flush();
    int finish();

    const Options &options_;
    std::unique_ptr<Sink> sink_;
    Pipeline pipeline_;
    EventLoop loop_;
    Output output_;
    Output::Outcome outcome_ = Output::Outcome::Written;

    std::optional<StartInfo> before_; // of the file read last
    bool before_whole_ = false;
    Join join_ = Join::New;
    std::string path_; // of the file that is read
    std::uint64_t damaged_records_ = 0;
    std::uint64_t unknown_ = 0;
    bool damaged_ = false;
    bool interrupted_ = false;
    bool awaits_input_ = false; // it is a pipe
    std::optional<std::int64_t> from_ns_;
};

Result<int> Replay::run()
{
    if (auto watched = loop_.watch_output(STDOUT_FILENO); !watched)
        return tl::unexpected(watched.error());
    auto files = choose_files();
    if (!files)
        return tl::unexpected(files.error());
    for (const auto &file : *files) {
        auto more = show_file(file);
        if (is_over())
            break; // also in the midst of a file that could not be read on
        if (!more) {
            // What was read is shown all the same.
            pipeline_.finish();
            flush();
            return tl::unexpected(more.error());
        }
        if (!*more)
            break;
    }
    return finish();
}

Result<std::vector<ReplayFile>> Replay::choose_files()
{
    auto files = find_order(options_.read->files);
    if (files && files->size() > 1 && options_.read->from)
        skip_until(*files, options_.read->from->to_wall(files->front().start.clock.wall_ns));
    return files;
}

Result<std::unique_ptr<InputFile>> Replay::open(const std::string &path)
{
    auto input = open_input(path);
    if (!input || (*input)->awaited_fd() < 0)
        return input;
    auto waits = loop_.watch_input((*input)->awaited_fd());
    if (!waits)
        return tl::unexpected(waits.error());
    if (!*waits)
        return input;
    awaits_input_ = true;
    return std::make_unique<AwaitedInput>(std::move(*input), [this] { return await_input(); });
}

// False: the rest is not wanted.
Result<bool> Replay::show_file(const ReplayFile &file)
{
    auto input = open(file.path);
    if (!input)
        return tl::unexpected(input.error());
    path_ = file.path == "-" ? "standard input" : file.path;
    auto reader = RecordingReader::open(std::move(*input), path_, damaged_records_);
    if (!reader)
        return tl::unexpected(reader.error());
    bool is_first = !before_;
    if (auto begun = begin(reader->start(), path_); !begun)
        return tl::unexpected(begun.error());
    if (is_first && from_ns_) {
        if (auto sought = reader->seek(*from_ns_); !sought)
            return tl::unexpected(sought.error());
    }
    auto more = read_blocks(*reader);
    damaged_records_ = reader->damaged();
    unknown_ += reader->unknown();
    return more;
}

Result<void> Replay::begin(const StartInfo &start, const std::string &path)
{
    join_ = Join::New;
    if (before_ && before_->recording_id == start.recording_id) {
        bool is_next = start.file_number == before_->file_number + 1;
        join_ = is_next && before_whole_ ? Join::GoesOn : Join::Gap;
        if (!is_next)
            report_error({fmt::format("files of this recording are missing before {}: it is number {}, after {}",
                                      quote(path), start.file_number, before_->file_number)},
                         0);
    }
    if (join_ == Join::New) {
        auto recorded = recorded_filter(start);
        if (!recorded)
            report_error(
                {fmt::format("{} was recorded with a filter that this version does not know: all that is in it "
                             "is shown",
                             quote(path))},
                0);
        pipeline_.restart(recorded.value_or(Filter{}));
        pipeline_.set_clock(start.clock);
    }
    if (!before_) {
        TimeRange range;
        if (options_.read->from)
            range.begin_ns = *(from_ns_ = options_.read->from->to_wall(start.clock.wall_ns));
        if (options_.read->to)
            range.end_ns = options_.read->to->to_wall(from_ns_.value_or(start.clock.wall_ns));
        if (range.end_ns <= range.begin_ns)
            return failure("--to is not after --from: no moment lies between them");
        pipeline_.show_only(range);
    }
    before_ = start;
    return {};
}

Result<bool> Replay::read_blocks(RecordingReader &reader)
{
    before_whole_ = true;
    for (;;) {
        auto step = reader.read(*this);
        if (is_over())
            return false;
        if (!step)
            return tl::unexpected(step.error());
        if (*step == RecordingReader::Step::Stopped || (options_.read->to && pipeline_.is_past_range()))
            return false;
        if (*step == RecordingReader::Step::Finished)
            return true;
        await(0); // a look at signals
        if (is_over())
            return false;
        if (*step == RecordingReader::Step::More)
            continue;
        if (options_.read->follow && !awaits_input_) { // a pipe has come to its end
            if (flush())
                await(boot_now_ns() + follow_interval_ns);
            continue;
        }
        auto whole = reader.close(*this);
        if (!whole)
            return tl::unexpected(whole.error());
        if (*whole)
            report_error({fmt::format("{} is unfinished: it is being written, or its writer was killed", quote(path_))},
                         0);
        before_whole_ = false;
        return true;
    }
}

bool Replay::record(std::span<const std::byte> bytes)
{
    // Bounded memory, and a reader that sees something.
    constexpr std::size_t output_chunk = std::size_t{256} << 10;
    bool more = pipeline_.consume(bytes);
    if (options_.flush == Flush::Line || pipeline_.output().size() >= output_chunk)
        return flush() && more;
    return more;
}

void Replay::entry_point(const EntryPoint &entry)
{
    if (entry.why == EntryPoint::Why::Healing || join_ == Join::Gap)
        pipeline_.heal(entry.connections);
    else if (entry.why == EntryPoint::Why::Sought || join_ == Join::New)
        pipeline_.restore(entry.gaps, entry.connections);
    // Otherwise all of it is known.
    join_ = Join::GoesOn;
}

void Replay::damage(const Damage &damage)
{
    damaged_ = true;
    before_whole_ = false;
    auto records =
        damage.records ? fmt::format("{} records lost", *damage.records) : std::string("records lost: unknown");
    report_error({fmt::format("{} is damaged at offset {}, {} bytes: {}; {}", quote(path_), damage.offset, damage.size,
                              damage.what, records)},
                 0);
}

// Until there is input, or until the time has come (CLOCK_BOOTTIME), or until it is over.
EventLoop::Wake Replay::await(std::optional<std::uint64_t> deadline_ns)
{
    for (;;) {
        auto wake = loop_.wait(false, deadline_ns);
        switch (wake) {
        case EventLoop::Wake::Signal: interrupted_ = true; return wake;
        case EventLoop::Wake::OutputClosed: outcome_ = Output::Outcome::Closed; return wake;
        case EventLoop::Wake::Input:
        case EventLoop::Wake::Deadline: return wake;
        default: break;
        }
    }
}

// What was read is shown before a pipe is waited for. False: it is over.
bool Replay::await_input()
{
    if (await(0) == EventLoop::Wake::Deadline && flush())
        await({});
    return !is_over();
}

bool Replay::flush()
{
    auto &bytes = pipeline_.output();
    if (bytes.empty())
        return outcome_ == Output::Outcome::Written;
    outcome_ = output_.write_lines(bytes);
    return outcome_ == Output::Outcome::Written;
}

int Replay::finish()
{
    if (outcome_ == Output::Outcome::Written) {
        pipeline_.finish();
        flush();
    }
    auto totals = pipeline_.totals();
    totals.shown -= std::min(totals.shown, output_.lines_missing());
    report_totals(totals, 0);
    if (unknown_ != 0)
        report_error({fmt::format("left out what only a newer version knows: {} records or parts of them", unknown_)},
                     0);
    report_unwritten(output_, outcome_, options_.verbosity);
    return outcome_ == Output::Outcome::Failed || damaged_ ? 1 : 0;
}

Result<int> start(const Options &options)
{
    auto loop = EventLoop::create();
    if (!loop)
        return tl::unexpected(loop.error());
    return Replay(options, std::move(*loop)).run();
}

} // namespace

int replay(const Options &options)
{
    auto status = start(options);
    if (status)
        return *status;
    report_error(status.error(), options.verbosity);
    return 1;
}

} // namespace tcpflight

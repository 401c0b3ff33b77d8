#include "app/replay.h"

#include "app/event_loop.h"
#include "app/interleave.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/recording_stream.h"
#include "app/replay_files.h"
#include "app/report.h"
#include "app/spool.h"
#include "filter/quote.h"
#include "sink/make_sink.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

class Replay {
public:
    Replay(const Options &options, EventLoop loop)
        : options_(options), sink_(make_sink(options.style)), loop_(std::move(loop)),
          output_(STDOUT_FILENO, loop_.signal_fd())
    {
    }

    Result<int> run();

private:
    Result<std::vector<ReplayFile>> find_files();
    Result<std::unique_ptr<InputFile>> open(const ReplayFile &file);
    Result<int> show_one(std::vector<ReplayFile> files);
    int show_many(std::vector<std::vector<ReplayFile>> groups);
    EventLoop::Wake await(std::optional<std::uint64_t> deadline_ns);
    bool await_input();
    bool look_at_signals();
    [[nodiscard]] bool is_over() const { return interrupted_ || outcome_ != Output::Outcome::Written; }
    bool flush();
    bool flush_if_due();
    int finish(Pipeline::Totals totals, std::uint64_t unknown);

    const Options &options_;
    std::unique_ptr<Sink> sink_;
    EventLoop loop_;
    Output output_;
    Output::Outcome outcome_ = Output::Outcome::Written;
    std::string *lines_ = nullptr; // that wait for flush()
    bool damaged_ = false;
    bool interrupted_ = false;
    bool awaits_input_ = false;        // it is a pipe
    std::unique_ptr<InputFile> begun_; // the only one, which was looked into already and is not a file by name
};

// The files of one recording each.
std::vector<std::vector<ReplayFile>> group(std::vector<ReplayFile> files)
{
    constexpr std::array<std::uint8_t, 16> not_known{};
    std::vector<std::vector<ReplayFile>> groups;
    for (auto &file : files) {
        const auto &id = file.start.recording_id;
        if (groups.empty() || id == not_known || id != groups.back().front().start.recording_id)
            groups.emplace_back();
        groups.back().push_back(std::move(file));
    }
    return groups;
}

bool is_file(const std::string &path)
{
    struct stat status {};
    return path != "-" && (stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode));
}

Result<std::vector<ReplayFile>> Replay::find_files()
{
    const auto &paths = options_.read->files;
    if (paths.size() != 1 || is_file(paths.front()))
        return find_order(paths, damaged_);
    // What a pipe brings shows when it comes.
    ReplayFile file{.path = paths.front(), .start = {}, .merged = {}};
    auto input = open(file);
    if (!input)
        return tl::unexpected(input.error());
    auto looked = std::make_unique<LookedInto>(std::move(*input));
    auto begin = looked->look(merged_magic.size());
    // An error is met again in reading, and told there.
    if (!begin || !std::ranges::equal(*begin, std::as_bytes(std::span(merged_magic)))) {
        begun_ = std::move(looked);
        return std::vector{std::move(file)};
    }
    Result<std::unique_ptr<InputFile>> whole = std::move(looked);
    if (!(*whole)->is_seekable())
        whole = spool(**whole, file.name());
    if (!whole)
        return tl::unexpected(whole.error());
    auto merged = MergedFile::open(std::move(*whole), file.name());
    if (!merged)
        return tl::unexpected(merged.error());
    if (!*merged)
        return failure(fmt::format("{} is cut off at its begin", quote(file.name())));
    return order(sources_in(*merged, file.path, damaged_));
}

Result<int> Replay::run()
{
    if (auto watched = loop_.watch_output(STDOUT_FILENO); !watched)
        return tl::unexpected(watched.error());
    auto files = find_files();
    if (!files && is_over())
        return finish({}, 0);
    if (!files)
        return tl::unexpected(files.error());
    if (files->empty())
        return failure(fmt::format("nothing is left of what was merged into {}", quote(options_.read->files.front())));
    auto begin = files->front().start.clock.wall_ns;
    auto groups = group(std::move(*files));
    if (options_.read->from) {
        for (auto &recording : groups) {
            if (recording.size() > 1)
                skip_until(recording, options_.read->from->to_wall(begin));
        }
    }
    if (groups.size() == 1)
        return show_one(std::move(groups.front()));
    return show_many(std::move(groups));
}

Result<std::unique_ptr<InputFile>> Replay::open(const ReplayFile &file)
{
    if (begun_)
        return std::move(begun_);
    auto input = file.open();
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

Result<int> Replay::show_one(std::vector<ReplayFile> files)
{
    bool is_merged = files.front().merged != nullptr;
    RecordingStream stream(options_, options_.count, *sink_, std::move(files),
                           {.open = [this](const ReplayFile &file) { return open(file); },
                            .after_record = [this] { return flush_if_due(); }},
                           {});
    auto &pipeline = stream.pipeline();
    bool follow = options_.read->follow && !is_merged;
    lines_ = &pipeline.output();
    std::optional<Error> error;
    while (look_at_signals()) {
        auto step = stream.read(follow && !awaits_input_); // a pipe that ends has come to its end
        if (is_over() || (step && *step == RecordingStream::Step::Over))
            break;
        if (!step) {
            error = step.error(); // what was read is shown all the same
            break;
        }
        if (*step == RecordingStream::Step::Edge && flush())
            await(boot_now_ns() + follow_interval_ns);
    }
    if (outcome_ == Output::Outcome::Written) {
        pipeline.finish();
        flush();
    }
    if (error)
        return tl::unexpected(*error);
    damaged_ |= stream.is_damaged();
    return finish(pipeline.totals(), stream.unknown());
}

int Replay::show_many(std::vector<std::vector<ReplayFile>> groups)
{
    Interleave interleave(options_, std::move(groups), *sink_);
    std::string lines;
    lines_ = &lines;
    auto go_on = [this] { return look_at_signals(); };
    while (interleave.next(lines, go_on) && flush_if_due()) {
    }
    if (outcome_ == Output::Outcome::Written)
        flush();
    damaged_ |= interleave.is_damaged();
    return finish(interleave.totals(), interleave.unknown());
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
    if (await(0) == EventLoop::Wake::Deadline && (lines_ == nullptr || flush()))
        await({});
    return !is_over();
}

// False: it is over.
bool Replay::look_at_signals()
{
    await(0);
    return !is_over();
}

bool Replay::flush()
{
    if (lines_->empty())
        return outcome_ == Output::Outcome::Written;
    outcome_ = output_.write_lines(*lines_);
    return outcome_ == Output::Outcome::Written;
}

// Bounded memory, and a reader that sees something.
bool Replay::flush_if_due()
{
    constexpr std::size_t output_chunk = std::size_t{256} << 10;
    return (options_.flush != Flush::Line && lines_->size() < output_chunk) || flush();
}

int Replay::finish(Pipeline::Totals totals, std::uint64_t unknown)
{
    totals.shown -= std::min(totals.shown, output_.lines_missing());
    report_totals(totals, 0);
    if (unknown != 0)
        report_error({fmt::format("left out what only a newer version knows: {} records or parts of them", unknown)},
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
    return exit_status(start(options), options.verbosity);
}

} // namespace tcpflight

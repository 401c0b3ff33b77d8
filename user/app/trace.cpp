#include "app/trace.h"

#include "app/event_loop.h"
#include "app/output.h"
#include "app/pipeline.h"
#include "app/recorder.h"
#include "app/recording_info.h"
#include "app/report.h"
#include "app/sweeps.h"
#include "app/top_screen.h"
#include "decode/decode.h"
#include "probe/privileges.h"
#include "probe/sweeper.h"
#include "probe/tracer.h"
#include "sink/make_sink.h"
#include "source/cgroup_announcer.h"
#include "source/cgroup_tree.h"
#include "source/live_source.h"
#include "source/loss_record.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <thread>
#include <utility>

namespace tcpflight {
namespace {

// A record is stamped before it can be read; in between its CPU may be interrupted. Measured: up to 32 us. For the
// order of different sockets only: a socket's own records need no slack (LiveSource).
constexpr std::uint64_t stamp_slack_ns = 1'000'000;

bool is_shown(const Options &options)
{
    return !options.record || options.record->print;
}

std::uint64_t lost(const Pipeline::Totals &totals)
{
    return std::accumulate(totals.lost.begin(), totals.lost.end(), std::uint64_t{0});
}

// One run of the tracer, wired up.
class Session : public RecordConsumer {
public:
    Session(const Options &options, Tracer tracer, LiveSource source, Cgroups cgroups, EventLoop loop,
            std::optional<Sweeper> sweeper, std::unique_ptr<TopScreen> top)
        : options_(options), top_(std::move(top)), sink_(top_ ? nullptr : make_sink(options.style)),
          pipeline_({.filter = options.filter,
                     .count = options.count,
                     .show_found = options.show_found,
                     .show = is_shown(options),
                     .verdicts = is_shown(options) ? options.shown_verdicts() : Verdicts::None,
                     .thresholds = options.thresholds,
                     .timelines = options.style.timelines},
                    top_ ? static_cast<Sink &>(top_->board()) : *sink_),
          tracer_(std::move(tracer)), source_(std::move(source)), loop_(std::move(loop)),
          announcer_(std::move(cgroups), *this), output_(STDOUT_FILENO, loop_.signal_fd())
    {
        pipeline_.set_clock(clock_);
        if (sweeper)
            sweeps_.emplace(std::move(*sweeper), options.sweep_ns);
    }

    Result<void> start_recording();
    int run();
    bool consume(std::span<const std::byte> record) override;

private:
    enum class Rest : std::uint8_t { Awake, Drowsy, Sleeping };

    bool read_batch();
    [[nodiscard]] std::optional<std::uint64_t> due_ns() const;
    void settle(bool busy);
    bool flush();
    bool look_for_losses();
    bool read_rest();
    bool tell_absences(std::uint64_t until_ns);
    void want_look();
    bool tick();
    void collect_look();
    void stop_looking(const Error &error);
    void step_clock();
    int finish();

    const Options &options_;
    ClockAnchor clock_ = read_clock_anchor();
    std::unique_ptr<TopScreen> top_; // none: lines are written
    std::unique_ptr<Sink> sink_;     // none: the screen has one
    Pipeline pipeline_;
    std::unique_ptr<Recorder> recorder_; // none: nothing is recorded
    Tracer tracer_;
    LiveSource source_;
    EventLoop loop_;
    CgroupAnnouncer announcer_;
    Output output_;
    Output::Outcome outcome_ = Output::Outcome::Written;
    Rest rest_ = Rest::Awake;
    std::uint64_t consumed_ = 0; // records
    bool cut_off_ = false;       // the recording; only what it misses is counted any more
    std::uint64_t unrecorded_ = 0;
    std::uint64_t known_forgotten_ = 0;
    std::uint64_t known_nested_ = 0;
    std::optional<Sweeps> sweeps_;     // none: nobody looks
    std::uint64_t looked_at_lost_ = 0; // events lost before the last look
};

Result<void> Session::start_recording()
{
    auto recorder = Recorder::start(*options_.record, describe_recording(options_, tracer_.hooks(), clock_),
                                    pipeline_.known(), loop_.signal_fd());
    if (!recorder)
        return tl::unexpected(recorder.error());
    recorder_ = std::move(*recorder);
    return {};
}

int Session::run()
{
    if (top_)
        top_->begin(loop_.signal_fd());
    else
        report_listening(options_, tracer_.hooks());
    // What has come since the programs were attached need not wait for a batch's time.
    for (bool more = flush() && read_batch(); more;) {
        want_look();
        switch (loop_.wait(rest_ != Rest::Sleeping, due_ns())) {
        case EventLoop::Wake::Batch: more = read_batch(); break;
        case EventLoop::Wake::ClockStep: step_clock(); break;
        case EventLoop::Wake::ChildEnded: // also who looked for the sockets that are there
            if (recorder_)
                recorder_->reap();
            break;
        case EventLoop::Wake::Input: more = !top_ || top_->press(pipeline_); break;
        case EventLoop::Wake::Resized: top_->resize(); break;
        case EventLoop::Wake::Suspend: top_->suspend(); break;
        case EventLoop::Wake::Continued: top_->restore(); break;
        case EventLoop::Wake::Deadline: more = read_batch(); break;
        case EventLoop::Wake::Look: collect_look(); break;
        case EventLoop::Wake::OutputClosed: outcome_ = Output::Outcome::Closed; [[fallthrough]];
        case EventLoop::Wake::Signal: more = false; break;
        }
        if (more && top_)
            more = top_->tick(pipeline_);
    }
    return finish();
}

std::optional<std::uint64_t> Session::due_ns() const
{
    auto due = recorder_ ? recorder_->due_ns() : std::nullopt;
    if (auto look = sweeps_ ? sweeps_->due_ns() : std::nullopt)
        due = std::min(due.value_or(*look), *look);
    if (top_)
        due = std::min(due.value_or(top_->due_ns()), top_->due_ns());
    // While it holds something it is asked all the time.
    if (auto told = pipeline_.due_ns(); told && !pipeline_.is_holding()) {
        auto readable_ns = *told + 2 * stamp_slack_ns; // read_batch() goes no further than one
        due = std::min(due.value_or(readable_ns), readable_ns);
    }
    return due;
}

// What came before is read first: until now the old time held.
void Session::step_clock()
{
    clock_ = read_clock_anchor();
    pipeline_.set_clock(clock_);
    if (recorder_)
        recorder_->set_clock(clock_);
}

bool Session::consume(std::span<const std::byte> record)
{
    // Bounded memory, and a reader that keeps up with a long batch.
    constexpr std::size_t output_chunk = std::size_t{256} << 10;
    consumed_++;
    if (recorder_ && !cut_off_ && !recorder_->write(record)) {
        unrecorded_++;
        return false;
    }
    if (cut_off_ && record[offsetof(tf_header, type)] != std::byte{TF_RECORD_LOST})
        unrecorded_++;
    bool more = pipeline_.consume(record);
    if (options_.flush == Flush::Line || pipeline_.output().size() >= output_chunk)
        return flush() && more;
    return more;
}

bool Session::read_batch()
{
    // Nothing younger: it might have to stand behind something that a CPU is still writing.
    auto until = boot_now_ns() - stamp_slack_ns;
    auto before = consumed_;
    bool more = source_.read(until, announcer_) && look_for_losses() && tell_absences(source_.settled_ns());
    if (more) {
        pipeline_.advance(source_.settled_ns());
        more = !pipeline_.is_done();
    }
    if (more)
        more = tick();
    if (auto forgotten = pipeline_.totals().forgotten; forgotten != known_forgotten_) {
        known_forgotten_ = forgotten;
        tracer_.say_again();
    }
    settle(consumed_ != before || source_.has_rest() || pipeline_.is_holding());
    return flush() && more;
}

// Two quiet looks before it sleeps: the first asks to be woken, and the second finds what came before that was seen.
void Session::settle(bool busy)
{
    auto next = busy ? Rest::Awake : rest_ == Rest::Awake ? Rest::Drowsy : Rest::Sleeping;
    if ((next == Rest::Awake) != (rest_ == Rest::Awake))
        source_.set_asleep(next != Rest::Awake);
    rest_ = next;
}

// The kernel only counts these, and not even by CPU; so they are told where they are found.
bool Session::look_for_losses()
{
    auto total = tracer_.nested_losses();
    if (total == known_nested_)
        return true;
    known_nested_ = total;
    auto now = boot_now_ns();
    LossRecord record(now, {.total = total, .until_ns = now, .cpu = any_cpu, .reason = TF_LOSS_NESTED});
    return consume(record.bytes());
}

// What is in TIME_WAIT has to be looked for; and after a loss, everything. Verdicts ask for what waits without an
// event, also those of a recording that is read later; with nothing but listeners that is nothing.
void Session::want_look()
{
    const bool judges = options_.record || options_.shown_verdicts() != Verdicts::None;
    if (sweeps_)
        sweeps_->want((judges && pipeline_.known().size() != 0 && !sweeps_->is_still(consumed_)) ||
                      pipeline_.known().time_waits() != 0 || sweeps_->is_in_doubt() ||
                      lost(pipeline_.totals()) != looked_at_lost_);
}

// What time brings.
bool Session::tick()
{
    if (sweeps_) {
        if (auto asked = sweeps_->tick(consumed_); !asked)
            stop_looking(asked.error());
    }
    return !recorder_ || recorder_->tick();
}

void Session::collect_look()
{
    auto whole = sweeps_->collect();
    if (!whole)
        stop_looking(whole.error());
    else if (*whole)
        settle(true); // what happened meanwhile is read first
}

void Session::stop_looking(const Error &error)
{
    const Error told{fmt::format("ends that no event tells of are not looked for any more: {}", error.message),
                     error.detail};
    if (top_)
        top_->say(told.message);
    else
        report_error(told, options_.verbosity);
    sweeps_.reset();
}

bool Session::tell_absences(std::uint64_t until_ns)
{
    if (!sweeps_)
        return true;
    auto lost_by_now = lost(pipeline_.totals());
    Meanwhile meanwhile([this] { source_.take_aside(); });
    auto looked = sweeps_->compare(pipeline_.known(), until_ns, consumed_, meanwhile);
    if (!looked)
        return true;
    looked_at_lost_ = lost_by_now;
    std::span<const std::byte> rest = *looked;
    for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
        if (!consume(rest.first(size)))
            return false;
        meanwhile.step();
    }
    return true;
}

bool Session::flush()
{
    auto &bytes = pipeline_.output();
    if (bytes.empty())
        return true;
    outcome_ = output_.write_lines(bytes);
    return outcome_ == Output::Outcome::Written;
}

// A program that was running on another CPU when it was detached is over in no time, unless that CPU is taken away.
bool Session::read_rest()
{
    using namespace std::chrono_literals;
    constexpr int patience = 100;
    for (int tries = 0; tries < patience; tries++) {
        if (!source_.read(boot_now_ns(), announcer_))
            return false;
        if (!source_.is_held_up())
            break;
        std::this_thread::sleep_for(1ms);
    }
    return source_.read(LiveSource::everything, announcer_);
}

int Session::finish()
{
    if (top_)
        top_->end();
    tracer_.detach();
    if (outcome_ == Output::Outcome::Written) {
        if (!pipeline_.is_done() && read_rest() && look_for_losses())
            pipeline_.finish();
        flush();
    }
    // A pipe that nobody reads: what came and cannot be written any more is counted, as all that is lost.
    cut_off_ = recorder_ && recorder_->is_cut_off();
    if (cut_off_ && read_rest() && look_for_losses()) {
        pipeline_.finish();
        flush();
    }
    bool recorded = !recorder_ || recorder_->finish(unrecorded_);
    if (recorder_) {
        auto written = recorder_->totals();
        report_recorded(written.records, written.bytes, written.files);
    }
    auto totals = pipeline_.totals();
    totals.shown -= std::min(totals.shown, output_.lines_missing());
    totals.malformed += source_.damaged();
    if (!top_ || lost(totals) != 0)
        report_totals(totals, tracer_.counters().filtered_out, options_.record && !options_.record->print);
    report_unwritten(output_, outcome_, options_.verbosity);
    return outcome_ == Output::Outcome::Failed || !recorded ? 1 : 0;
}

Result<void> drop(const Options &options)
{
    if (!options.user.empty()) {
        if (auto become = become_user(options.user); !become)
            return become;
    }
    bool opens_files = options.record && options.record->path != "-";
    // Root can go on writing into everybody's folders: further files of the recording are opened later.
    return opens_files ? keep_privileges({CAP_DAC_OVERRIDE}) : drop_privileges();
}

// The sockets that were there before us. They are read when all events are being recorded already, and merged with
// those by time and cookie: nothing falls in between, and nothing counts twice. Without them tracing is poorer, and not
// wrong.
Result<Sweeper> ask_what_is_there(const Tracer &tracer)
{
    auto iterators = tracer.socket_iterators();
    if (!iterators)
        return tl::unexpected(iterators.error());
    auto sweeper = Sweeper::start(std::move(*iterators));
    if (!sweeper)
        return sweeper;
    if (auto asked = sweeper->ask_for_all(); !asked)
        return tl::unexpected(asked.error());
    return sweeper;
}

Result<Sweeper> add_what_is_there(Result<Sweeper> asked, LiveSource &source, int verbosity)
{
    constexpr std::chrono::seconds patience{5};
    if (!asked)
        return asked;
    auto found = asked->await_all(patience);
    if (!found)
        return tl::unexpected(found.error());
    source.add(settings_records(found->limits, found->begin_ns));
    source.add(std::move(found->records));
    report_out_of_reach(found->out_of_reach, "shown from their next event on", verbosity);
    return asked;
}

// None: nobody will look again.
std::optional<Sweeper> start_looking(Result<Sweeper> asked, LiveSource &source, EventLoop &loop, const Options &options)
{
    auto sweeper = add_what_is_there(std::move(asked), source, options.verbosity);
    if (!sweeper) {
        report_error({fmt::format("connections that were there before are shown from their next event on: {}",
                                  sweeper.error().message),
                      sweeper.error().detail},
                     options.verbosity);
        return std::nullopt;
    }
    if (options.sweep_ns == 0)
        return std::nullopt;
    if (auto watched = loop.watch_sweeper(sweeper->fd()); !watched) {
        report_error(watched.error(), options.verbosity);
        return std::nullopt;
    }
    return std::move(*sweeper);
}

Result<int> start(const Options &options)
{
    std::unique_ptr<TopScreen> top;
    if (options.top) {
        auto opened = TopScreen::open(options);
        if (!opened)
            return tl::unexpected(opened.error());
        top = std::move(*opened);
    }
    // Signals first: one that comes while the programs are loaded must end the tracing, not interrupt the loading.
    auto loop = EventLoop::create();
    if (!loop)
        return tl::unexpected(loop.error());
    auto tracer = Tracer::attach(
        {.filter = options.filter,
         .ring_bytes = options.ring_bytes,
         .metrics = options.style.metrics || options.top || asks_for(options.filter.expression(), Quantity::Rtt),
         .layer = options.layer});
    if (!tracer)
        return tl::unexpected(tracer.error());
    auto channel = tracer->channel();
    auto source = LiveSource::open(channel);
    if (!source)
        return tl::unexpected(source.error());
    if (auto watched = loop->watch_ring(channel.ring_fd); !watched)
        return tl::unexpected(watched.error());
    auto asked = ask_what_is_there(*tracer);
    Cgroups cgroups(max_cgroups);
    read_cgroups(cgroups); // behind the attaching: new ones are being told of already
    auto sweeper = start_looking(std::move(asked), *source, *loop, options);
    // A recording to a file has nothing to do with standard output.
    if (!options.record || options.record->print || options.record->path == "-") {
        if (auto watched = loop->watch_output(STDOUT_FILENO); !watched)
            return tl::unexpected(watched.error());
    }
    if (top) {
        if (auto watched = loop->watch_terminal_signals(); !watched)
            return tl::unexpected(watched.error());
        if (auto watched = loop->watch_input(top->keys_fd()); !watched)
            return tl::unexpected(watched.error());
    }
    if (auto dropped = drop(options); !dropped)
        return tl::unexpected(dropped.error());

    Session session(options, std::move(*tracer), std::move(*source), std::move(cgroups), std::move(*loop),
                    std::move(sweeper), std::move(top));
    if (options.record) {
        if (auto recording = session.start_recording(); !recording)
            return tl::unexpected(recording.error());
    }
    return session.run();
}

} // namespace

int trace(const Options &options)
{
    return exit_status(start(options), options.verbosity);
}

} // namespace tcpflight

#include "app/recorder.h"

#include "app/pipe_output.h"
#include "app/report.h"
#include "filter/quote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;
// With --keep and no -C, so that there is always an old file that can go.
constexpr std::uint64_t files_to_keep = 4;

bool ends_recording(int error)
{
    return error == EPIPE || error == ECANCELED;
}

RotationSettings rotation_settings(const RecordOptions &options)
{
    RotationSettings settings{.name = options.path,
                              .file_bytes = options.file_bytes,
                              .rotate_s = options.rotate_s,
                              .max_files = options.max_files,
                              .soft_bytes = {}};
    if (options.keep_bytes)
        settings.soft_bytes = *options.keep_bytes / files_to_keep;
    return settings;
}

} // namespace

Recorder::Recorder(const RecordOptions &options, StartInfo info, const KnownSource &known, int interrupt_fd)
    : options_(options), info_(std::move(info)), known_(known), interrupt_fd_(interrupt_fd), now_(std::time(nullptr)),
      rotation_(rotation_settings(options), now_), post_rotate_(options.post_rotate)
{
    if (options.keep_bytes)
        shelf_.emplace(real_disk(), *options.keep_bytes,
                       find_recordings(real_disk(), options.path, options.rotate_s.has_value()));
}

Result<std::unique_ptr<Recorder>> Recorder::start(const RecordOptions &options, StartInfo info,
                                                  const KnownSource &known, int interrupt_fd)
{
    std::unique_ptr<Recorder> recorder(new Recorder(options, std::move(info), known, interrupt_fd));
    if (auto opened = recorder->open_next(); !opened)
        return tl::unexpected(opened.error());
    recorder->report_trouble();
    return recorder;
}

// The new file first: should it not open, the old one goes on.
Result<void> Recorder::open_next()
{
    auto file = create_output(rotation_.path(), options_.force, interrupt_fd_);
    if (!file)
        return tl::unexpected(file.error());
    if (writer_)
        close_current();
    path_ = rotation_.path();
    if (shelf_)
        shelf_->begin(path_);
    info_.file_number = closed_.files;
    // The same clock, read now: readers know from it when the file begins.
    auto now = boot_now_ns();
    info_.clock = {.boot_ns = now, .wall_ns = info_.clock.to_wall(now)};
    writer_.emplace(std::move(*file),
                    RecordingWriter::Settings{
                        .start = info_, .flush_interval_ns = options_.flush_interval_ns, .lost_before = closed_.lost},
                    known_);
    writer_->flush(); // its header, and what is alive now
    begin_bytes_ = writer_->totals().bytes;
    make_room();
    return {};
}

void Recorder::close_current()
{
    if (auto finished = writer_->finish(); !finished)
        whole_ = false;
    report_trouble();
    make_room(); // for what came last
    auto totals = writer_->totals();
    closed_.records += totals.records;
    closed_.bytes += totals.bytes;
    closed_.lost = totals.lost;
    closed_.files++;
    writer_.reset();
    if (shelf_)
        shelf_->end(totals.bytes);
}

bool Recorder::write(std::span<const std::byte> record)
{
    if (!rotate_if_due())
        return false;
    writer_->write(record);
    if (options_.flush_interval_ns == 0)
        writer_->flush();
    // Much can come before the next tick.
    if (shelf_ && writer_->totals().bytes != bytes_with_room_)
        make_room();
    return true;
}

void Recorder::set_clock(const ClockAnchor &anchor)
{
    info_.clock = anchor;
    writer_->set_clock(anchor);
}

bool Recorder::tick()
{
    now_ = std::time(nullptr);
    if (!rotate_if_due())
        return false;
    auto due = writer_->flush_due_ns();
    if (due && *due <= boot_now_ns()) {
        writer_->flush();
        make_room();
    }
    report_trouble();
    return !over_;
}

bool Recorder::rotate_if_due()
{
    if (over_)
        return false;
    if (retry_ns_ != 0 && boot_now_ns() < retry_ns_)
        return true;
    auto step = retry_ns_ != 0 ? Rotation::Step::Next : rotation_.look(bytes_for_rotation(), now_);
    if (step == Rotation::Step::Stay)
        return true;
    if (step == Rotation::Step::End) {
        over_ = true;
        return false;
    }
    auto complete = path_;
    if (auto opened = open_next(); !opened) {
        if (retry_ns_ == 0)
            report_error({fmt::format("{}: going on in {} until it opens", opened.error().message, quote(path_)), {}},
                         0);
        retry_ns_ = boot_now_ns() + ns_per_s;
        return true;
    }
    retry_ns_ = 0;
    if (!options_.post_rotate.empty()) {
        if (auto started = post_rotate_.start(complete); !started)
            report_error(started.error(), 0);
    }
    return true;
}

// Where more is alive than -C has room for, files would consist of their begins.
std::uint64_t Recorder::bytes_for_rotation() const
{
    auto bytes = writer_->totals().bytes;
    return bytes < 2 * begin_bytes_ ? 0 : bytes;
}

std::optional<std::uint64_t> Recorder::due_ns() const
{
    auto due = writer_->flush_due_ns();
    auto earlier = [&](std::uint64_t time_ns) { due = std::min(due.value_or(time_ns), time_ns); };
    if (retry_ns_ != 0) {
        earlier(retry_ns_);
    } else if (auto next = rotation_.due()) {
        // By the wall clock, like the names.
        auto left =
            std::max<std::int64_t>(*next * static_cast<std::int64_t>(ns_per_s) - read_clock_anchor().wall_ns, 0);
        earlier(boot_now_ns() + static_cast<std::uint64_t>(left));
    }
    return due;
}

void Recorder::reap()
{
    for (const auto &sentence : post_rotate_.reap())
        report_error({sentence, {}}, 0);
}

bool Recorder::finish(std::uint64_t missing)
{
    auto complete = path_;
    close_current();
    if (is_cut_off())
        report_error({fmt::format("{} was not being read: the recording is cut off, events missing at its end: {}",
                                  quote_output(path_), closed_.lost + missing)},
                     0);
    // As tcpdump: what -W ends is a whole file; Ctrl-C leaves it to whoever pressed it.
    if (over_ && !(told_trouble_ && ends_recording(*told_trouble_)) && !options_.post_rotate.empty()) {
        if (auto started = post_rotate_.start(complete); !started)
            report_error(started.error(), 0);
    }
    return whole_;
}

Recorder::Totals Recorder::totals() const
{
    auto totals = closed_;
    if (writer_) {
        auto current = writer_->totals();
        totals.records += current.records;
        totals.bytes += current.bytes;
        totals.lost = current.lost;
        totals.files++;
    }
    totals.records -= std::min(totals.records, totals.lost);
    return totals;
}

void Recorder::report_trouble()
{
    auto trouble = writer_->trouble();
    if (trouble == told_trouble_)
        return;
    if (trouble && ends_recording(*trouble)) {
        over_ = true; // nobody reads it any more, or at all
    } else if (trouble) {
        report_error({fmt::format("cannot write to {}: {}: recording goes on when that is over", quote(path_),
                                  std::strerror(*trouble)),
                      {}},
                     0);
    } else {
        report_error({fmt::format("writing to {} again: events lost meanwhile: {}", quote(path_),
                                  writer_->totals().lost - closed_.lost),
                      {}},
                     0);
    }
    told_trouble_ = trouble;
}

void Recorder::make_room()
{
    if (!shelf_)
        return;
    bytes_with_room_ = writer_->totals().bytes;
    for (const auto &refusal : shelf_->make_room(bytes_with_room_))
        report_error(
            {fmt::format("--keep: cannot delete {}: {}", quote(refusal.path), std::strerror(refusal.error)), {}}, 0);
}

} // namespace tcpflight

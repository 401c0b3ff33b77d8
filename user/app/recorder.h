// -w: the files of a recording, one after the other.
#pragma once

#include "app/post_rotate.h"
#include "cli/options.h"
#include "model/result.h"
#include "recording/format.h"
#include "recording/rotation.h"
#include "recording/shelf.h"
#include "recording/writer.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

class Recorder {
public:
    struct Totals {
        std::uint64_t records = 0; // in the files
        std::uint64_t bytes = 0;
        std::uint64_t lost = 0; // records that the disk had no room for
        std::uint32_t files = 0;
    };

    // Opens the first file. `known` as for a RecordingWriter. Trouble is told on standard error. A pipe that nobody
    // reads is waited for, until `interrupt_fd` is readable.
    static Result<std::unique_ptr<Recorder>> start(const RecordOptions &options, StartInfo info,
                                                   const KnownSource &known, int interrupt_fd);

    // Before the record goes on to `known`. False: the recording is at its end (-G with -W, or nobody reads it any
    // more), and the record is not in it.
    bool write(std::span<const std::byte> record);
    void set_clock(const ClockAnchor &anchor);
    // What time brings: flushes, and the next file. To be called at due_ns(). False: as write().
    bool tick();
    // CLOCK_BOOTTIME; none: not before the next record.
    [[nodiscard]] std::optional<std::uint64_t> due_ns() const;
    // A command of -z has ended.
    void reap();
    // Nobody reads it: it is over before its time, and what comes now is missing at its end.
    [[nodiscard]] bool is_cut_off() const { return told_trouble_ == ECANCELED; }
    // False: something is missing in the last file. `missing`: records that came and that write() did not take, of one
    // that is cut off.
    bool finish(std::uint64_t missing);

    [[nodiscard]] Totals totals() const;

private:
    Recorder(const RecordOptions &options, StartInfo info, const KnownSource &known, int interrupt_fd);
    Result<void> open_next();
    bool rotate_if_due();
    [[nodiscard]] std::uint64_t bytes_for_rotation() const;
    void close_current();
    void report_trouble();
    void make_room();

    RecordOptions options_;
    StartInfo info_;
    const KnownSource &known_;
    int interrupt_fd_;
    std::time_t now_; // at the last tick: each record need not ask
    Rotation rotation_;
    std::optional<Shelf> shelf_;
    PostRotate post_rotate_;
    std::string path_; // of the file that is written; another than rotation_'s while that cannot be opened
    std::optional<RecordingWriter> writer_;
    std::uint64_t begin_bytes_ = 0;     // of the file, before its first event
    std::uint64_t bytes_with_room_ = 0; // of the file, when room was made last
    Totals closed_;                     // the files before this one
    std::optional<int> told_trouble_;
    std::uint64_t retry_ns_ = 0; // when to try again to open the next file; 0: it is open
    bool over_ = false;
    bool whole_ = true;
};

} // namespace tcpflight

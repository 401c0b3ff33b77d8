// Writes one file of a recording. Nothing here waits for the disk, and nothing fails for good: while the disk takes
// nothing, a few megabytes are kept and what comes on top is counted; when it does again, what was kept is written,
// then a TF_RECORD_LOST with TF_LOSS_DISK_FULL, then an entry point.
#pragma once

#include "recording/disk.h"
#include "recording/format.h"
#include "table/known_connection.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace tcpflight {

class RecordingWriter {
public:
    struct Settings {
        StartInfo start;
        std::uint64_t flush_interval_ns = 1'000'000'000; // at most so much is lost with the program
        std::uint64_t lost_before = 0;                   // Totals::lost of the recording's files before this one
    };

    struct Totals {
        std::uint64_t records = 0; // of events: taken, in the file or still to be written
        std::uint64_t bytes = 0;   // in the file, or still to be written as the disk has no room
        std::uint64_t lost = 0;    // records that the disk had no room for, earlier files of the recording included
    };

    // `known` must outlive the writer, and know exactly the records handed over so far, whenever a call of the writer
    // is under way: hand each record to it after the writer has taken it. Writes the begin of the file at once.
    RecordingWriter(std::unique_ptr<OutputFile> file, const Settings &settings, const KnownSource &known);
    RecordingWriter(RecordingWriter &&) noexcept;
    RecordingWriter &operator=(RecordingWriter &&) noexcept;
    ~RecordingWriter();

    // A whole record of tcpflight/records.h, of any type. One of less than a header or more than 64 KiB is not taken:
    // false.
    bool write(std::span<const std::byte> record);
    // Holds for what is written from here on.
    void set_clock(const ClockAnchor &anchor);
    // All that was taken goes into the file, and is then on its way to the medium.
    void flush();
    // CLOCK_BOOTTIME at which flush() is to be called; none: there is nothing to flush. While the disk takes nothing,
    // this is also when to try again.
    [[nodiscard]] std::optional<std::uint64_t> flush_due_ns() const;
    // flush(), and the End block. An error: the file is unfinished, but whole up to its last flush. Totals then count
    // as lost what could not be written. Nothing may be written afterwards.
    IoResult<void> finish();

    // errno, while the disk does not take what is written.
    [[nodiscard]] std::optional<int> trouble() const;
    [[nodiscard]] Totals totals() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

} // namespace tcpflight

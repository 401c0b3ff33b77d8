// Reads one file of a recording, block by block, while it may still be written. Everything in it is untrusted.
//
// Damage does not end it: what is whole before and behind is read. In the place of what is missing the consumer gets a
// TF_RECORD_LOST with TF_LOSS_DAMAGED (count 1 where it is not known how many were lost), and the next entry point, for
// what the lost records would have told.
#pragma once

#include "model/clock.h"
#include "model/result.h"
#include "recording/disk.h"
#include "recording/format.h"
#include "table/known_connection.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

struct Damage {
    std::uint64_t offset = 0;             // in the file, where it begins
    std::uint64_t size = 0;               // bytes skipped
    std::optional<std::uint64_t> records; // that were lost; none: not known
    // A clause: "a checksum is wrong", "the file is cut off".
    std::string what;
};

struct EntryPoint {
    enum class Why : std::uint8_t {
        Start,   // it is the file's first: for readers that have not read the file before it
        Sought,  // seek() has gone there
        Healing, // records were lost in damage before it
    };
    Why why = Why::Start;
    std::uint64_t time_ns = 0;
    KnownGaps gaps;
    std::vector<KnownCgroup> cgroups;
    std::vector<KnownConnection> connections;
};

class RecordingConsumer {
public:
    RecordingConsumer() = default;
    RecordingConsumer(const RecordingConsumer &) = delete;
    RecordingConsumer &operator=(const RecordingConsumer &) = delete;
    virtual ~RecordingConsumer() = default;

    // As the kernel sent it; the bytes are valid during the call. False: enough; the rest of the file is not wanted.
    virtual bool record(std::span<const std::byte> bytes) = 0;
    // From here on; also at the begin, and after seek().
    virtual void clock(const ClockAnchor &anchor) = 0;
    virtual void entry_point(const EntryPoint &entry) = 0;
    virtual void damage(const Damage &damage) = 0;
};

class RecordingReader {
public:
    enum class Step : std::uint8_t {
        More,     // there is more
        Finished, // the end, as the writer meant it
        Edge,     // no more blocks for now: it is being written, or its writer was killed
        Stopped,  // the consumer had enough
    };

    // `damages_before`: losses told by readers of earlier files, which damaged() of the last one says.
    // An error names `name`, quoted, and says what is wrong: not a recording, of a newer version, of another byte
    // order, too short.
    static Result<RecordingReader> open(std::unique_ptr<InputFile> file, std::string_view name,
                                        std::uint64_t damages_before = 0);
    RecordingReader(RecordingReader &&) noexcept;
    RecordingReader &operator=(RecordingReader &&) noexcept;
    ~RecordingReader();

    [[nodiscard]] const StartInfo &start() const;

    // Goes to the last entry point before `wall_ns` (UTC, since the epoch): nothing from then on is left out. Only
    // before the first read(). Does nothing where the file cannot be sought in, or its begin is as good.
    Result<void> seek(std::int64_t wall_ns);

    // Reads the next block. An error is the disk's. At the Edge call it again when the file may have grown.
    Result<Step> read(RecordingConsumer &consumer);
    // After an Edge at which nothing more is expected: tells the consumer of what is left, a block that is not whole.
    // True: there was none.
    Result<bool> close(RecordingConsumer &consumer);

    // Where the next block begins.
    [[nodiscard]] std::uint64_t offset() const;
    // Records that were lost in damage, as far as is known; earlier files included.
    [[nodiscard]] std::uint64_t damaged() const;
    // Records, or parts of them, that only a newer version knows, and blocks likewise. They were left out.
    [[nodiscard]] std::uint64_t unknown() const;

private:
    class Implementation;
    explicit RecordingReader(std::unique_ptr<Implementation> implementation);
    std::unique_ptr<Implementation> implementation_;
};

} // namespace tcpflight

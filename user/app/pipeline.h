// One way for every record, live or recorded: decode > table > sequence > filter > sink. The table asks the filter
// about connections; lines and numbers are for the holdback, which is there only if the filter asks for such.
#pragma once

#include "decode/decode.h"
#include "diagnose/diagnosis.h"
#include "filter/filter.h"
#include "filter/holdback.h"
#include "model/clock.h"
#include "sink/sink.h"
#include "sink/style.h"
#include "source/source.h"
#include "table/sequencer.h"
#include "table/table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcpflight {

// Of the wall clock, nanoseconds since the epoch: from `begin_ns` on, until before `end_ns`.
struct TimeRange {
    std::int64_t begin_ns = std::numeric_limits<std::int64_t>::min();
    std::int64_t end_ns = std::numeric_limits<std::int64_t>::max();

    [[nodiscard]] bool contains(std::int64_t wall_ns) const { return wall_ns >= begin_ns && wall_ns < end_ns; }
    [[nodiscard]] bool is_open() const
    {
        return begin_ns == std::numeric_limits<std::int64_t>::min() &&
               end_ns == std::numeric_limits<std::int64_t>::max();
    }
};

class Pipeline : public RecordConsumer {
public:
    struct Settings {
        Filter filter;
        std::optional<std::uint64_t> count; // stop after so many events shown
        bool show_found = false;            // a line for each socket that was there at the start, too
        std::size_t table_capacity = Table::default_capacity;
        // False: nothing goes to the sink, and nothing waits; events are counted as they come. For a recording, of
        // which only the table is needed.
        bool show = true;
        Verdicts verdicts = Verdicts::None; // None where nothing is shown
        Thresholds thresholds = {};
        // A connection is shown when it has ended: `count` counts those, and found sockets are part of it. Needs all
        // verdicts.
        bool timelines = false;
    };

    struct Totals {
        std::uint64_t shown = 0;
        std::uint64_t filtered_out = 0; // by this side; the kernel counts its own
        std::array<std::uint64_t, TF_LOSS_REASONS> lost{};
        std::uint64_t unseen = 0;    // time-outs of connections that are shown, of which no retransmission was seen
        std::uint64_t malformed = 0; // records that could not be decoded
        std::uint64_t forgotten = 0; // connections dropped from a full table
        std::uint64_t undecided = 0; // events dropped for want of room while they waited for the filter's answer
    };

    // The sink and the pipeline write into output(); both outlive the pipeline's use of them.
    Pipeline(const Settings &settings, Sink &sink);
    Pipeline(const Pipeline &) = delete;
    Pipeline &operator=(const Pipeline &) = delete;

    // False once the count is reached.
    bool consume(std::span<const std::byte> record) override;
    // No record earlier than `time_ns` is still to come.
    void advance(std::uint64_t time_ns);
    // The end: show what waits.
    void finish();

    // Before the first record, and after each step of the wall clock. An event's time is told by the last anchor that
    // was not taken after it, however late the event is shown: live and replayed alike.
    void set_clock(const ClockAnchor &anchor);
    // Only events in this range are shown and counted.
    void show_only(const TimeRange &range) { range_ = range; }
    // Have all events before the end of the range been shown? Looks at all that wait.
    [[nodiscard]] bool is_past_range() const;

    // Another recording begins: shows what waits and forgets everything, the clock too. `recorded` is the filter it was
    // made with: what that refused was not shown then, and is not now.
    void restart(const Filter &recorded);
    // Goes on as if it had seen what was known, see Table::restore.
    void restore(const KnownGaps &gaps, std::span<const KnownCgroup> cgroups,
                 std::span<const KnownConnection> connections)
    {
        table_.restore_cgroups(cgroups);
        table_.restore(gaps, connections);
    }
    // Goes on behind records that are missing, see Table::heal.
    void heal(std::span<const KnownCgroup> cgroups, std::span<const KnownConnection> connections)
    {
        table_.restore_cgroups(cgroups);
        table_.heal(connections);
        diagnosis_.move([this](std::uint64_t connection) { return table_.slot_of(connection); });
    }

    // The connections that are alive after the last record.
    [[nodiscard]] const Table &known() const { return table_; }
    [[nodiscard]] bool is_done() const { return count_ && counted_ >= *count_; }
    // Does an event wait for time to pass (advance)?
    [[nodiscard]] bool is_holding() const { return sequencer_.is_holding() || diagnosis_.is_holding(); }
    // When advance() has something to show, though nothing happens. None: never.
    [[nodiscard]] std::optional<std::uint64_t> due_ns() const;
    [[nodiscard]] Totals totals() const;
    // What the sink has written and nobody has taken yet.
    [[nodiscard]] std::string &output() { return output_; }

private:
    void set_filter(const Filter &filter);
    bool pass();
    [[nodiscard]] bool is_refused(const Event &event) const;
    void take(const Event &event, std::uint32_t slot);
    void expire(std::uint64_t time_ns);
    void weigh(const Usage &usage, std::uint64_t time_ns);
    void deliver(const Event &event);
    void deliver_verdict(const Event &event, const Verdict &verdict);
    void show(const Event &event);
    // What was there before; a timeline begins with it.
    [[nodiscard]] bool shows_found() const { return show_found_ || timelines_; }
    bool is_in_range(std::uint64_t time_ns);
    void enter_clock(std::uint64_t time_ns);
    [[nodiscard]] const ClockAnchor &clock_at(std::uint64_t time_ns) const;

    Filter filter_;
    Filter in_force_; // that, and what a recording was made with
    std::optional<std::uint64_t> count_;
    bool show_;
    bool show_found_;
    Verdicts verdicts_;
    // What the filter does not want is of no use, not even as the other end of what it wants.
    bool leaves_unwanted_ = false;
    bool timelines_;
    Sink &sink_;
    Table table_;
    Sequencer sequencer_;
    Diagnosis diagnosis_;
    std::optional<Holdback> holdback_;
    Totals totals_;
    std::uint64_t counted_ = 0; // towards count_
    std::string output_;
    Record record_{};

    std::vector<ClockAnchor> clocks_; // as they came, and by time
    ClockAnchor clock_;               // the sink has this one; it holds from clock_begin_ns_ until clock_end_ns_
    std::uint64_t clock_begin_ns_ = 1;
    std::uint64_t clock_end_ns_ = 0;
    TimeRange range_;
    std::uint64_t last_ns_ = 0; // of the latest record
};

} // namespace tcpflight

// One way for every record, live or recorded: decode > table > sequence > filter > sink.
#pragma once

#include "decode/decode.h"
#include "filter/filter.h"
#include "sink/sink.h"
#include "source/source.h"
#include "table/sequencer.h"
#include "table/table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tcpflight {

class Pipeline : public RecordConsumer {
public:
    struct Settings {
        Filter filter;
        std::optional<std::uint64_t> count; // stop after so many events shown
        bool show_found = false;            // a line for each socket that was there at the start, too
        std::size_t table_capacity = Table::default_capacity;
    };

    struct Totals {
        std::uint64_t shown = 0;
        std::uint64_t filtered_out = 0; // by this side; the kernel counts its own
        std::array<std::uint64_t, TF_LOSS_REASONS> lost{};
        std::uint64_t malformed = 0; // records that could not be decoded
        std::uint64_t forgotten = 0; // connections dropped from a full table
    };

    // The sink and the pipeline write into output(); both outlive the pipeline's use of them.
    Pipeline(const Settings &settings, Sink &sink);

    // False once the count is reached.
    bool consume(std::span<const std::byte> record) override;
    // A loss that is known from a counter and not from a record; repeats what is known already at no harm.
    void lose(const tf_loss &loss, std::uint64_t time_ns);
    // No record earlier than `time_ns` is still to come.
    void advance(std::uint64_t time_ns) { sequencer_.advance(time_ns); }
    // The end: show what waits.
    void finish() { sequencer_.finish(); }

    [[nodiscard]] bool is_done() const { return count_ && totals_.shown >= *count_; }
    // Does an event wait for time to pass (advance)?
    [[nodiscard]] bool is_holding() const { return sequencer_.is_holding(); }
    [[nodiscard]] Totals totals() const;
    // What the sink has written and nobody has taken yet.
    [[nodiscard]] std::string &output() { return output_; }

private:
    void deliver(const Event &event);

    std::optional<std::uint64_t> count_;
    bool show_found_;
    Sink &sink_;
    Table table_;
    Sequencer sequencer_;
    Totals totals_;
    std::string output_;
    Record record_{};
};

} // namespace tcpflight

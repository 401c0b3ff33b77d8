// --summary: what the connections that ended came to, in numbers; every so often and at the end. The format is told in
// docs/output.md.
#pragma once

#include "sink/clock_text.h"
#include "sink/histogram.h"
#include "sink/sink.h"
#include "sink/style.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace tcpflight {

// Needs a verdict for each end (Verdict::ended). Intervals are of the events' time: nothing is printed while nothing
// happens, and a recording is summed up as it was live.
class SummarySink : public Sink {
public:
    // `style.summary_ns` is 0: only at the end.
    explicit SummarySink(const OutputStyle &style);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }
    void finish(std::string &out) override;

    // Others and processes with trouble that are told by name; the rest is counted together.
    static constexpr std::size_t shown_names = 5;
    // That are counted by name. More are counted together: memory is bounded.
    static constexpr std::size_t counted_names = 4096;

private:
    using ByKind = std::array<std::uint64_t, verdict_kinds>;
    using ByName = std::map<std::string, ByKind>;

    struct Interval {
        std::uint64_t begin_ns = 0;
        std::uint64_t end_ns = 0; // of the last event
        std::uint64_t lost = 0;
        std::uint64_t retransmitting = 0; // connections
        std::uint64_t retransmits = 0;    // segments
        ByKind ends{};
        ByKind alarms{}; // of connections that go on
        ByKind over{};   // likewise: what was said of them before, here or earlier
        Histogram handshakes;
        Histogram lifetimes;
        ByName peers;
        ByName processes;
    };

    void count(const Event &event, const Verdict &verdict);
    static void count_trouble(ByName &names, std::string name, VerdictKind kind);
    void print(std::string &out);
    static void print_ends(std::string &out, std::string_view suffix, const ByKind &kinds);
    static void print_times(std::string &out, std::string_view title, const Histogram &times);
    static void print_trouble(std::string &out, std::string_view title, const ByName &names);

    std::uint64_t every_ns_;
    ClockAnchor anchor_;
    ClockText clock_;
    Interval interval_;
    bool begun_ = false;
};

} // namespace tcpflight

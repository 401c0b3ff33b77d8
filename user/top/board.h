// What the live screen knows: the connections that are alive and those that ended lately, as rows, each with its
// timeline; and what happened since it was asked last. It is where the pipeline's events go.
//
// Who a connection is and what its lines are is the timelines' matter (sink/timeline.h): here is only what a row shows
// besides. Memory is bounded, and what has no place is counted.
#pragma once

#include "sink/sink.h"
#include "sink/style.h"
#include "sink/timeline.h"
#include "top/row.h"

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcpflight {

// Since the board was made.
struct BoardCounts {
    std::uint64_t events = 0; // of the kernel
    std::uint64_t retransmits = 0;
    std::uint64_t resets = 0;
    std::uint64_t begun = 0; // connections seen from their begin on
    std::uint64_t ended = 0;
    // Connections that ended and made room for others before their time on the screen was over.
    std::uint64_t ended_unshown = 0;
    std::uint64_t unfollowed = 0; // events of connections that were too many to follow
};

// By TcpState.
using StateCounts = std::array<std::uint64_t, static_cast<std::size_t>(TcpState::NewSynRecv) + 1>;

class Board : public Sink {
public:
    struct Limits {
        std::size_t connections = 131'072; // alive; more are not begun
        std::size_t ended = 1000;          // kept of each kind: with an alarm, and without
        std::uint64_t stays_ns = 5'000'000'000;
        std::uint64_t alarm_stays_ns = 60'000'000'000;
        TimelineSink::Limits timelines = {.first_lines = 96, .last_lines = 96, .bytes = std::size_t{128} << 20};
    };

    // `style` is that of timelines; its columns do not count: lines are broken where they are shown.
    explicit Board(const OutputStyle &style) : Board(style, Limits()) {}
    Board(const OutputStyle &style, const Limits &limits);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { timelines_.set_clock(anchor); }

    // Forgets what ended long enough ago.
    void expire(std::uint64_t now_ns);
    // What is kept in the place of sockets, as `is_there` says of each.
    void forget_leftovers(const std::function<bool(std::uint64_t connection)> &is_there);
    [[nodiscard]] std::size_t leftovers() const { return leftovers_.size(); }

    // In no order.
    [[nodiscard]] std::vector<Row> rows() const;
    // Of all that is alive, and of what is kept in the place of sockets (TIME_WAIT).
    [[nodiscard]] StateCounts states() const;
    [[nodiscard]] const BoardCounts &counts() const { return counts_; }

    // The timeline so far; of one that has ended, all of it. Lines are as long as they are. None: it is not known.
    [[nodiscard]] std::optional<std::string> timeline(std::uint64_t connection);
    // Where a line of a timeline that is too long goes on.
    [[nodiscard]] std::size_t text_column() const { return timelines_.text_column(); }

private:
    struct Note {
        Row row; // without an identity
        std::unique_ptr<Verdict> verdict;
    };
    struct Ended {
        Row row;
        std::string timeline;
        std::uint64_t until_ns = 0;
    };
    struct CookieHash {
        std::size_t operator()(std::uint64_t cookie) const { return (cookie * 0x9e3779b97f4a7c15U) >> 32; }
    };

    void count(const Event &event);
    bool follow_leftover(const Event &event);
    void judge(const Event &event, const Verdict &verdict);
    void learn(Row &row, const Event &event);
    void end_row(const Event &event, Row row);

    Limits limits_;
    TimelineSink timelines_;
    tsl::robin_map<std::uint64_t, Note, CookieHash> notes_;
    tsl::robin_map<std::uint64_t, TcpState, CookieHash> leftovers_;
    std::deque<Ended> ended_;
    std::deque<Ended> alarms_;
    BoardCounts counts_;
    std::uint64_t unnamed_ = 0; // rows that belong to no connection
    std::string text_;          // what the timelines print
    std::string last_;
};

} // namespace tcpflight

// -g: whole timelines, a block a connection, printed when it has ended. The format is told in docs/output.md.
//
// A block ends with the connection's last verdict (Verdict::ended), which therefore must come for each connection; an
// earlier verdict prints the block as it is so far. What has not ended is printed by finish().
//
// Memory is bounded: a block keeps its first and its last lines, and all blocks together no more than a budget. What is
// not kept is counted and said in the block.
#pragma once

#include "sink/clock_text.h"
#include "sink/sink.h"
#include "sink/style.h"
#include "sink/text.h"
#include "sink/timeline_words.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

class TimelineSink : public Sink {
public:
    struct Limits {
        std::size_t first_lines = 96; // of a block
        std::size_t last_lines = 32;
        std::size_t bytes = std::size_t{256} << 20; // of lines, of all blocks
        std::size_t blocks = std::size_t{1} << 20;  // more are not begun
    };

    explicit TimelineSink(const OutputStyle &style) : TimelineSink(style, Limits()) {}
    TimelineSink(const OutputStyle &style, const Limits &limits);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override;
    void set_host(std::string_view host) override;
    void finish(std::string &out) override;
    [[nodiscard]] bool has_written_block() const override { return printed_; }
    void follow_block() override { printed_ = true; }

    // For who shows blocks before they end. Of a connection that has a block, and whose identity was told; null: none.
    // Valid until the next call.
    [[nodiscard]] const Identity *identity_of(std::uint64_t connection) const;
    // Adds the block as it is so far, with the verdict, if there is one, below it. It goes on. False: there is none.
    bool print_so_far(std::uint64_t connection, const Verdict *verdict, std::string &out);
    // The column at which what happened begins, behind the times.
    [[nodiscard]] std::size_t text_column() const { return text_column_; }

private:
    // What each event touches comes first: where many are alive, each cache line costs as much as a line of text.
    struct Block {
        std::uint64_t connection = 0; // 0: the slot is free
        std::uint64_t last_ns = 0;    // of the last event
        std::size_t lines = 0;        // kept or not
        std::string first;            // lines
        TcpState state = TcpState::Close;
        bool identity_known = false;
        bool incomplete = false;
        bool ended = false;    // the socket has
        bool happened = false; // something did; it was not just found
        bool in_run = false;   // `run` or `probes` is one
        Identity identity;
        std::uint64_t begun_ns = 0;
        std::string_view direction;    // "outgoing"; empty: not known
        std::string carried;           // in its life; empty: not known
        std::vector<std::string> last; // lines, a ring
        std::size_t oldest = 0;        // of the ring
        std::uint64_t left_out = 0;    // lines
        RetransmitRun run;
        ProbeRun probes;
    };
    struct CookieHash {
        std::size_t operator()(std::uint64_t cookie) const { return (cookie * 0x9e3779b97f4a7c15U) >> 32; }
    };

    void write_verdict(const Event &event, const Verdict &verdict, std::string &out);
    Block *find(std::uint64_t connection);
    Block *find_or_begin(const Event &event);
    static void learn(Block &block, const Event &event);
    void learn_carried(Block &block, const StateChange &change);
    void add(Block &block, const Event &event);
    bool add_to_run(Block &block, const Event &event);
    void end_run(Block &block);
    template <typename Put> void add_line(Block &block, std::uint64_t time_ns, std::uint64_t until_ns, const Put &put);
    void put_time(LineWriter &line, const Block &block, std::uint64_t time_ns);
    [[nodiscard]] bool is_first(const Block &block, std::size_t size) const;
    void keep(Block &block, std::string_view line);
    void forget(Block &block);

    void print(Block &block, const Verdict *verdict, std::string &out);
    void print_head(const Block &block, std::string &out);
    void print_lines(const Block &block, std::string &out);
    void print_verdict(const Verdict &verdict, std::string &out);
    // A line of the head or the end of a block, broken at blanks so that it fits, and going on at that column.
    template <typename Put> void print_line(std::string &out, std::size_t goes_on_at, const Put &put);

    OutputStyle style_;
    Limits limits_;
    TimelineWords words_;
    std::size_t columns_;
    std::size_t text_column_ = 0; // where what happened begins
    ClockAnchor anchor_;
    std::optional<std::string> host_; // of all blocks; none: not shown
    std::optional<ClockText> clock_;
    TextSink lines_;     // for what belongs to no connection
    std::string text_;   // the line that is being made
    std::string broken_; // the same, broken

    tsl::robin_map<std::uint64_t, std::uint32_t, CookieHash> index_; // cookie > slot
    std::deque<Block> blocks_;
    std::vector<std::uint32_t> free_;
    std::size_t bytes_ = 0;             // of all lines that are kept
    std::uint64_t events_left_out_ = 0; // of connections whose block was not begun
    bool printed_ = false;              // a block was: a blank line precedes the next one
};

} // namespace tcpflight

// What the live screen shows at one moment, and where the user is in it. Pure: of a picture of the connections, keys
// and a size come lines of text.
#pragma once

#include "filter/filter.h"
#include "filter/names.h"
#include "top/board.h"
#include "top/columns.h"
#include "top/frame.h"
#include "top/key.h"
#include "top/line_editor.h"
#include "top/order.h"
#include "top/row.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tcpflight {

// The connections at one moment.
struct Picture {
    std::uint64_t now_ns = 0;     // CLOCK_BOOTTIME
    std::uint64_t elapsed_ns = 0; // since the picture before; 0: this is the first
    std::string clock;            // "20:28:51"
    std::vector<Row> rows;
    StateCounts states{};
    BoardCounts counts; // since the picture before; of ended_unshown and unfollowed, since the begin
    // Since the begin: what is not in the rows though it happened.
    std::uint64_t lost = 0; // events
    std::uint64_t forgotten = 0;
    std::uint64_t undecided = 0;
    std::uint64_t malformed = 0;
};

class Screen {
public:
    struct Settings {
        std::string host = {};   // untrusted
        std::string filter = {}; // of the command line; empty: none
        std::uint64_t delay_ns = 2'000'000'000;
        TopKey sort = TopKey::Verdict;
        bool color = false;
        std::size_t text_column = 0; // where lines of timelines that are too long go on
    };
    // The timeline of a connection; none: it is not known any more.
    using FindTimeline = std::function<std::optional<std::string>(std::uint64_t connection)>;

    Screen(Settings settings, const Names &names, FindTimeline find_timeline);

    // A new picture. Paused: it is not taken.
    void show(Picture picture);
    // Said in the last line until a key is pressed.
    void say(std::string message) { message_ = std::move(message); }
    void resize(const ScreenSize &size);
    // False: to quit.
    bool press(const Key &key);
    [[nodiscard]] bool is_paused() const { return paused_; }

    // What is to be seen. Not const: the columns remember how wide they were.
    Frame draw();

private:
    enum class Mode : std::uint8_t { Table, Filter, Timeline, Help };

    void choose();
    bool press_table(const Key &key);
    bool press_letter(char letter);
    void press_filter(const Key &key);
    bool press_timeline(const Key &key);
    void apply_filter();
    void sort_by(TopKey key);
    void step_key(int by);
    void open_timeline();
    void refresh_timeline();
    void scroll_timeline(const Key &key);
    void move(std::ptrdiff_t by);
    void select(std::size_t place);
    void follow_selection();
    [[nodiscard]] const Row *selected_row() const;
    [[nodiscard]] std::size_t body_height() const;
    [[nodiscard]] std::size_t timeline_height() const;
    void break_timeline();

    [[nodiscard]] std::vector<std::string> header() const;
    [[nodiscard]] std::string title() const;
    [[nodiscard]] std::string rates() const;
    [[nodiscard]] std::vector<std::string> state_counts() const;
    [[nodiscard]] std::string filters() const;
    [[nodiscard]] std::vector<std::string> bottom() const;
    void draw_table(Frame &frame);
    void draw_row(Frame &frame, const std::vector<PlacedColumn> &columns, const Row &row, bool is_selected) const;
    void draw_headings(Frame &frame, const std::vector<PlacedColumn> &columns) const;
    void draw_timeline(Frame &frame) const;
    void draw_help(Frame &frame) const;
    [[nodiscard]] std::string in_color(std::string_view code, std::string_view text) const;

    Settings settings_;
    const Names *names_;
    FindTimeline find_timeline_;
    ScreenSize size_;
    Picture picture_;
    Mode mode_ = Mode::Table;
    bool paused_ = false;
    std::string message_;

    TopKey key_;
    bool reversed_ = false;
    Filter filter_;
    std::string filter_text_;
    LineEditor editor_;
    std::string filter_error_;
    std::vector<std::uint32_t> chosen_; // numbers of rows, in order
    std::size_t first_ = 0;             // in chosen_: what stands in the first line
    std::size_t selected_ = 0;          // in chosen_
    // The user chose it: the selection goes with it. None: the first row, whatever that is.
    std::optional<std::uint64_t> selected_connection_;
    ColumnWidths widths_ = heading_widths();

    std::uint64_t timeline_of_ = 0;
    std::string timeline_; // lines as long as they are
    bool timeline_over_ = false;
    bool timeline_at_end_ = true; // it stays there when more comes
    std::size_t timeline_first_ = 0;
    std::vector<std::string> timeline_lines_; // as broken for the size
};

} // namespace tcpflight

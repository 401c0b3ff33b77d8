// Lines in columns, as the tools print them that scripts know: each column filled up with blanks to its width (more
// where a value is longer), and one blank in between.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tcpflight {

// What is not known. Without blanks, so that the columns behind it stay where they are.
constexpr std::string_view not_known = "-";

class ColumnLine {
public:
    explicit ColumnLine(std::string &out) : out_(out) {}
    ColumnLine(const ColumnLine &) = delete;
    ColumnLine &operator=(const ColumnLine &) = delete;

    // A value made by put(LineWriter &).
    template <typename Put> ColumnLine &add(std::size_t width, const Put &put)
    {
        cell_.clear();
        LineWriter cell(cell_);
        put(cell);
        cell.finish();
        cell_.pop_back();
        return add(width, std::string_view(cell_));
    }
    ColumnLine &add(std::size_t width, std::string_view text);
    ColumnLine &add_number(std::size_t width, std::uint64_t value);
    // Ends the line: the last column is not filled up.
    void finish();

private:
    std::string &out_;
    std::string cell_;
    std::size_t missing_ = 0; // blanks, up to the next column
};

// PID and COMM. Of the name's characters at most `most`; a blank in it is escaped too.
void add_owner(ColumnLine &line, const Identity *identity, std::size_t width, std::size_t most);
// LADDR LPORT RADDR RPORT. A listener's other end is 0.0.0.0 or ::, and 0.
void add_ends(ColumnLine &line, const Event &event);

// "151.67": `value` / 10^`digits`.
void put_fraction(LineWriter &cell, std::uint64_t value, std::size_t digits);

// "# 12 events lost here: ring buffer full, cpu 1"
void put_loss_comment(std::string &out, const Lost &lost);

} // namespace tcpflight

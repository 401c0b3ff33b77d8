// Long lines on a narrow terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tcpflight {

// Columns that a text takes: colour codes take none. Text from processes is escaped by then, so a byte is a column.
std::size_t visible_width(std::string_view text);

// Adds a line to `out`, broken at blanks so that it fits `columns`, and going on at column `goes_on_at`. The text's
// first `keep` columns stay together, and so does a word that is longer than a line.
void wrap(std::string &out, std::string_view text, std::size_t columns, std::size_t keep, std::size_t goes_on_at);

class Folder {
public:
    // The line ends in '\n' and is `out` from `begin` on. Broken at ": " and ", ", as few times as it takes to fit
    // `columns`, and continued four spaces in. A part that is longer than that stays whole.
    void fold(std::string &out, std::size_t begin, std::size_t columns);

private:
    std::string line_; // kept for its memory
};

} // namespace tcpflight

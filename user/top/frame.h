// Lines for a terminal, and the bytes that bring it from one frame to the next.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tcpflight {

struct ScreenSize {
    std::size_t columns = 80;
    std::size_t lines = 24;
    bool operator==(const ScreenSize &) const = default;
};

// Lines hold printable ASCII and SGR sequences, and are no wider than the screen.
struct Frame {
    std::size_t columns = 80;
    std::vector<std::string> lines;
    std::optional<std::pair<std::size_t, std::size_t>> cursor; // column and line, from 0; none: it is hidden

    bool operator==(const Frame &) const = default;
};

// The first `columns` columns of it. Sequences take none; one that was cut off is ended.
std::string cut_columns(std::string_view text, std::size_t columns);

// What to write to a terminal that shows `shown`, so that it shows `next`: only lines that differ. Of null, everything.
// ECMA-48 control functions (and DECTCEM for the cursor), which all terminals of today have.
std::string redraw(const Frame *shown, const Frame &next);

} // namespace tcpflight

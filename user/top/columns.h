// The columns of the live screen: what stands in them, and which of them a width has room for.
#pragma once

#include "sink/line_writer.h"
#include "top/row.h"
#include "top/top_key.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

// In the order on the screen.
enum class TopColumn : std::uint8_t {
    State,
    InState,
    Age,
    Retransmits,
    Rtt,
    Local,
    Remote,
    Process,
    Verdict,
    Last,
    Container,
};

constexpr std::size_t top_columns = static_cast<std::size_t>(TopColumn::Container) + 1;

std::string_view heading(TopColumn column);
// By which its rows are put in order; none: nothing sorts by it.
std::optional<TopKey> key_of(TopColumn column);

// Replaces `out`. Printable ASCII, whatever processes call themselves.
void put_cell(TopColumn column, const Row &row, std::uint64_t now_ns, std::string &out);

// How wide each column would have to be.
using ColumnWidths = std::array<std::size_t, top_columns>;

// The headings' own.
ColumnWidths heading_widths();
// Makes them wide enough for these rows.
void widen(ColumnWidths &widths, std::span<const Row *const> rows, std::uint64_t now_ns);

struct PlacedColumn {
    TopColumn column;
    std::size_t width;
};

// Those that `columns` have room for, a blank between them: the usual ones, and more where there is more room. Where
// there is too little, addresses, processes and verdicts are cut first, and then whole columns left out. The state is
// always there.
std::vector<PlacedColumn> place_columns(const ColumnWidths &widths, std::size_t columns);

// `text` in exactly `width` columns: numbers to the right, and what is too long cut with a '~' where it matters least.
std::string fit_cell(TopColumn column, std::string_view text, std::size_t width);

// At most six columns: "123us", "4.2ms", "59.9s", "12m05s", "47h59m", "12d05h", "4711d". Cut, never rounded.
void put_short_duration(LineWriter &line, std::uint64_t duration_ns);

} // namespace tcpflight

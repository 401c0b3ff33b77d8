#include "top/columns.h"

#include "sink/address.h"
#include "sink/escape.h"

#include <fmt/format.h>

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_us = 1'000;
constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint64_t s_per_m = 60;
constexpr std::uint64_t s_per_h = 3600;
constexpr std::uint64_t s_per_d = 86'400;

constexpr std::string_view nothing = "-";

// What goes where a text is too long for its column.
enum class Cut : std::uint8_t {
    Never,
    Begin, // of an address: its port tells most
    Name,  // of a process: its number tells it from others
    End,
};

struct ColumnKind {
    std::string_view heading;
    std::optional<TopKey> key;
    bool to_the_right;
    Cut cut;
    std::size_t least; // columns that it may be cut to
};

constexpr std::array<ColumnKind, top_columns> kinds{{
    {"STATE", TopKey::State, false, Cut::Never, 11},
    {"FOR", TopKey::InState, true, Cut::Never, 7},
    {"AGE", TopKey::Age, true, Cut::Never, 7},
    {"RETR", TopKey::Retransmits, true, Cut::Never, 4},
    {"RTT", TopKey::Rtt, true, Cut::Never, 6},
    {"LOCAL", TopKey::Local, false, Cut::Begin, 7},
    {"REMOTE", TopKey::Remote, false, Cut::Begin, 14},
    {"PROCESS", TopKey::Process, false, Cut::Name, 10},
    {"VERDICT", TopKey::Verdict, false, Cut::End, 9},
    {"LAST EVENT", TopKey::Last, false, Cut::End, 10},
    {"CONTAINER", {}, false, Cut::End, 9},
}};

constexpr std::array usual{TopColumn::State,  TopColumn::InState, TopColumn::Retransmits, TopColumn::Local,
                           TopColumn::Remote, TopColumn::Process, TopColumn::Verdict};
// As far as there is room.
constexpr std::array further{TopColumn::Age, TopColumn::Rtt, TopColumn::Last, TopColumn::Container};
// Of the last event: less says nothing.
constexpr std::size_t least_of_last = 16;
constexpr std::array cut_first{TopColumn::Local, TopColumn::Process, TopColumn::Verdict, TopColumn::Remote};
constexpr std::array left_out_first{TopColumn::Retransmits, TopColumn::Local,   TopColumn::Process,
                                    TopColumn::InState,     TopColumn::Verdict, TopColumn::Remote};

const ColumnKind &kind_of(TopColumn column)
{
    return kinds.at(static_cast<std::size_t>(column));
}

std::size_t total(const std::vector<PlacedColumn> &placed)
{
    std::size_t sum = placed.empty() ? 0 : placed.size() - 1;
    for (const auto &one : placed)
        sum += one.width;
    return sum;
}

std::vector<PlacedColumn>::iterator find(std::vector<PlacedColumn> &placed, TopColumn column)
{
    return std::find_if(placed.begin(), placed.end(), [&](const auto &one) { return one.column == column; });
}

// True: they fit.
bool cut_to(std::vector<PlacedColumn> &placed, std::size_t columns)
{
    for (const auto column : cut_first) {
        const auto one = find(placed, column);
        const auto width = total(placed);
        if (one == placed.end() || width <= columns)
            continue;
        const auto spare = one->width - std::min(one->width, kind_of(column).least);
        one->width -= std::min(spare, width - columns);
    }
    return total(placed) <= columns;
}

void put_time(LineWriter &cell, std::uint64_t time_ns, bool seen)
{
    if (!seen)
        cell.put('>');
    put_short_duration(cell, time_ns);
}

void put_process(LineWriter &cell, const Owner &owner)
{
    if (!owner.is_known()) {
        cell.put(nothing);
        return;
    }
    put_escaped(cell, owner.comm_view());
    cell.put('[');
    cell.put_decimal(owner.pid);
    cell.put(']');
}

bool has_remote(const Row &row)
{
    const auto &remote = row.identity.remote;
    return row.direction != Direction::Neither && row.state != TcpState::Listen &&
           (remote.port != 0 || !is_unspecified(remote.address));
}

// A number and a smaller unit in two digits: "12m05s".
void put_pair(LineWriter &line, std::uint64_t first, char unit, std::uint64_t second, char smaller)
{
    line.put_decimal(first);
    line.put(unit);
    line.put(static_cast<char>('0' + second / 10));
    line.put(static_cast<char>('0' + second % 10));
    line.put(smaller);
}

// With one decimal below ten.
void put_tenths(LineWriter &line, std::uint64_t value_ns, std::uint64_t unit_ns, std::string_view unit,
                std::uint64_t whole_from)
{
    line.put_decimal(value_ns / unit_ns);
    if (const auto tenths = value_ns % unit_ns * 10 / unit_ns; value_ns < whole_from * unit_ns) {
        line.put('.');
        line.put(static_cast<char>('0' + tenths));
    }
    line.put(unit);
}

} // namespace

std::string_view heading(TopColumn column)
{
    return kind_of(column).heading;
}

std::optional<TopKey> key_of(TopColumn column)
{
    return kind_of(column).key;
}

void put_short_duration(LineWriter &line, std::uint64_t duration_ns)
{
    const auto seconds = duration_ns / ns_per_s;
    if (duration_ns < ns_per_ms) {
        line.put_decimal(duration_ns / ns_per_us);
        line.put("us");
    } else if (duration_ns < ns_per_s) {
        put_tenths(line, duration_ns, ns_per_ms, "ms", 10);
    } else if (seconds < s_per_m) {
        put_tenths(line, duration_ns, ns_per_s, "s", s_per_m);
    } else if (seconds < s_per_h) {
        put_pair(line, seconds / s_per_m, 'm', seconds % s_per_m, 's');
    } else if (seconds < 2 * s_per_d) {
        put_pair(line, seconds / s_per_h, 'h', seconds / s_per_m % 60, 'm');
    } else if (seconds < 100 * s_per_d) {
        put_pair(line, seconds / s_per_d, 'd', seconds / s_per_h % 24, 'h');
    } else {
        line.put_decimal(seconds / s_per_d);
        line.put('d');
    }
}

void put_cell(TopColumn column, const Row &row, std::uint64_t now_ns, std::string &out)
{
    out.clear();
    LineWriter cell(out);
    switch (column) {
    case TopColumn::State: cell.put(name(shown_state(row.state))); break;
    case TopColumn::InState: put_time(cell, row.in_state_ns(now_ns), row.since_seen); break;
    case TopColumn::Age: put_time(cell, row.age_ns(now_ns), row.begin_seen); break;
    case TopColumn::Retransmits: cell.put_decimal(row.retransmits); break;
    case TopColumn::Rtt:
        if (row.rtt_us == 0)
            cell.put(nothing);
        else
            put_short_duration(cell, row.rtt_us * ns_per_us);
        break;
    case TopColumn::Local: put_endpoint(cell, row.identity.local); break;
    case TopColumn::Remote:
        if (has_remote(row))
            put_endpoint(cell, row.identity.remote);
        else
            cell.put('*');
        break;
    case TopColumn::Process: put_process(cell, row.identity.owner); break;
    case TopColumn::Verdict: cell.put(row.verdict ? name(*row.verdict) : std::string_view("")); break;
    case TopColumn::Last: cell.put(row.last_text()); break;
    case TopColumn::Container:
        if (const auto container = row.identity.container(); !container.empty())
            put_escaped(cell, short_container(container));
        break;
    }
    cell.finish();
    out.pop_back();
}

ColumnWidths heading_widths()
{
    ColumnWidths widths{};
    for (std::size_t i = 0; i < top_columns; i++) {
        const auto &kind = kinds.at(i);
        // Times and states grow and shrink all the time: their columns do not.
        widths.at(i) = kind.cut == Cut::Never ? kind.least : kind.heading.size();
    }
    return widths;
}

void widen(ColumnWidths &widths, std::span<const Row *const> rows, std::uint64_t now_ns)
{
    std::string cell;
    for (const auto *row : rows) {
        for (std::size_t i = 0; i < top_columns; i++) {
            put_cell(static_cast<TopColumn>(i), *row, now_ns, cell);
            widths.at(i) = std::max(widths.at(i), cell.size());
        }
    }
}

std::vector<PlacedColumn> place_columns(const ColumnWidths &widths, std::size_t columns)
{
    const auto wanted = [&](TopColumn column) {
        return PlacedColumn{.column = column, .width = widths.at(static_cast<std::size_t>(column))};
    };
    std::vector<TopColumn> chosen(usual.begin(), usual.end());
    std::vector<PlacedColumn> placed;
    const auto place = [&] {
        placed.clear();
        std::sort(chosen.begin(), chosen.end());
        for (const auto column : chosen)
            placed.push_back(wanted(column));
    };
    place();
    if (total(placed) <= columns) {
        for (const auto column : further) {
            const bool is_empty = column == TopColumn::Container && wanted(column).width <= heading(column).size();
            const auto used = total(placed) + 1;
            const auto room = columns > used ? columns - used : 0;
            const bool is_cut = column == TopColumn::Last && room >= least_of_last;
            if (is_empty || (wanted(column).width > room && !is_cut))
                continue;
            chosen.push_back(column);
            place();
            if (const auto over = total(placed); over > columns)
                find(placed, column)->width -= over - columns;
        }
        return placed;
    }
    for (const auto column : left_out_first) {
        if (cut_to(placed, columns))
            return placed;
        std::erase(chosen, column);
        place();
    }
    if (total(placed) > columns)
        placed.front().width = columns;
    return placed;
}

std::string fit_cell(TopColumn column, std::string_view text, std::size_t width)
{
    const auto &kind = kind_of(column);
    if (text.size() > width) {
        if (width == 0)
            return {};
        const auto number = kind.cut == Cut::Name ? text.rfind('[') : std::string_view::npos;
        if (number != std::string_view::npos && text.size() - number + 2 <= width) {
            const auto kept = width - 1 - (text.size() - number);
            return fmt::format("{}~{}", text.substr(0, kept), text.substr(number));
        }
        if (kind.cut == Cut::Begin)
            return '~' + std::string(text.substr(text.size() - (width - 1)));
        return std::string(text.substr(0, width - 1)) + '~';
    }
    std::string padding(width - text.size(), ' ');
    return kind.to_the_right ? padding + std::string(text) : std::string(text) + padding;
}

} // namespace tcpflight

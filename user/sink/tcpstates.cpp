#include "sink/tcpstates.h"

#include "model/event_parts.h"
#include "sink/column_line.h"

#include <array>
#include <charconv>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_us = 1000;
constexpr std::size_t socket_width = 16;
constexpr std::size_t comm_width = 10;
constexpr std::size_t state_width = 11;
constexpr std::size_t ms_digits = 3;
constexpr std::string_view arrow = "->";

void put_hexadecimal(LineWriter &cell, std::uint64_t value)
{
    std::array<char, 16> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
    cell.put(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

} // namespace

void TcpstatesSink::begin(std::string &out)
{
    time_.put_title(out);
    out += header;
}

bool TcpstatesSink::shows(const Event &event) const
{
    return std::holds_alternative<StateChange>(event.what);
}

void TcpstatesSink::write(const Event &event, std::string &out)
{
    if (const auto *lost = std::get_if<Lost>(&event.what))
        put_loss_comment(out, *lost);
    const auto *change = std::get_if<StateChange>(&event.what);
    if (change == nullptr)
        return;
    time_.put(out, event.time_ns);
    ColumnLine line(out);
    line.add(socket_width, [&](LineWriter &cell) { put_hexadecimal(cell, event.connection); });
    add_owner(line, event.identity, comm_width, comm_width);
    add_ends(line, event);
    line.add(state_width, name(change->from)).add(arrow.size(), arrow).add(state_width, name(change->to));
    // Where a socket's life begins nothing came before: 0, as the tool has it.
    if (const auto duration_ns = begins_life(*change) ? std::optional<std::uint64_t>(0) : change->duration_ns)
        line.add(0, [&](LineWriter &cell) { put_fraction(cell, *duration_ns / ns_per_us, ms_digits); });
    else
        line.add(0, not_known);
    line.finish();
}

} // namespace tcpflight

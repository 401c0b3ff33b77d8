#include "sink/column_line.h"

#include "sink/address.h"
#include "sink/escape.h"
#include "sink/remote_end.h"
#include "sink/text_parts.h"

namespace tcpflight {
namespace {

constexpr std::size_t address_width = 15;
constexpr std::size_t port_width = 5;
constexpr std::size_t pid_width = 7;

void add_port(ColumnLine &line, std::uint16_t port)
{
    if (port == 0)
        line.add(port_width, not_known);
    else
        line.add_number(port_width, port);
}

// As put_escaped, which leaves blanks as they are; ends before the first character for which there is no room.
void put_name(LineWriter &cell, std::string_view name, std::size_t most)
{
    constexpr std::string_view blank = "\\x20";
    std::string shown;
    for (const char c : name) {
        std::string one(blank);
        if (c != ' ') {
            one.clear();
            LineWriter character(one);
            put_escaped(character, std::string_view(&c, 1));
            character.finish();
            one.pop_back();
        }
        if (shown.size() + one.size() > most)
            break;
        shown += one;
    }
    cell.put(shown.empty() ? not_known : std::string_view(shown));
}

} // namespace

ColumnLine &ColumnLine::add(std::size_t width, std::string_view text)
{
    out_.append(missing_, ' ');
    out_ += text;
    missing_ = 1 + (text.size() < width ? width - text.size() : 0);
    return *this;
}

ColumnLine &ColumnLine::add_number(std::size_t width, std::uint64_t value)
{
    return add(width, [value](LineWriter &cell) { cell.put_decimal(value); });
}

void ColumnLine::finish()
{
    out_ += '\n';
    missing_ = 0;
}

void add_owner(ColumnLine &line, const Identity *identity, std::size_t width, std::size_t most)
{
    if (identity == nullptr || !identity->owner.is_known()) {
        line.add(pid_width, not_known).add(width, not_known);
        return;
    }
    line.add_number(pid_width, identity->owner.pid);
    line.add(width, [&](LineWriter &cell) { put_name(cell, identity->owner.comm_view(), most); });
}

void add_ends(ColumnLine &line, const Event &event)
{
    if (event.identity == nullptr) {
        for (const auto width : {address_width, port_width, address_width, port_width})
            line.add(width, not_known);
        return;
    }
    const auto &identity = *event.identity;
    line.add(address_width, [&](LineWriter &cell) { put_address(cell, identity.local.address); });
    add_port(line, identity.local.port);
    if (!has_remote_end(event)) {
        line.add(address_width, identity.family == Family::IPv4 ? std::string_view("0.0.0.0") : std::string_view("::"));
        line.add_number(port_width, 0);
        return;
    }
    line.add(address_width, [&](LineWriter &cell) { put_address(cell, identity.remote.address); });
    add_port(line, identity.remote.port);
}

void put_fraction(LineWriter &cell, std::uint64_t value, std::size_t digits)
{
    std::uint64_t unit = 1;
    for (std::size_t i = 0; i < digits; i++)
        unit *= 10;
    cell.put_decimal(value / unit);
    cell.put('.');
    for (std::uint64_t rest = value % unit; unit > 1; rest %= unit) {
        unit /= 10;
        cell.put(static_cast<char>('0' + rest / unit));
    }
}

void put_loss_comment(std::string &out, const Lost &lost)
{
    LineWriter line(out);
    line.put("# ");
    line.put_decimal(lost.count);
    line.put(lost.count == 1 ? std::string_view(" event lost here: ") : std::string_view(" events lost here: "));
    line.put(describe(lost.reason));
    if (lost.cpu)
        put_labelled(line, ", cpu ", *lost.cpu);
    line.finish();
}

} // namespace tcpflight

#include "list/socket_table.h"

#include "sink/address.h"
#include "sink/color.h"
#include "sink/duration.h"
#include "sink/errno_name.h"
#include "sink/escape.h"
#include "sink/line_writer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace tcpflight {
namespace {

using PutCell = void (*)(LineWriter &cell, const ListedSocket &socket);

enum class Align : std::uint8_t { Left, Right };

struct Column {
    std::string_view heading;
    Align align;
    PutCell put;
};

constexpr std::string_view nothing = "-";

// As ss has it: a handshake that is not over is SYN_RECV, whatever the kernel keeps of it.
TcpState shown_state(const ListedSocket &socket)
{
    return socket.found.state == TcpState::NewSynRecv ? TcpState::SynRecv : socket.found.state;
}

void put_age(LineWriter &cell, std::optional<std::uint64_t> age_ns)
{
    constexpr std::uint64_t ns_per_ms = 1'000'000;
    if (!age_ns)
        cell.put(nothing);
    else if (*age_ns < ns_per_ms)
        cell.put("0s"); // nothing finer is known
    else
        put_duration(cell, *age_ns / ns_per_ms * ns_per_ms, TimePrecision::Micro);
}

void put_us(LineWriter &cell, std::uint64_t duration_us)
{
    constexpr std::uint64_t ns_per_us = 1000;
    put_duration(cell, duration_us * ns_per_us, TimePrecision::Micro);
}

void put_state(LineWriter &cell, const ListedSocket &socket)
{
    cell.put(name(shown_state(socket)));
}

void put_recv_queue(LineWriter &cell, const ListedSocket &socket)
{
    cell.put_decimal(socket.found.status.recv_queue);
}

void put_send_queue(LineWriter &cell, const ListedSocket &socket)
{
    cell.put_decimal(socket.found.status.send_queue);
}

void put_local(LineWriter &cell, const ListedSocket &socket)
{
    put_endpoint(cell, socket.identity.local);
}

void put_remote(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.found.state == TcpState::Listen)
        cell.put('*');
    else
        put_endpoint(cell, socket.identity.remote);
}

void put_name(LineWriter &cell, std::string_view comm, std::uint32_t pid)
{
    put_escaped(cell, comm);
    cell.put('[');
    cell.put_decimal(pid);
    cell.put(']');
}

// The owner, and how many more processes have it open.
void put_process(LineWriter &cell, const ListedSocket &socket)
{
    const auto &owner = socket.identity.owner;
    if (!owner.is_known()) {
        cell.put(nothing);
        return;
    }
    put_name(cell, owner.comm_view(), owner.pid);
    if (socket.holders.size() < 2)
        return;
    std::set<std::uint32_t> pids;
    for (const auto &holder : socket.holders)
        pids.insert(holder.pid);
    if (pids.size() > 1) {
        cell.put(" +");
        cell.put_decimal(pids.size() - 1);
    }
}

// Every one of them, with the descriptor.
void put_holders(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.holders.empty())
        cell.put(nothing);
    bool first = true;
    for (const auto &holder : socket.holders) {
        if (!first)
            cell.put(',');
        first = false;
        put_name(cell, holder.comm_view(), holder.pid);
        cell.put(':');
        cell.put_decimal(holder.fd);
    }
}

void put_timer(LineWriter &cell, const ListedSocket &socket)
{
    const auto &status = socket.found.status;
    if (status.timer == Timer::None) {
        cell.put(nothing);
        return;
    }
    cell.put(name(status.timer));
    cell.put(' ');
    put_us(cell, status.timer_left_us);
    if (status.retries != 0) {
        cell.put(" #");
        cell.put_decimal(status.retries);
    }
}

void put_age(LineWriter &cell, const ListedSocket &socket)
{
    put_age(cell, socket.found.status.in_state_ns);
}

void put_connected(LineWriter &cell, const ListedSocket &socket)
{
    put_age(cell, socket.found.status.established_ns);
}

void put_uid(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.identity.uid == unknown_uid)
        cell.put(nothing);
    else
        cell.put_decimal(socket.identity.uid);
}

void put_inode(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.found.status.inode == 0)
        cell.put(nothing);
    else
        cell.put_decimal(socket.found.status.inode);
}

void put_netns(LineWriter &cell, const ListedSocket &socket)
{
    cell.put_decimal(socket.identity.netns);
}

void put_rtt(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.found.metrics && socket.found.metrics->rtt_us != 0)
        put_us(cell, socket.found.metrics->rtt_us);
    else
        cell.put(nothing);
}

void put_cwnd(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.found.metrics && socket.found.state != TcpState::Listen)
        cell.put_decimal(socket.found.metrics->cwnd);
    else
        cell.put(nothing);
}

void put_error(LineWriter &cell, const ListedSocket &socket)
{
    if (socket.found.error != 0)
        put_errno(cell, socket.found.error);
    else
        cell.put(nothing);
}

void put_container(LineWriter &cell, const ListedSocket &socket)
{
    if (const auto container = socket.identity.container(); !container.empty())
        put_escaped(cell, short_container(container));
    else
        cell.put(nothing);
}

constexpr std::size_t process_column = 5;
constexpr std::array<Column, 8> usual_columns{{
    {"STATE", Align::Left, put_state},
    {"RECV-Q", Align::Right, put_recv_queue},
    {"SEND-Q", Align::Right, put_send_queue},
    {"LOCAL", Align::Left, put_local},
    {"REMOTE", Align::Left, put_remote},
    {"PROCESS", Align::Left, put_process},
    {"TIMER", Align::Left, put_timer},
    {"AGE", Align::Right, put_age},
}};
constexpr std::array<Column, 16> all_columns{{
    {"STATE", Align::Left, put_state},
    {"RECV-Q", Align::Right, put_recv_queue},
    {"SEND-Q", Align::Right, put_send_queue},
    {"LOCAL", Align::Left, put_local},
    {"REMOTE", Align::Left, put_remote},
    {"TIMER", Align::Left, put_timer},
    {"AGE", Align::Right, put_age},
    {"CONNECTED", Align::Right, put_connected},
    {"RTT", Align::Right, put_rtt},
    {"CWND", Align::Right, put_cwnd},
    {"ERROR", Align::Left, put_error},
    {"UID", Align::Right, put_uid},
    {"NETNS", Align::Right, put_netns},
    {"INODE", Align::Right, put_inode},
    {"CONTAINER", Align::Left, put_container},
    {"PROCESSES", Align::Left, put_holders},
}};

// All cells as text, one after the other, and how wide each column must be.
class Cells {
public:
    Cells(std::span<const ListedSocket> sockets, std::span<const Column> columns) : columns_(columns.size())
    {
        widths_.reserve(columns.size());
        for (const auto &column : columns)
            widths_.push_back(column.heading.size());
        ends_.reserve(sockets.size() * columns.size());
        constexpr std::size_t usual_row = 100;
        text_.reserve(sockets.size() * usual_row);
        for (const auto &socket : sockets) {
            for (std::size_t i = 0; i < columns.size(); i++)
                add(columns[i], i, socket);
        }
    }

    [[nodiscard]] std::size_t width(std::size_t column) const { return widths_[column]; }
    [[nodiscard]] std::string_view at(std::size_t row, std::size_t column) const
    {
        auto i = row * columns_ + column;
        auto begin = i == 0 ? 0 : ends_[i - 1];
        return std::string_view(text_).substr(begin, ends_[i] - begin);
    }

private:
    void add(const Column &column, std::size_t number, const ListedSocket &socket)
    {
        auto begin = text_.size();
        LineWriter cell(text_);
        column.put(cell, socket);
        cell.finish();
        text_.pop_back(); // the end of the line
        ends_.push_back(text_.size());
        widths_[number] = std::max(widths_[number], text_.size() - begin);
    }

    std::size_t columns_;
    std::string text_;
    std::vector<std::size_t> ends_;
    std::vector<std::size_t> widths_;
};

class TableWriter {
public:
    TableWriter(std::span<const ListedSocket> sockets, const OutputStyle &style, bool wide, std::string &out)
        : sockets_(sockets), style_(style),
          columns_(wide ? std::span<const Column>(all_columns) : std::span<const Column>(usual_columns)),
          cells_(sockets, columns_), out_(out)
    {
        if (!wide && style.columns != 0)
            fit(style.columns);
    }

    void write()
    {
        put_row([&](std::size_t column) { return columns_[column].heading; }, {});
        for (std::size_t row = 0; row < sockets_.size(); row++)
            put_row([&](std::size_t column) { return cells_.at(row, column); },
                    style_.color ? color::of(shown_state(sockets_[row])) : std::string_view());
    }

private:
    // What stands behind the process is worth less than a table that can be read.
    void fit(std::size_t width)
    {
        while (columns_.size() > process_column + 1 && total_width() > width)
            columns_ = columns_.first(columns_.size() - 1);
        fold_at_ = total_width() > width ? width : 0;
    }

    [[nodiscard]] std::size_t total_width() const
    {
        std::size_t total = columns_.size() - 1;
        for (std::size_t i = 0; i < columns_.size(); i++)
            total += cells_.width(i);
        return total;
    }

    template <typename Text> void put_row(const Text &text, std::string_view state_color)
    {
        std::size_t used = 0;
        for (std::size_t i = 0; i < columns_.size(); i++) {
            const std::string_view cell = text(i);
            const bool last = i + 1 == columns_.size();
            const auto padding = cells_.width(i) - cell.size();
            if (fold_at_ != 0 && i == process_column && used + cell.size() > fold_at_) {
                out_.resize(out_.find_last_not_of(' ') + 1);
                out_ += "\n    ";
            }
            if (columns_[i].align == Align::Right)
                out_.append(padding, ' ');
            if (i == 0)
                out_ += state_color;
            out_ += cell;
            if (i == 0 && !state_color.empty())
                out_ += color::reset;
            if (last)
                break;
            if (columns_[i].align == Align::Left)
                out_.append(padding, ' ');
            out_ += ' ';
            used += cells_.width(i) + 1;
        }
        out_ += '\n';
    }

    std::span<const ListedSocket> sockets_;
    const OutputStyle &style_;
    std::span<const Column> columns_;
    Cells cells_;
    std::string &out_;
    std::size_t fold_at_ = 0;
};

} // namespace

void put_socket_table(std::span<const ListedSocket> sockets, const OutputStyle &style, bool wide, std::string &out)
{
    TableWriter(sockets, style, wide, out).write();
}

} // namespace tcpflight

#include "app/list.h"

#include "app/output.h"
#include "app/report.h"
#include "list/socket_list.h"
#include "list/socket_table.h"
#include "model/clock.h"
#include "probe/socket_reader.h"
#include "sink/make_sink.h"
#include "source/cgroup_tree.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace tcpflight {
namespace {

void put_objects(std::span<const ListedSocket> sockets, const OutputStyle &style, std::string &out)
{
    auto sink = make_sink(style);
    sink->set_clock(read_clock_anchor());
    Event event;
    for (const auto &socket : sockets) {
        auto found = socket.found;
        found.holders = socket.holders;
        event.time_ns = socket.time_ns;
        event.connection = socket.cookie;
        event.identity = &socket.identity;
        event.what = found;
        sink->write(event, out);
    }
}

Result<void> write_out(const std::string &text)
{
    Output output(STDOUT_FILENO, -1);
    if (output.write(text) == Output::Outcome::Failed)
        return failure(fmt::format("cannot write to standard output: {}", std::strerror(output.error())));
    return {};
}

Result<void> show(const Options &options)
{
    const auto &choice = *options.list;
    bool json = options.style.format == Format::Json;
    auto snapshot = read_sockets_now(choice.wide || json || asks_for(options.filter.expression(), Quantity::Rtt));
    if (!snapshot)
        return tl::unexpected(snapshot.error());
    Cgroups cgroups(max_cgroups);
    read_cgroups(cgroups);
    SocketList sockets(snapshot->records, snapshot->holders, options.filter, cgroups);
    sockets.sort(choice.sort);
    std::string text;
    if (json)
        put_objects(sockets.sockets(), options.style, text);
    else
        put_socket_table(sockets.sockets(), options.style, choice.wide, text);
    if (auto written = write_out(text); !written)
        return written;
    report_out_of_reach(snapshot->out_of_reach, "missing here", options.verbosity);
    return {};
}

} // namespace

int list(const Options &options)
{
    auto shown = show(options);
    if (shown)
        return 0;
    report_error(shown.error(), options.verbosity);
    return 1;
}

} // namespace tcpflight

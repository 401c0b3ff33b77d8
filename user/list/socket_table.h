// A table for people. The format is told in docs/list.md.
#pragma once

#include "list/socket_list.h"
#include "sink/style.h"

#include <span>
#include <string>

namespace tcpflight {

// Adds it to `out`: a line of headings, then a line for each socket, as wide as its contents. Where `style.columns` (0:
// no limit) is less than that, the last columns are left out first, and then the process goes to a line of its own.
// `wide`: all that is known, however long the lines get.
void put_socket_table(std::span<const ListedSocket> sockets, const OutputStyle &style, bool wide, std::string &out);

} // namespace tcpflight

// All TCP sockets of this host, as they stand.
#pragma once

#include "model/look.h"
#include "model/result.h"
#include "probe/namespaces.h"
#include "probe/socket_iterators.h"
#include "tcpflight/control.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tcpflight {

struct Snapshot {
    // A TF_RECORD_FOUND for each socket, in the order of time, with its owner. A socket occurs twice if it was
    // connected anew meanwhile.
    std::vector<std::byte> records;
    std::vector<tf_holder> holders; // by process; of sockets of all namespaces
    // CLOCK_BOOTTIME: the sockets were read in between.
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    Namespaces namespaces;
    std::vector<NetnsLimits> limits; // of those that were visited
    // Sockets that a process has open in a network namespace that was out of reach: there is no record of them.
    std::size_t out_of_reach = 0;
};

// Enters each network namespace, if it may, with this thread, which it calls TF_LOOKER_NAME.
Result<Snapshot> take_snapshot(const SocketIterators &iterators);

// The same without asking who has them open: there are no owners.
Result<Snapshot> look_at_sockets(const SocketIterators &iterators);

} // namespace tcpflight

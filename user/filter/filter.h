// Which connections are shown. This is the truth; what the kernel decides of it (probe/) is a safe superset.
#pragma once

#include "model/event.h"

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcpflight {

// A set of TCP ports.
using PortSet = std::bitset<65536>;

// Every criterion that is given must hold; within one criterion any of its values will do.
class Filter {
public:
    // null: not asked for.
    std::shared_ptr<const PortSet> either_port = nullptr; // --port: the local or the remote one
    std::shared_ptr<const PortSet> local_port = nullptr;
    std::shared_ptr<const PortSet> remote_port = nullptr;
    std::vector<std::uint32_t> pids = {}; // owners; empty: not asked for
    std::vector<std::string> comms = {};  // owners' names, compared whole; empty: not asked for
    bool ipv4 = true;
    bool ipv6 = true;

    // Does it let everything through?
    [[nodiscard]] bool is_open() const;

    // Is the connection one the user asked for? A port of 0 (not known) and an unknown owner match no criterion.
    [[nodiscard]] bool matches(const Identity &identity) const;

    // In the user's words, for "listening on": "port 443 and pid 12"; empty if open.
    [[nodiscard]] std::string describe() const;
};

} // namespace tcpflight

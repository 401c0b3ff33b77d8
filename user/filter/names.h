// What a filter expression may ask this host for. Host names are not among it: tcpflight never asks the DNS.
#pragma once

#include "model/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tcpflight {

class Names {
public:
    Names() = default;
    Names(const Names &) = delete;
    Names &operator=(const Names &) = delete;
    virtual ~Names() = default;

    // Of a TCP service: "https". None: it has none.
    [[nodiscard]] virtual std::optional<std::uint16_t> port(const std::string &service) const = 0;
    // Of a user: "www-data". Errors say what would be right, in printable ASCII.
    [[nodiscard]] virtual Result<std::uint32_t> uid(const std::string &user) const = 0;
    // The inode number of the network namespace that `ip netns` knows under this name. Errors say why not.
    [[nodiscard]] virtual Result<std::uint32_t> netns(const std::string &name) const = 0;
    // The same, of a process.
    [[nodiscard]] virtual Result<std::uint32_t> netns_of(std::uint32_t pid) const = 0;
};

// getservbyname(3), users as account.h knows them, /run/netns and /proc.
const Names &system_names();

// Knows no names.
const Names &no_names();

} // namespace tcpflight

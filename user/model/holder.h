// A process that has a socket open.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

struct Holder {
    std::uint32_t pid = 0; // in the initial pid namespace
    std::uint32_t tid = 0; // the thread whose descriptor it is: nearly always the process's first
    std::uint32_t fd = 0;
    std::array<char, 16> comm{}; // NUL-terminated unless all 16 are used; untrusted: escape before printing

    [[nodiscard]] std::string_view comm_view() const
    {
        return {comm.data(), static_cast<std::size_t>(std::find(comm.begin(), comm.end(), '\0') - comm.begin())};
    }
};

} // namespace tcpflight

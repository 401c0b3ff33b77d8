// Does the user want a connection, as far as its identity tells?
#pragma once

#include <cstdint>

namespace tcpflight {

enum class Admission : std::uint8_t {
    No,          // until something new is known of it
    Provisional, // for now: what is not known yet may change that
    Yes,         // and it stays so, that no timeline is cut in the middle
};

} // namespace tcpflight

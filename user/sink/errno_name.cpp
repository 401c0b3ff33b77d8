#include "sink/errno_name.h"

#include <cstring>

namespace tcpflight {

void put_errno(LineWriter &line, std::uint16_t error)
{
    if (const char *name = strerrorname_np(error)) {
        line.put(std::string_view(name));
        return;
    }
    line.put("errno ");
    line.put_decimal(error);
}

void put_errno_and_number(LineWriter &line, std::uint16_t error)
{
    const char *name = strerrorname_np(error);
    if (name != nullptr) {
        line.put(std::string_view(name));
        line.put(" (");
    }
    line.put_decimal(error);
    if (name != nullptr)
        line.put(')');
}

} // namespace tcpflight

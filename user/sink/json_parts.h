// What JSON objects of several kinds have in common. `key` is the text up to and with the colon: ",\"pid\":".
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

inline void put_number(LineWriter &line, std::string_view key, std::uint64_t value)
{
    line.put(key);
    line.put_decimal(value);
}

// Zero stands for "not known".
inline void put_number_or_null(LineWriter &line, std::string_view key, std::uint64_t value)
{
    line.put(key);
    if (value != 0)
        line.put_decimal(value);
    else
        line.put("null");
}

void put_errno_or_null(LineWriter &line, std::string_view key, std::uint16_t error);
// "error" and "errno": by name and by number. 0: none.
void put_socket_error(LineWriter &line, std::uint16_t error);

inline void put_state(LineWriter &line, std::string_view key, TcpState state)
{
    line.put(key);
    line.put('"');
    line.put(name(state));
    line.put('"');
}

// Whose a connection is, and where its ends are. Without one: all is null.
void put_identity(LineWriter &line, const Identity &identity, bool has_remote);
void put_no_identity(LineWriter &line);
void put_traffic(LineWriter &line, const Traffic &traffic);
void put_metrics(LineWriter &line, const Metrics &metrics);
// The same without the queues.
void put_sender(LineWriter &line, const Metrics &metrics);

inline void put_flag(LineWriter &line, std::string_view key, bool value)
{
    line.put(key);
    line.put(value ? std::string_view("true") : std::string_view("false"));
}

} // namespace tcpflight

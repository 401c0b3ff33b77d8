// Both ends of loopback connections, played by one thread without a context switch: on loopback the whole handshake
// happens inside connect(2), on this very core.
#pragma once

#include "support/process.h"

#include <netinet/in.h>

#include <cstdint>

namespace tcpflight::bench {

using test::Fd;

// How a connection ends, and how many changes of state that makes, both ends together. tools/bench holds these numbers
// against the tracepoint before it measures.
enum class Ending : std::uint8_t {
    ClientFirst, // orderly: FIN from the client, then from the server
    ServerFirst, // orderly, the other way round
    Reset,       // linger 0 at the client
};

// Opening: CLOSE > SYN_SENT > ESTABLISHED and LISTEN > SYN_RECV > ESTABLISHED.
constexpr unsigned events_to_open = 4;

constexpr unsigned events_to_end(Ending ending)
{
    // Orderly: > FIN_WAIT1 > FIN_WAIT2 > CLOSE and > CLOSE_WAIT > LAST_ACK > CLOSE. Reset: > CLOSE twice.
    return ending == Ending::Reset ? 2 : 6;
}

// CLOSE > LISTEN, and back.
constexpr unsigned events_of_listener = 2;

struct Connection {
    Fd client;
    Fd server;
};

// Plays the two ends of connections through a listener of its own on all of 127.0.0.0/8.
class Player {
public:
    // Throws std::system_error, as do all of these.
    Player();

    // Both ends are ESTABLISHED on return. `number` chooses the address, of 2^16, so that ports never run out.
    Connection open(std::uint32_t number);
    static void end(Connection &connection, Ending ending);

private:
    Fd listener_;
    sockaddr_in address_{};
};

} // namespace tcpflight::bench

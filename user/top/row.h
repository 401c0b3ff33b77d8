// A connection as a row of the live screen shows it.
#pragma once

#include "model/direction.h"
#include "model/event.h"
#include "model/verdict.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tcpflight {

// Times are CLOCK_BOOTTIME in nanoseconds.
struct Row {
    std::uint64_t connection = 0; // the socket's cookie; of what belongs to no connection, a number of its own
    Identity identity;
    std::uint64_t since_ns = 0; // in its state since then; or at least since then, if that was not seen
    std::uint64_t begun_ns = 0; // likewise
    std::uint64_t last_ns = 0;  // of the last event
    std::uint64_t ended_ns = 0; // 0: it is alive
    std::uint32_t retransmits = 0;
    std::uint32_t rtt_us = 0;         // smoothed, when an event told it last; 0: not known
    TcpState state = TcpState::Close; // Close: it has ended, or nothing is known
    bool since_seen = false;
    bool begin_seen = false;
    bool is_leftover = false; // the socket is gone, and the kernel keeps a smaller thing in its place
    Direction direction = Direction::Unknown;
    std::optional<VerdictKind> verdict; // the last one
    std::array<char, 40> last{};        // what happened last; NUL-terminated, printable

    [[nodiscard]] bool has_ended() const { return ended_ns != 0; }
    [[nodiscard]] bool is_alarm() const { return verdict && severity_of(*verdict) == Severity::Alarm; }
    [[nodiscard]] std::string_view last_text() const { return {last.data(), strnlen(last.data(), last.size())}; }

    // How long at `now_ns`; of one that has ended, until then.
    [[nodiscard]] std::uint64_t in_state_ns(std::uint64_t now_ns) const { return until(now_ns, since_ns); }
    [[nodiscard]] std::uint64_t age_ns(std::uint64_t now_ns) const
    {
        return until(has_ended() ? ended_ns : now_ns, begun_ns);
    }

private:
    static std::uint64_t until(std::uint64_t end_ns, std::uint64_t begin_ns)
    {
        return end_ns > begin_ns ? end_ns - begin_ns : 0;
    }
};

// As ss has it: a handshake that is not over is SYN_RECV, whatever the kernel keeps of it.
constexpr TcpState shown_state(TcpState state)
{
    return state == TcpState::NewSynRecv ? TcpState::SynRecv : state;
}

} // namespace tcpflight

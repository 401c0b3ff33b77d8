#include "table/waiting.h"

#include "decode/decode.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace tcpflight {
namespace {

// Whether that is too long is for diagnose/ to say.
bool waits(const tf_header &header, const tf_socket &socket)
{
    switch (TcpState{header.new_state}) {
    case TcpState::CloseWait:                                                       // for its process to close it
    case TcpState::FinWait2: return (header.flags & TF_FLAG_TIME_WAIT_SOCKET) == 0; // for the other end
    case TcpState::Established:
        // To be accepted, or read; or for an answer to probes.
        return socket.inode == 0 || socket.recv_queue != 0 || socket.timer == TF_TIMER_PROBE ||
               (socket.timer == TF_TIMER_KEEPALIVE && socket.retries != 0);
    case TcpState::FinWait1: return socket.timer == TF_TIMER_PROBE;
    default: return false;
    }
}

void append(std::vector<std::byte> &out, std::span<const std::byte> record, std::uint64_t now_ns)
{
    tf_header header{};
    tf_socket socket{};
    std::memcpy(&header, record.data(), sizeof(header));
    std::memcpy(&socket, record.data() + sizeof(header), sizeof(socket));
    header.time_ns = now_ns;
    socket.bits |= TF_SOCKET_WAITS;
    const auto at = out.size();
    out.insert(out.end(), record.begin(), record.end());
    std::memcpy(out.data() + at, &header, sizeof(header));
    std::memcpy(out.data() + at + sizeof(header), &socket, sizeof(socket));
}

} // namespace

std::vector<std::byte> Waiting::find(const Table &table, const Look &look, std::uint64_t now_ns)
{
    std::vector<std::byte> out;
    const auto told = std::exchange(told_, {});
    std::span<const std::byte> rest = look.records;
    for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
        const auto record = rest.first(size);
        tf_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        if (header.type != TF_RECORD_FOUND || told_.contains(header.cookie))
            continue;
        tf_socket socket{};
        std::memcpy(&socket, record.data() + sizeof(header), sizeof(socket));
        const bool waits_now = waits(header, socket);
        if (!waits_now && !told.contains(header.cookie))
            continue;
        const auto *known = table.find(header.cookie);
        if (known == nullptr || known->state != TcpState{header.new_state})
            continue;
        const bool moved = known->last_seen_ns >= look.begin_ns;
        if (!moved)
            append(out, record, now_ns);
        if (moved || waits_now)
            told_.insert(header.cookie);
    }
    return out;
}

} // namespace tcpflight

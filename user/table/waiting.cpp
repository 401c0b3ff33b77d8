#include "table/waiting.h"

#include "decode/decode.h"
#include "table/convert.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

namespace tcpflight {
namespace {

// What it sent was not acknowledged, again and again: when it is, no event tells.
bool is_silent(const tf_socket &socket)
{
    constexpr std::uint8_t in_a_row = 2;
    return socket.timer == TF_TIMER_RETRANSMIT && socket.retries >= in_a_row;
}

// Whether that is too long is for diagnose/ to say.
bool waits(const tf_header &header, const tf_socket &socket)
{
    switch (TcpState{header.new_state}) {
    case TcpState::CloseWait:                                                       // for its process to close it
    case TcpState::FinWait2: return (header.flags & TF_FLAG_TIME_WAIT_SOCKET) == 0; // for the other end
    case TcpState::Established:
        // To be accepted, or read; or for an answer to probes.
        return socket.inode == 0 || socket.recv_queue != 0 || socket.timer == TF_TIMER_PROBE || is_silent(socket) ||
               (socket.timer == TF_TIMER_KEEPALIVE && socket.retries != 0);
    case TcpState::FinWait1: return socket.timer == TF_TIMER_PROBE || is_silent(socket);
    case TcpState::LastAck:
    case TcpState::Closing: return is_silent(socket);
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

std::uint64_t mix(std::uint64_t hash, std::uint64_t value)
{
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
    hash = (hash ^ value) * odd;
    return hash ^ (hash >> 29);
}

std::uint64_t mix(std::uint64_t hash, const std::uint8_t (&address)[16]) // NOLINT(*-avoid-c-arrays): as in records.h
{
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), address, sizeof(words));
    return mix(mix(hash, words[0]), words[1]);
}

// Both ends of a connection that are on this host, by their tuples.
class Ends {
public:
    Ends(const Look &look, Meanwhile &meanwhile)
    {
        constexpr auto smallest = sizeof(tf_header) + sizeof(tf_socket) + sizeof(tf_identity);
        tuples_.reserve(look.records.size() / smallest); // to grow would take long at a time
        std::span<const std::byte> rest = look.records;
        for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
            meanwhile.step();
            tf_header header{};
            std::memcpy(&header, rest.data(), sizeof(header));
            if (header.type != TF_RECORD_FOUND || (header.flags & TF_FLAG_IDENTITY) == 0)
                continue;
            const auto identity = identity_in(rest.first(size), header);
            addresses_.insert(mix(0, identity.local_addr));
            if ((header.flags & TF_FLAG_TIME_WAIT_SOCKET) == 0)
                tuples_.insert(mix(mix(mix(identity.local_port, identity.local_addr), identity.remote_port),
                                   identity.remote_addr));
        }
    }

    // It believes in a connection to an address of this host, where no such connection is. Behind a translation of
    // addresses that is nothing: only for one whose other end was seen to end it means something.
    [[nodiscard]] bool is_deserted(std::span<const std::byte> record, const tf_header &header) const
    {
        const TcpState state{header.new_state};
        if ((header.flags & TF_FLAG_IDENTITY) == 0 ||
            (state != TcpState::Established && state != TcpState::CloseWait && state != TcpState::FinWait2))
            return false;
        const auto identity = identity_in(record, header);
        return identity.remote_port != 0 && addresses_.contains(mix(0, identity.remote_addr)) &&
               !tuples_.contains(
                   mix(mix(mix(identity.remote_port, identity.remote_addr), identity.local_port), identity.local_addr));
    }

private:
    // Mixed values as they are.
    struct Hash {
        std::size_t operator()(std::uint64_t mixed) const { return mixed >> 20; }
    };

    tsl::robin_set<std::uint64_t, Hash> addresses_;
    tsl::robin_set<std::uint64_t, Hash> tuples_;
};

} // namespace

std::vector<std::byte> Waiting::find(const Table &table, const Look &look, std::uint64_t now_ns, Meanwhile &meanwhile)
{
    std::vector<std::byte> out;
    const auto told = std::exchange(told_, {});
    const auto deserted = std::exchange(deserted_, {});
    const Ends ends(look, meanwhile);
    std::span<const std::byte> rest = look.records;
    for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
        meanwhile.step();
        const auto record = rest.first(size);
        tf_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        if (header.type != TF_RECORD_FOUND || told_.contains(header.cookie))
            continue;
        tf_socket socket{};
        std::memcpy(&socket, record.data() + sizeof(header), sizeof(socket));
        const bool waits_now = waits(header, socket);
        const bool waits = waits_now || told.contains(header.cookie);
        if (!waits && !ends.is_deserted(record, header))
            continue;
        const auto *known = table.find(header.cookie);
        if (known == nullptr || known->state != TcpState{header.new_state})
            continue;
        const bool moved = known->last_seen_ns >= look.begin_ns;
        if (!waits) {
            const auto before = deserted.find(header.cookie);
            const auto times = before != deserted.end() ? before->second : 0U;
            deserted_[header.cookie] = times + (moved ? 0 : 1);
            if (!moved && times < deserted_told)
                append(out, record, now_ns);
            continue;
        }
        if (!moved)
            append(out, record, now_ns);
        if (moved || waits_now)
            told_.insert(header.cookie);
    }
    return out;
}

} // namespace tcpflight

// The structs that records consist of, and how each of their fields is stored: the one table that a new kind of record
// is added to. A test holds it together with decode's idea of a record (tests/unit/recording/parts_test.cpp); a record
// that does not fit is stored as it is.
#pragma once

#include "tcpflight/records.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tcpflight {

// See docs/trace-format.md, "Columns".
enum class Coding : std::uint8_t {
    Bytes = 1,
    Numbers = 2,
    Deltas = 3,
    DeltasByConnection = 4,
    Beyond = 5,
    Dictionary = 6,
    Connections = 7,
    PackedDictionary = 8, // what is written where 6 once was
};

struct Field {
    std::uint16_t offset = 0;
    std::uint16_t width = 0;
    Coding coding = Coding::Bytes;
    std::uint16_t base = 0; // Beyond: offset of the field of the same width that this one lies behind
};

// Numbers of parts in the file: never re-used.
namespace part {
constexpr std::uint8_t header = 0;
constexpr std::uint8_t retransmission = 1;
constexpr std::uint8_t loss = 2;
constexpr std::uint8_t metrics = 3;
constexpr std::uint8_t identity = 4;
constexpr std::uint8_t reset = 5;
constexpr std::uint8_t socket = 6;
constexpr std::uint8_t congestion = 7;
constexpr std::uint8_t accept = 8;
constexpr std::uint8_t handshake = 9;
constexpr std::uint8_t gone = 10;
constexpr std::uint8_t probe = 11;
constexpr std::uint8_t owner_place = 13;
constexpr std::uint8_t cgroup = 14;
constexpr std::uint8_t queue = 15;
constexpr std::uint8_t syn_queue = 16;
constexpr std::uint8_t bytes = 17;
constexpr std::uint8_t traffic = 18;
constexpr std::uint8_t settings = 19;
constexpr std::uint8_t usage = 20;
constexpr std::uint8_t rest = 31;
constexpr std::uint8_t shape = 32;
constexpr std::uint8_t connection = 33;
constexpr std::uint8_t count = 34;
} // namespace part

struct Part {
    std::uint8_t number = 0;
    std::uint16_t size = 0;
    std::span<const Field> fields;
    // A record has it if its header says so, by one of these; 0: not by this one.
    std::uint8_t type = 0;
    std::uint8_t flag = 0;

    [[nodiscard]] constexpr bool is_in(std::uint8_t header_type, std::uint8_t header_flags) const
    {
        return (type != 0 && type == header_type) || (header_flags & flag) != 0;
    }
};

// What a record is, as far as its header's first look tells: all records of a shape have the same size, except those
// with a rest.
struct Shape {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint16_t reserved = 0;
    std::uint32_t parts = 0; // bit n: part n

    bool operator==(const Shape &) const = default;
};
static_assert(sizeof(Shape) == 8);

// What a recording stores of a KnownConnection, beside its identity. Fields are appended.
struct StoredConnection {
    std::uint64_t cookie = 0;
    std::uint64_t changed_ns = 0;
    std::uint64_t last_seen_ns = 0;
    std::uint32_t gaps_seen = 0;
    std::uint32_t last_seq = 0;
    std::uint32_t attempt = 0;
    std::uint8_t state = 0;
    std::uint8_t bits = 0;
    std::uint8_t timeouts_seen = 0;
    std::uint8_t reserved = 0;
    std::uint64_t queued_ns = 0;
    std::uint64_t syn_ns = 0;
    std::uint64_t expires_ns = 0;
    std::uint32_t drops = 0;
    std::uint32_t overflows = 0;
};
static_assert(sizeof(StoredConnection) == 72);

inline constexpr std::array header_fields{
    Field{offsetof(tf_header, cookie), 8, Coding::Connections}, Field{offsetof(tf_header, time_ns), 8, Coding::Deltas},
    Field{offsetof(tf_header, local_port), 2, Coding::DeltasByConnection},
    Field{offsetof(tf_header, old_state), 4, Coding::PackedDictionary}, // new_state and error with it
};
inline constexpr std::array retransmission_fields{
    Field{offsetof(tf_retransmission, bytes_acked), 8, Coding::Numbers},
    Field{offsetof(tf_retransmission, seq), 4, Coding::DeltasByConnection},
    Field{offsetof(tf_retransmission, end_seq), 4, Coding::Beyond, offsetof(tf_retransmission, seq)},
    Field{offsetof(tf_retransmission, snd_una), 4, Coding::Beyond, offsetof(tf_retransmission, seq)},
    Field{offsetof(tf_retransmission, tcp_flags), 8, Coding::PackedDictionary}, // up to the timer
    Field{offsetof(tf_retransmission, total), 4, Coding::Numbers},
    Field{offsetof(tf_retransmission, silent_us), 4, Coding::Numbers},
    Field{offsetof(tf_retransmission, retrying_ms), 4, Coding::Numbers},
    Field{offsetof(tf_retransmission, user_timeout_ms), 12, Coding::PackedDictionary}, // the settings
    Field{offsetof(tf_retransmission, sent), 4, Coding::Numbers},
};
inline constexpr std::array reset_fields{Field{0, sizeof(tf_reset), Coding::PackedDictionary}};
inline constexpr std::array congestion_fields{Field{0, sizeof(tf_congestion), Coding::PackedDictionary}};
inline constexpr std::array probe_fields{
    Field{offsetof(tf_probe, silent_ms), 4, Coding::Numbers},
    Field{offsetof(tf_probe, interval_ms), 12, Coding::PackedDictionary}, // the settings
    Field{offsetof(tf_probe, closed_ms), 4, Coding::Numbers},
    Field{offsetof(tf_probe, waiting), 4, Coding::Numbers},
    Field{offsetof(tf_probe, kind), 8, Coding::PackedDictionary}, // up to the end
};
inline constexpr std::array accept_fields{Field{0, sizeof(tf_accept), Coding::PackedDictionary}};
inline constexpr std::array gone_fields{
    Field{offsetof(tf_gone, after_ns), 8, Coding::Deltas},
    Field{offsetof(tf_gone, by_ns), 8, Coding::Beyond, offsetof(tf_gone, after_ns)},
    Field{offsetof(tf_gone, reason), 8, Coding::PackedDictionary},
};
inline constexpr std::array handshake_fields{
    Field{offsetof(tf_handshake, syn_ack_ns), 8, Coding::Deltas},
    Field{offsetof(tf_handshake, timeout_us), 8, Coding::PackedDictionary}, // with the longest
    Field{offsetof(tf_handshake, step), 8, Coding::PackedDictionary},       // up to the end
};
inline constexpr std::array queue_fields{
    Field{offsetof(tf_queue, accept_queue), 4, Coding::Numbers},
    Field{offsetof(tf_queue, syn_queue), 4, Coding::Numbers},
    Field{offsetof(tf_queue, limit), 4, Coding::Numbers},
    Field{offsetof(tf_queue, drops), 4, Coding::Numbers},
    Field{offsetof(tf_queue, bits), 8, Coding::PackedDictionary},
};
inline constexpr std::array syn_queue_fields{
    Field{offsetof(tf_syn_queue, waited_us), 4, Coding::Numbers},
    Field{offsetof(tf_syn_queue, reserved), 4, Coding::PackedDictionary},
};
inline constexpr std::array socket_fields{
    Field{offsetof(tf_socket, inode), 8, Coding::Deltas},
    Field{offsetof(tf_socket, since_ns), 8, Coding::Deltas},
    Field{offsetof(tf_socket, established_ns), 8, Coding::Beyond, offsetof(tf_socket, since_ns)},
    Field{offsetof(tf_socket, recv_queue), 4, Coding::Numbers},
    Field{offsetof(tf_socket, send_queue), 4, Coding::Numbers},
    Field{offsetof(tf_socket, timer_left_us), 4, Coding::Numbers},
    Field{offsetof(tf_socket, drops), 4, Coding::Numbers},
    Field{offsetof(tf_socket, mark), 8, Coding::PackedDictionary}, // timer, retries and bits with it
};
inline constexpr std::array loss_fields{
    Field{offsetof(tf_loss, total), 8, Coding::Numbers}, Field{offsetof(tf_loss, until_ns), 8, Coding::Deltas},
    Field{offsetof(tf_loss, cpu), 8, Coding::PackedDictionary}, // with the reason
};
inline constexpr std::array metrics_fields{
    Field{offsetof(tf_metrics, rtt_us), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, rttvar_us), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, rto_us), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, cwnd), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, ssthresh), 4, Coding::PackedDictionary},
    Field{offsetof(tf_metrics, send_queue), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, recv_queue), 4, Coding::Numbers},
    Field{offsetof(tf_metrics, in_flight), 4, Coding::Numbers},
};
inline constexpr std::array identity_fields{
    Field{offsetof(tf_identity, local_addr), 16, Coding::PackedDictionary},
    Field{offsetof(tf_identity, remote_addr), 16, Coding::PackedDictionary},
    Field{offsetof(tf_identity, cgroup), 24, Coding::PackedDictionary}, // netns, uid, pid and tid with it
    Field{offsetof(tf_identity, local_port), 2, Coding::Deltas},
    Field{offsetof(tf_identity, remote_port), 2, Coding::Deltas},
    Field{offsetof(tf_identity, family), 20, Coding::PackedDictionary}, // up to the end
};
// Few processes have many connections each.
inline constexpr std::array owner_place_fields{Field{0, sizeof(tf_owner_place), Coding::PackedDictionary}};
inline constexpr std::array cgroup_fields{
    Field{offsetof(tf_cgroup, id), 8, Coding::Deltas},
    Field{offsetof(tf_cgroup, hierarchy), 8, Coding::PackedDictionary},
    Field{offsetof(tf_cgroup, path), sizeof(tf_cgroup::path), Coding::PackedDictionary},
};
inline constexpr std::array bytes_fields{
    Field{offsetof(tf_bytes, acked), 8, Coding::Numbers},
    Field{offsetof(tf_bytes, received), 8, Coding::Numbers},
};
inline constexpr std::array traffic_fields{
    Field{offsetof(tf_traffic, bytes_retransmitted), 8, Coding::Numbers},
    Field{offsetof(tf_traffic, segments_sent), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, segments_received), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, data_segments_sent), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, data_segments_received), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, retransmitted), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, rtt_us), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, min_rtt_us), 4, Coding::Numbers},
    Field{offsetof(tf_traffic, cwnd), 4, Coding::PackedDictionary},
};
inline constexpr std::array settings_fields{Field{0, sizeof(tf_settings), Coding::PackedDictionary}};
inline constexpr std::array usage_fields{
    Field{offsetof(tf_usage, taken), 4, Coding::Numbers},
    Field{offsetof(tf_usage, at_most), 12, Coding::PackedDictionary}, // up to the end
};
inline constexpr std::array shape_fields{Field{0, sizeof(Shape), Coding::PackedDictionary}};
inline constexpr std::array connection_fields{
    Field{offsetof(StoredConnection, cookie), 8, Coding::Deltas},
    Field{offsetof(StoredConnection, changed_ns), 8, Coding::Deltas},
    Field{offsetof(StoredConnection, last_seen_ns), 8, Coding::Beyond, offsetof(StoredConnection, changed_ns)},
    Field{offsetof(StoredConnection, gaps_seen), 4, Coding::Numbers},
    Field{offsetof(StoredConnection, last_seq), 4, Coding::Numbers},
    Field{offsetof(StoredConnection, attempt), 4, Coding::Numbers},
    Field{offsetof(StoredConnection, state), 4, Coding::PackedDictionary}, // bits, and timeouts_seen
    Field{offsetof(StoredConnection, queued_ns), 8, Coding::Deltas},
    Field{offsetof(StoredConnection, syn_ns), 8, Coding::Deltas},
    Field{offsetof(StoredConnection, expires_ns), 8, Coding::Deltas},
    Field{offsetof(StoredConnection, drops), 4, Coding::Numbers},
    Field{offsetof(StoredConnection, overflows), 4, Coding::Numbers},
};

// In the order in which they follow each other in a record.
inline constexpr Part header_part{part::header, sizeof(tf_header), header_fields};
inline constexpr std::array record_parts{
    Part{part::retransmission, sizeof(tf_retransmission), retransmission_fields, TF_RECORD_RETRANSMIT},
    Part{part::loss, sizeof(tf_loss), loss_fields, TF_RECORD_LOST},
    Part{part::reset, sizeof(tf_reset), reset_fields, TF_RECORD_RESET},
    Part{part::socket, sizeof(tf_socket), socket_fields, TF_RECORD_FOUND},
    Part{part::congestion, sizeof(tf_congestion), congestion_fields, TF_RECORD_CONGESTION},
    Part{part::probe, sizeof(tf_probe), probe_fields, TF_RECORD_PROBE},
    Part{part::accept, sizeof(tf_accept), accept_fields, TF_RECORD_ACCEPT},
    Part{part::gone, sizeof(tf_gone), gone_fields, TF_RECORD_GONE},
    Part{part::cgroup, sizeof(tf_cgroup), cgroup_fields, TF_RECORD_CGROUP},
    Part{part::handshake, sizeof(tf_handshake), handshake_fields, TF_RECORD_HANDSHAKE},
    Part{part::queue, sizeof(tf_queue), queue_fields, TF_RECORD_QUEUE},
    Part{part::settings, sizeof(tf_settings), settings_fields, TF_RECORD_SETTINGS},
    Part{part::usage, sizeof(tf_usage), usage_fields, TF_RECORD_USAGE},
    Part{part::syn_queue, sizeof(tf_syn_queue), syn_queue_fields, 0, TF_FLAG_SYN_QUEUE},
    Part{part::metrics, sizeof(tf_metrics), metrics_fields, 0, TF_FLAG_METRICS},
    Part{part::identity, sizeof(tf_identity), identity_fields, 0, TF_FLAG_IDENTITY},
    Part{part::owner_place, sizeof(tf_owner_place), owner_place_fields, 0, TF_FLAG_OWNER_PLACE},
    Part{part::bytes, sizeof(tf_bytes), bytes_fields, 0, TF_FLAG_BYTES},
    Part{part::traffic, sizeof(tf_traffic), traffic_fields, 0, TF_FLAG_TRAFFIC},
};
inline constexpr Part shape_part{part::shape, sizeof(Shape), shape_fields};
inline constexpr Part connection_part{part::connection, sizeof(StoredConnection), connection_fields};
// There is one with this number.
constexpr const Part &record_part(std::uint8_t number)
{
    std::size_t at = 0;
    while (record_parts.at(at).number != number)
        at++;
    return record_parts.at(at);
}
inline constexpr const Part &owner_place_part = record_part(part::owner_place);
inline constexpr const Part &identity_part = record_part(part::identity);

// Is each byte of a struct in just one column?
constexpr bool covers(const Part &part, std::uint16_t except_begin = 0, std::uint16_t except_end = 0)
{
    for (std::uint16_t at = 0; at < part.size; at++) {
        int columns = at >= except_begin && at < except_end ? 1 : 0;
        for (const auto &field : part.fields)
            columns += at >= field.offset && at < field.offset + field.width ? 1 : 0;
        if (columns != 1)
            return false;
    }
    return true;
}
// The shape has the header's type and flags.
static_assert(covers(header_part, offsetof(tf_header, type), offsetof(tf_header, local_port)));
static_assert(std::ranges::all_of(record_parts, [](const Part &part) { return covers(part); }));
static_assert(covers(shape_part) && covers(connection_part));
// The writer knows the packed one only.
static_assert(std::ranges::all_of(record_parts, [](const Part &part) {
    return std::ranges::none_of(part.fields, [](const Field &field) { return field.coding == Coding::Dictionary; });
}));
static_assert(identity_part.number == part::identity && owner_place_part.number == part::owner_place);

} // namespace tcpflight

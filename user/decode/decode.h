// Bytes from the kernel or a file, checked: nothing behind this line has to doubt a length or an enum.
#pragma once

#include "tcpflight/records.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tcpflight {

// A record taken apart. Which blocks are filled in follows from the header; the others are undefined.
struct Record {
    tf_header header;                 // `error` without its upper bits: see the next two
    std::uint8_t undone;              // enum tf_undone
    bool user_timeout;                // TF_ERROR_USER_TIMEOUT
    tf_retransmission retransmission; // type TF_RECORD_RETRANSMIT
    tf_loss loss;                     // type TF_RECORD_LOST
    tf_accept accept;                 // type TF_RECORD_ACCEPT
    tf_reset reset;                   // type TF_RECORD_RESET
    tf_socket socket;                 // type TF_RECORD_FOUND
    tf_congestion congestion;         // type TF_RECORD_CONGESTION
    tf_probe probe;                   // type TF_RECORD_PROBE
    tf_gone gone;                     // type TF_RECORD_GONE
    tf_cgroup cgroup;                 // type TF_RECORD_CGROUP
    tf_handshake handshake;           // type TF_RECORD_HANDSHAKE
    tf_queue queue;                   // type TF_RECORD_QUEUE
    tf_settings settings;             // type TF_RECORD_SETTINGS
    tf_usage usage;                   // type TF_RECORD_USAGE
    tf_syn_queue syn_queue;           // flag TF_FLAG_SYN_QUEUE
    tf_metrics metrics;               // flag TF_FLAG_METRICS
    tf_identity identity;             // flag TF_FLAG_IDENTITY
    tf_owner_place place;             // flag TF_FLAG_OWNER_PLACE
    tf_bytes bytes;                   // flag TF_FLAG_BYTES
    tf_traffic traffic;               // flag TF_FLAG_TRAFFIC

    [[nodiscard]] bool has(tf_record_flag flag) const { return (header.flags & flag) != 0; }
};

enum class DecodeError : std::uint8_t {
    None,
    TooShort,    // not even a header
    UnknownType, // from a newer version
    WrongSize,   // not what type and flags require
    BadState,    // not a TCP state
    BadValue,    // an enum or an address family out of range, or a part that its kind must have is missing
};

// A clause for an error message: "is too short".
std::string_view describe(DecodeError error);

// How long a record with this header is, header included; 0: of an unknown type.
std::size_t encoded_size(const tf_header &header);

// Of records that stand one behind the other: how long the first one is; 0: there is no whole one, or none of a known
// type. To walk through them:
//
//     for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size))
std::size_t first_record_size(std::span<const std::byte> records);

// Any alignment will do. `out` is undefined unless None is returned.
DecodeError decode(std::span<const std::byte> bytes, Record &out);

// Do its enums have values that exist?
DecodeError check_identity(const tf_identity &identity);

} // namespace tcpflight

#include "decode/decode.h"

#include "model/tcp_state.h"

#include <linux/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace tcpflight {
namespace {

// By type: of the header and the block that follows it; 0: of no type that is known.
constexpr auto body_sizes = [] {
    std::array<std::size_t, TF_RECORD_REFUSED + 1> sizes{};
    sizes[TF_RECORD_STATE] = sizeof(tf_header);
    sizes[TF_RECORD_RETRANSMIT] = sizeof(tf_header) + sizeof(tf_retransmission);
    sizes[TF_RECORD_LOST] = sizeof(tf_header) + sizeof(tf_loss);
    sizes[TF_RECORD_ACCEPT] = sizeof(tf_header) + sizeof(tf_accept);
    sizes[TF_RECORD_RESET] = sizeof(tf_header) + sizeof(tf_reset);
    sizes[TF_RECORD_FOUND] = sizeof(tf_header) + sizeof(tf_socket);
    sizes[TF_RECORD_CONGESTION] = sizeof(tf_header) + sizeof(tf_congestion);
    sizes[TF_RECORD_PROBE] = sizeof(tf_header) + sizeof(tf_probe);
    sizes[TF_RECORD_GONE] = sizeof(tf_header) + sizeof(tf_gone);
    sizes[TF_RECORD_CGROUP] = sizeof(tf_header) + sizeof(tf_cgroup);
    sizes[TF_RECORD_HANDSHAKE] = sizeof(tf_header) + sizeof(tf_handshake);
    sizes[TF_RECORD_QUEUE] = sizeof(tf_header) + sizeof(tf_queue);
    sizes[TF_RECORD_SETTINGS] = sizeof(tf_header) + sizeof(tf_settings);
    sizes[TF_RECORD_USAGE] = sizeof(tf_header) + sizeof(tf_usage);
    sizes[TF_RECORD_REFUSED] = sizeof(tf_header);
    return sizes;
}();

// By flags: of the blocks that they announce.
constexpr auto part_sizes = [] {
    std::array<std::uint16_t, 256> sizes{};
    for (unsigned flags = 0; flags < sizes.size(); flags++) {
        auto add = [&](unsigned flag, std::size_t size) {
            if ((flags & flag) != 0)
                sizes[flags] = static_cast<std::uint16_t>(sizes[flags] + size);
        };
        add(TF_FLAG_SYN_QUEUE, sizeof(tf_syn_queue));
        add(TF_FLAG_METRICS, sizeof(tf_metrics));
        add(TF_FLAG_IDENTITY, sizeof(tf_identity));
        add(TF_FLAG_OWNER_PLACE, sizeof(tf_owner_place));
        add(TF_FLAG_BYTES, sizeof(tf_bytes));
        add(TF_FLAG_TRAFFIC, sizeof(tf_traffic));
    }
    return sizes;
}();

// Takes blocks off the front of bytes, of which there are enough.
class Blocks {
public:
    explicit Blocks(const std::byte *bytes) : at_(bytes) {}

    template <typename T> void take(T &out)
    {
        std::memcpy(&out, at_, sizeof(T));
        at_ += sizeof(T);
    }

private:
    const std::byte *at_;
};

DecodeError check_body(const Record &record)
{
    if (record.undone >= TF_UNDONES)
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_RESET &&
        (record.reset.direction >= TF_RESET_DIRECTIONS || record.reset.reason >= TF_RESET_REASONS))
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_FOUND && record.socket.timer >= TF_TIMERS)
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_HANDSHAKE && record.handshake.step >= TF_HANDSHAKE_STEPS)
        return DecodeError::BadValue;
    // Five states since 2.6; a sixth would have no name.
    if (record.header.type == TF_RECORD_CONGESTION &&
        (record.congestion.old_state > TCP_CA_Loss || record.congestion.new_state > TCP_CA_Loss))
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_PROBE && record.probe.kind >= TF_PROBE_KINDS)
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_GONE && record.gone.reason >= TF_GONE_REASONS)
        return DecodeError::BadValue;
    if (record.header.type == TF_RECORD_USAGE && (record.usage.kind >= TF_USAGE_KINDS || !record.has(TF_FLAG_IDENTITY)))
        return DecodeError::BadValue;
    return DecodeError::None;
}

DecodeError check_states(const tf_header &header)
{
    return is_valid(TcpState{header.old_state}) && is_valid(TcpState{header.new_state}) ? DecodeError::None
                                                                                        : DecodeError::BadState;
}

DecodeError check_cgroup(const tf_cgroup &cgroup)
{
    const bool terminated = std::memchr(cgroup.path, '\0', sizeof(cgroup.path)) != nullptr;
    return cgroup.id != 0 && cgroup.path[0] == '/' && terminated ? DecodeError::None : DecodeError::BadValue;
}

} // namespace

std::string_view describe(DecodeError error)
{
    switch (error) {
    case DecodeError::None: return "is sound";
    case DecodeError::TooShort: return "is too short";
    case DecodeError::UnknownType: return "is of a kind that this version does not know";
    case DecodeError::WrongSize: return "has the wrong size for its kind";
    case DecodeError::BadState: return "names a TCP state that does not exist";
    case DecodeError::BadValue: return "has a value out of range";
    }
    return "?";
}

std::size_t encoded_size(const tf_header &header)
{
    const std::size_t body = header.type < body_sizes.size() ? body_sizes[header.type] : 0;
    return body != 0 ? body + part_sizes[header.flags] : 0;
}

DecodeError check_identity(const tf_identity &identity)
{
    if (identity.owner_source >= TF_OWNER_SOURCES)
        return DecodeError::BadValue;
    if (identity.family != AF_INET && identity.family != AF_INET6)
        return DecodeError::BadValue;
    return DecodeError::None;
}

std::size_t first_record_size(std::span<const std::byte> records)
{
    tf_header header{};
    if (records.size() < sizeof(header))
        return 0;
    std::memcpy(&header, records.data(), sizeof(header));
    auto size = encoded_size(header);
    return size <= records.size() ? size : 0;
}

DecodeError decode(std::span<const std::byte> bytes, Record &out)
{
    if (bytes.size() < sizeof(tf_header))
        return DecodeError::TooShort;
    Blocks blocks(bytes.data());
    blocks.take(out.header);
    if (const auto size = encoded_size(out.header); size != bytes.size())
        return size == 0 ? DecodeError::UnknownType : DecodeError::WrongSize;
    out.undone = (out.header.error & TF_ERROR_UNDONE) >> TF_ERROR_UNDONE_SHIFT;
    out.user_timeout = (out.header.error & TF_ERROR_USER_TIMEOUT) != 0;
    out.header.error &= TF_ERROR_ERRNO;
    // Most are of this kind: a change of state, and a header is all.
    constexpr unsigned without_part = TF_FLAG_OWNED | TF_FLAG_TIME_WAIT_SOCKET;
    if (out.header.type == TF_RECORD_STATE && (out.header.flags & ~without_part) == 0 &&
        out.undone == TF_UNDONE_UNKNOWN)
        return check_states(out.header);

    switch (out.header.type) {
    case TF_RECORD_STATE:
    case TF_RECORD_REFUSED: break;
    case TF_RECORD_RETRANSMIT: blocks.take(out.retransmission); break;
    case TF_RECORD_LOST: blocks.take(out.loss); break;
    case TF_RECORD_ACCEPT: blocks.take(out.accept); break;
    case TF_RECORD_RESET: blocks.take(out.reset); break;
    case TF_RECORD_FOUND: blocks.take(out.socket); break;
    case TF_RECORD_CONGESTION: blocks.take(out.congestion); break;
    case TF_RECORD_PROBE: blocks.take(out.probe); break;
    case TF_RECORD_GONE: blocks.take(out.gone); break;
    case TF_RECORD_CGROUP: blocks.take(out.cgroup); break;
    case TF_RECORD_HANDSHAKE: blocks.take(out.handshake); break;
    case TF_RECORD_QUEUE: blocks.take(out.queue); break;
    case TF_RECORD_SETTINGS: blocks.take(out.settings); break;
    case TF_RECORD_USAGE: blocks.take(out.usage); break;
    default: return DecodeError::UnknownType;
    }
    if (out.has(TF_FLAG_SYN_QUEUE))
        blocks.take(out.syn_queue);
    if (out.has(TF_FLAG_METRICS))
        blocks.take(out.metrics);
    if (out.has(TF_FLAG_IDENTITY))
        blocks.take(out.identity);
    if (out.has(TF_FLAG_OWNER_PLACE))
        blocks.take(out.place);
    if (out.has(TF_FLAG_BYTES))
        blocks.take(out.bytes);
    if (out.has(TF_FLAG_TRAFFIC))
        blocks.take(out.traffic);

    if (out.header.type == TF_RECORD_LOST)
        return out.loss.reason < TF_LOSS_REASONS ? DecodeError::None : DecodeError::BadValue;
    if (out.header.type == TF_RECORD_SETTINGS) // of no socket, and so in no state
        return out.header.old_state == 0 && out.header.new_state == 0 ? DecodeError::None : DecodeError::BadState;
    if (out.header.type == TF_RECORD_CGROUP) // likewise
        return out.header.old_state == 0 && out.header.new_state == 0 ? check_cgroup(out.cgroup)
                                                                      : DecodeError::BadState;
    if (auto error = check_states(out.header); error != DecodeError::None)
        return error;
    if (auto error = check_body(out); error != DecodeError::None)
        return error;
    return out.has(TF_FLAG_IDENTITY) ? check_identity(out.identity) : DecodeError::None;
}

} // namespace tcpflight

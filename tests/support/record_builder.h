// Raw records, as the kernel would send them.
#pragma once

#include "tcpflight/records.h"

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace tcpflight::test {

// Builds one record. Times are in microseconds since the boot, so that tests read easily.
class RecordBuilder {
public:
    static RecordBuilder state(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t from, std::uint8_t to)
    {
        RecordBuilder builder;
        builder.header_ = {.time_ns = time_us * 1000,
                           .cookie = cookie,
                           .type = TF_RECORD_STATE,
                           .flags = 0,
                           .local_port = 40000,
                           .old_state = from,
                           .new_state = to,
                           .error = 0};
        return builder;
    }

    static RecordBuilder refused(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t from, std::uint8_t to)
    {
        auto builder = state(cookie, time_us, from, to);
        builder.header_.type = TF_RECORD_REFUSED;
        return builder;
    }

    static RecordBuilder retransmit(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                                    std::uint32_t seq, std::uint32_t end_seq, std::uint16_t tcp_flags)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_RETRANSMIT;
        builder.retransmission_ = tf_retransmission{};
        builder.retransmission_->seq = seq;
        builder.retransmission_->end_seq = end_seq;
        builder.retransmission_->snd_una = seq;
        builder.retransmission_->tcp_flags = tcp_flags;
        builder.retransmission_->rto_max_ms = 120'000;
        builder.retransmission_->max_retries = 15;
        return std::move(builder).metrics(plain_metrics());
    }

    static RecordBuilder congestion(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                                    std::uint8_t from, std::uint8_t to)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_CONGESTION;
        builder.congestion_ = tf_congestion{.old_state = from, .new_state = to, .reserved = {}};
        return std::move(builder).metrics(plain_metrics());
    }

    static RecordBuilder probe(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                               const tf_probe &probe)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_PROBE;
        builder.probe_ = probe;
        return builder;
    }

    static RecordBuilder settings(std::uint64_t time_us, const tf_settings &settings)
    {
        auto builder = state(0, time_us, 0, 0);
        builder.header_.type = TF_RECORD_SETTINGS;
        builder.settings_ = settings;
        return builder;
    }

    static RecordBuilder usage(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                               const tf_usage &usage)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_USAGE;
        builder.usage_ = usage;
        return builder;
    }

    // In NEW_SYN_RECV, or, at its end, to CLOSE. The SYN-ACK went 100 us after `syn_us`; time-outs of 1 s, 5 retries.
    static RecordBuilder handshake(std::uint64_t cookie, std::uint64_t time_us, tf_handshake_step step,
                                   std::uint64_t syn_us, std::uint8_t bits = 0, std::uint8_t timeouts = 0)
    {
        constexpr std::uint8_t new_syn_recv = 12;
        constexpr std::uint8_t close_state = 7;
        auto builder = state(cookie, time_us, new_syn_recv, step == TF_HANDSHAKE_ENDED ? close_state : new_syn_recv);
        builder.header_.type = TF_RECORD_HANDSHAKE;
        builder.handshake_ = tf_handshake{.syn_ack_ns = step == TF_HANDSHAKE_SYN ? 0 : (syn_us + 100) * 1000,
                                          .timeout_us = 1'000'000,
                                          .rto_max_ms = 120'000,
                                          .step = static_cast<std::uint8_t>(step),
                                          .bits = bits,
                                          .timeouts = timeouts,
                                          .max_retries = 5,
                                          .retransmits = timeouts,
                                          .reserved = {}};
        return builder;
    }
    static RecordBuilder queue(std::uint64_t cookie, std::uint64_t time_us, const tf_queue &queue)
    {
        constexpr std::uint8_t listening = 10;
        auto builder = state(cookie, time_us, listening, listening);
        builder.header_.type = TF_RECORD_QUEUE;
        builder.queue_ = queue;
        return builder;
    }

    static RecordBuilder accept(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state, std::uint32_t pid,
                                std::string_view comm)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_ACCEPT;
        builder.header_.flags = TF_FLAG_OWNED;
        builder.accept_ = tf_accept{.pid = pid, .tid = pid + 1, .comm = {}};
        comm.copy(builder.accept_->comm, sizeof(builder.accept_->comm) - 1);
        return builder;
    }

    static RecordBuilder cgroup(std::uint64_t time_us, std::uint64_t id, std::uint32_t hierarchy, std::string_view path)
    {
        auto builder = state(0, time_us, 0, 0);
        builder.header_.type = TF_RECORD_CGROUP;
        builder.cgroup_ = tf_cgroup{.id = id, .hierarchy = hierarchy, .reserved = 0, .path = {}};
        path.copy(builder.cgroup_->path, sizeof(builder.cgroup_->path) - 1);
        return builder;
    }

    // Without a cookie: of a segment that belongs to no connection.
    static RecordBuilder reset(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                               tf_reset_direction direction, tf_reset_reason reason)
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_RESET;
        builder.reset_ = tf_reset{.kernel_reason = 0,
                                  .direction = static_cast<std::uint8_t>(direction),
                                  .reason = static_cast<std::uint8_t>(reason),
                                  .reserved = 0};
        return builder;
    }

    // From `time_us` on, for a moment or until `until_us`.
    static RecordBuilder lost(std::uint64_t time_us, std::uint64_t total, std::uint32_t cpu, std::uint64_t until_us = 0)
    {
        auto builder = state(0, time_us, 0, 0);
        builder.header_.type = TF_RECORD_LOST;
        builder.header_.local_port = 0;
        builder.loss_ = tf_loss{.total = total, .until_ns = until_us * 1000, .cpu = cpu, .reason = TF_LOSS_RING_FULL};
        return builder;
    }

    static RecordBuilder found(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                               const tf_socket &socket = {})
    {
        auto builder = state(cookie, time_us, in_state, in_state);
        builder.header_.type = TF_RECORD_FOUND;
        builder.socket_ = socket;
        return builder;
    }

    // What took a socket's place, in this state, is gone. 0: seen as it went.
    static RecordBuilder gone(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state, tf_gone_reason reason,
                              std::uint64_t after_us = 0, std::uint64_t by_us = 0)
    {
        constexpr std::uint8_t close = 7;
        auto builder = state(cookie, time_us, in_state, close);
        builder.header_.type = TF_RECORD_GONE;
        builder.header_.flags = TF_FLAG_TIME_WAIT_SOCKET;
        builder.gone_ = tf_gone{.after_ns = after_us * 1000,
                                .by_ns = by_us * 1000,
                                .reason = static_cast<std::uint8_t>(reason),
                                .reserved = {}};
        return builder;
    }
    // A socket is, and nobody knows why.
    static RecordBuilder gone_socket(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t in_state,
                                     std::uint64_t after_us, std::uint64_t by_us)
    {
        auto builder = gone(cookie, time_us, in_state, TF_GONE_UNKNOWN, after_us, by_us);
        builder.header_.flags = 0;
        return builder;
    }

    RecordBuilder flag(tf_record_flag flag) &&
    {
        header_.flags = static_cast<std::uint8_t>(header_.flags | flag);
        return std::move(*this);
    }
    RecordBuilder local_port(std::uint16_t port) &&
    {
        header_.local_port = port;
        return std::move(*this);
    }
    RecordBuilder error(std::uint16_t number) &&
    {
        header_.error = number;
        return std::move(*this);
    }
    // The state is that of what the kernel keeps in the socket's place.
    RecordBuilder left() &&
    {
        header_.flags |= TF_FLAG_TIME_WAIT_SOCKET;
        return std::move(*this);
    }
    RecordBuilder owned() &&
    {
        header_.flags |= TF_FLAG_OWNED;
        return std::move(*this);
    }
    RecordBuilder metrics(const tf_metrics &values) &&
    {
        header_.flags |= TF_FLAG_METRICS;
        metrics_ = values;
        return std::move(*this);
    }
    RecordBuilder acked(std::uint64_t bytes) &&
    {
        retransmission_->bytes_acked = bytes;
        return std::move(*this);
    }
    RecordBuilder send_error(std::int16_t negated_errno) &&
    {
        retransmission_->send_error = negated_errno;
        return std::move(*this);
    }

    // Of a change to ESTABLISHED.
    RecordBuilder waited(std::uint32_t waited_us) &&
    {
        header_.flags |= TF_FLAG_SYN_QUEUE;
        syn_queue_ = tf_syn_queue{.waited_us = waited_us, .reserved = 0};
        return std::move(*this);
    }

    // Of a retransmission: icsk_ca_state, icsk_pending, icsk_retransmits.
    RecordBuilder sender(std::uint8_t ca_state, std::uint8_t timer, std::uint8_t rto_count) &&
    {
        retransmission_->ca_state = ca_state;
        retransmission_->timer = timer;
        retransmission_->rto_count = rto_count;
        return std::move(*this);
    }
    RecordBuilder silent(std::uint32_t silent_us, std::uint32_t retrying_ms) &&
    {
        retransmission_->silent_us = silent_us;
        retransmission_->retrying_ms = retrying_ms;
        return std::move(*this);
    }

    // 127.0.0.1:`local` to 127.0.0.2:`remote`, owned by `comm`[`pid`].
    RecordBuilder identity(std::uint16_t local, std::uint16_t remote, std::uint32_t pid = 42,
                           std::string_view comm = "curl", tf_owner_source source = TF_OWNER_CONNECT) &&
    {
        tf_identity id{};
        id.local_addr[10] = id.local_addr[11] = id.remote_addr[10] = id.remote_addr[11] = 0xff;
        id.local_addr[12] = id.remote_addr[12] = 127;
        id.local_addr[15] = 1;
        id.remote_addr[15] = 2;
        id.netns = 4026531840;
        id.pid = id.tid = pid;
        id.local_port = local;
        id.remote_port = remote;
        id.family = AF_INET;
        id.owner_source = static_cast<std::uint8_t>(source);
        comm.copy(id.comm, sizeof(id.comm) - 1);
        header_.local_port = local;
        return std::move(*this).identity(id);
    }
    RecordBuilder identity(const tf_identity &id) &&
    {
        header_.flags |= TF_FLAG_IDENTITY;
        identity_ = id;
        return std::move(*this);
    }
    // Where the owner is that this record tells of.
    RecordBuilder place(const tf_owner_place &place) &&
    {
        header_.flags |= TF_FLAG_OWNER_PLACE;
        place_ = place;
        return std::move(*this);
    }

    // Of a socket's last change.
    RecordBuilder carried(std::uint64_t acked, std::uint64_t received) &&
    {
        header_.flags |= TF_FLAG_BYTES;
        bytes_ = tf_bytes{.acked = acked, .received = received};
        return std::move(*this);
    }

    RecordBuilder traffic(const tf_traffic &traffic) &&
    {
        header_.flags |= TF_FLAG_TRAFFIC;
        traffic_ = traffic;
        return std::move(*this);
    }

    [[nodiscard]] std::vector<std::byte> bytes() const
    {
        std::vector<std::byte> out;
        append(out, header_);
        append(out, retransmission_);
        append(out, loss_);
        append(out, accept_);
        append(out, reset_);
        append(out, socket_);
        append(out, congestion_);
        append(out, probe_);
        append(out, gone_);
        append(out, cgroup_);
        append(out, handshake_);
        append(out, queue_);
        append(out, settings_);
        append(out, usage_);
        append(out, syn_queue_);
        append(out, metrics_);
        append(out, identity_);
        append(out, place_);
        append(out, bytes_);
        append(out, traffic_);
        return out;
    }

private:
    static tf_metrics plain_metrics()
    {
        return {.rtt_us = 100,
                .rttvar_us = 50,
                .rto_us = 204000,
                .cwnd = 10,
                .ssthresh = 7,
                .send_queue = 1,
                .recv_queue = 0,
                .in_flight = 1};
    }

    template <typename T> static void append(std::vector<std::byte> &out, const T &block)
    {
        auto at = out.size();
        out.resize(at + sizeof(T));
        std::memcpy(out.data() + at, &block, sizeof(T));
    }
    template <typename T> static void append(std::vector<std::byte> &out, const std::optional<T> &block)
    {
        if (block)
            append(out, *block);
    }

    tf_header header_{};
    std::optional<tf_retransmission> retransmission_;
    std::optional<tf_loss> loss_;
    std::optional<tf_accept> accept_;
    std::optional<tf_reset> reset_;
    std::optional<tf_socket> socket_;
    std::optional<tf_congestion> congestion_;
    std::optional<tf_probe> probe_;
    std::optional<tf_gone> gone_;
    std::optional<tf_cgroup> cgroup_;
    std::optional<tf_handshake> handshake_;
    std::optional<tf_queue> queue_;
    std::optional<tf_settings> settings_;
    std::optional<tf_usage> usage_;
    std::optional<tf_syn_queue> syn_queue_;
    std::optional<tf_metrics> metrics_;
    std::optional<tf_identity> identity_;
    std::optional<tf_owner_place> place_;
    std::optional<tf_bytes> bytes_;
    std::optional<tf_traffic> traffic_;
};

} // namespace tcpflight::test

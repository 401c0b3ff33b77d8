#include "table/give_up.h"

#include "model/tcp_state.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace tcpflight {
namespace {

constexpr std::uint64_t us_per_ms = 1000;
constexpr std::uint64_t ns_per_us = 1000;
constexpr std::uint64_t rto_min_us = 200 * us_per_ms;      // TCP_RTO_MIN
constexpr std::uint64_t rto_initial_us = 1000 * us_per_ms; // TCP_TIMEOUT_INIT
constexpr unsigned orphan_retries = 8;                     // tcp_orphan_retries(), where the setting is 0
// What the timer wheel adds: its steps are an eighth to a sixty-fourth of the time, and it rounds up.
constexpr std::uint64_t slack_divisor = 32;

// tcp_model_timeout(): how long `boundary` doubled time-outs last together.
std::uint64_t model_timeout_us(unsigned boundary, std::uint64_t base_us, std::uint64_t max_us)
{
    const auto doublings = static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(max_us / base_us, 1))) - 1;
    if (boundary <= doublings)
        return ((2ULL << boundary) - 1) * base_us;
    return ((2ULL << doublings) - 1) * base_us + (boundary - doublings) * max_us;
}

// The connection's limits and where it stands, moved from one time-out to the next.
class Retrying {
public:
    Retrying(const tf_retransmission &record, TcpState state, std::uint32_t rto_us)
        : record_(record), max_us_(record.rto_max_ms * us_per_ms), connecting_(state == TcpState::SynSent),
          handshake_(connecting_ || state == TcpState::SynRecv), count_(record.rto_count), rto_us_(rto_us),
          elapsed_us_(record.retrying_ms * us_per_ms)
    {
    }

    // Until the next time-out expires.
    std::uint64_t wait()
    {
        if (!connecting_ || count_ > record_.syn_linear)
            rto_us_ = std::min(2 * rto_us_, max_us_);
        auto wait_us = rto_us_;
        if (user_timeout_us() != 0) // tcp_clamp_rto_to_user_timeout()
            wait_us = user_timeout_us() > elapsed_us_ ? std::min(wait_us, user_timeout_us() - elapsed_us_) : us_per_ms;
        wait_us += wait_us / slack_divisor;
        elapsed_us_ += wait_us;
        return wait_us;
    }

    [[nodiscard]] bool is_over() const
    {
        if (handshake_ && count_ >= max_retries() + (connecting_ ? record_.syn_linear : 0))
            return true;
        auto limit_us = user_timeout_us();
        if (limit_us == 0)
            limit_us = model_timeout_us(max_retries(), handshake_ ? rto_initial_us : rto_min_us, max_us_);
        return elapsed_us_ >= limit_us;
    }

    void send_again() { count_++; }

private:
    [[nodiscard]] std::uint64_t user_timeout_us() const { return record_.user_timeout_ms * us_per_ms; }
    [[nodiscard]] unsigned max_retries() const
    {
        const bool alive = rto_us_ < max_us_;
        if (record_.orphan != 0 && record_.max_retries == 0 && alive)
            return orphan_retries;
        return record_.max_retries;
    }

    const tf_retransmission &record_;
    std::uint64_t max_us_;
    bool connecting_;
    bool handshake_;
    unsigned count_;
    std::uint64_t rto_us_;
    std::uint64_t elapsed_us_; // since the first retransmission; of a connect, since that
};

} // namespace

std::optional<std::uint64_t> time_until_give_up_ns(const tf_retransmission &record, std::uint8_t state,
                                                   std::uint32_t rto_us)
{
    if (record.rto_max_ms == 0 || rto_us == 0)
        return std::nullopt;
    Retrying retrying(record, TcpState{state}, rto_us);
    std::uint64_t total_us = 0;
    // A setting has 255 retries at most, and a connect as many linear ones before.
    constexpr int more_than_any_setting = 1024;
    for (int i = 0; i < more_than_any_setting; i++) {
        total_us += retrying.wait();
        if (retrying.is_over())
            return total_us * ns_per_us;
        retrying.send_again();
    }
    return std::nullopt;
}

unsigned probe_limit(const tf_probe &probe)
{
    return probe.orphan != 0 && probe.max_unanswered == 0 ? orphan_retries : probe.max_unanswered;
}

namespace {

// From one probe to the next, the `n`th after this one (0: from this one): tcp_probe0_when().
std::uint64_t probe_wait_ms(const tf_probe &probe, unsigned n)
{
    if (probe.kind == TF_PROBE_KEEPALIVE)
        return probe.interval_ms;
    const auto doublings = std::min(probe.backoff + 1U + n, 32U);
    return std::min<std::uint64_t>(std::uint64_t{probe.interval_ms} << doublings, probe.interval_max_ms);
}

} // namespace

ProbeTimes probe_times(const tf_probe &probe)
{
    if (probe.interval_ms == 0)
        return {};
    const bool window = probe.kind == TF_PROBE_WINDOW;
    const auto spent_ms = window ? probe.closed_ms : probe.silent_ms;
    const auto sent = probe.unanswered + 1U;
    // TCP_USER_TIMEOUT takes the place of the number of keepalive probes.
    const bool counts = window || probe.user_timeout_ms == 0;
    std::optional<std::uint64_t> left_ms;
    if (probe.user_timeout_ms != 0)
        left_ms = probe.user_timeout_ms - std::min(spent_ms, probe.user_timeout_ms);

    ProbeTimes times;
    std::uint64_t total_ms = 0;
    for (unsigned n = 0; n <= std::numeric_limits<std::uint8_t>::max(); n++) {
        total_ms += probe_wait_ms(probe, n);
        if (window && left_ms) // tcp_clamp_probe0_to_user_timeout()
            total_ms = std::min(total_ms, std::max<std::uint64_t>(*left_ms, 1));
        if (n == 0)
            times.next_ns = total_ms * us_per_ms * ns_per_us;
        const bool out_of_probes = counts && sent + n >= probe_limit(probe);
        const bool out_of_time = left_ms && total_ms >= *left_ms;
        if (out_of_probes || out_of_time) {
            times.gives_up_ns = (total_ms + total_ms / slack_divisor) * us_per_ms * ns_per_us;
            break;
        }
    }
    return times;
}

} // namespace tcpflight

#include "top/order.h"

#include <algorithm>
#include <tuple>

namespace tcpflight {
namespace {

auto local_order(const Row &row)
{
    const auto &id = row.identity;
    return std::tie(id.local.port, id.local.address.bytes, id.remote.address.bytes, id.remote.port, id.netns,
                    row.connection);
}

auto remote_order(const Row &row)
{
    const auto &id = row.identity;
    return std::tie(id.remote.address.bytes, id.remote.port);
}

auto process_order(const Row &row)
{
    const auto &owner = row.identity.owner;
    return std::tuple(!owner.is_known(), owner.comm_view(), owner.pid);
}

// Alarms first, and of what is over, what was not as it should be.
int rank(const Row &row)
{
    enum : std::uint8_t { Alarm, EndedWithAlarm, Alive, EndedWithNotice, Ended };
    if (row.is_alarm())
        return row.has_ended() ? EndedWithAlarm : Alarm;
    if (!row.has_ended())
        return Alive;
    return row.verdict && severity_of(*row.verdict) == Severity::Notice ? EndedWithNotice : Ended;
}

bool before(TopKey key, const Row &a, const Row &b, std::uint64_t now_ns)
{
    switch (key) {
    case TopKey::Verdict: return std::tuple(rank(a), b.last_ns) < std::tuple(rank(b), a.last_ns);
    case TopKey::State: return shown_state(a.state) < shown_state(b.state);
    case TopKey::InState: return a.in_state_ns(now_ns) > b.in_state_ns(now_ns);
    case TopKey::Age: return a.age_ns(now_ns) > b.age_ns(now_ns);
    case TopKey::Retransmits: return a.retransmits > b.retransmits;
    case TopKey::Rtt: return a.rtt_us > b.rtt_us;
    case TopKey::Local: return false; // the order of what is equal
    case TopKey::Remote: return remote_order(a) < remote_order(b);
    case TopKey::Process: return process_order(a) < process_order(b);
    case TopKey::Last: break;
    }
    return a.last_ns > b.last_ns;
}

} // namespace

void sort_rows(std::span<const Row> rows, TopKey key, bool reversed, std::uint64_t now_ns,
               std::vector<std::uint32_t> &chosen)
{
    std::sort(chosen.begin(), chosen.end(), [&](std::uint32_t left, std::uint32_t right) {
        const auto &a = rows[reversed ? right : left];
        const auto &b = rows[reversed ? left : right];
        if (before(key, a, b, now_ns))
            return true;
        if (before(key, b, a, now_ns))
            return false;
        const bool by_ends = reversed && key == TopKey::Local;
        return by_ends ? local_order(a) < local_order(b) : local_order(rows[left]) < local_order(rows[right]);
    });
}

} // namespace tcpflight

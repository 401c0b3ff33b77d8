#include "table/usage.h"

#include "decode/decode.h"
#include "table/convert.h"

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// Who takes ports from whom: connect(2) needs one that no other connection between the same addresses to the same port
// has, also in TIME_WAIT.
struct Route {
    std::array<std::uint8_t, 16> local{};
    std::array<std::uint8_t, 16> remote{};
    std::uint32_t netns = 0;
    std::uint32_t remote_port = 0;

    bool operator==(const Route &) const = default;
};

struct RouteHash {
    std::size_t operator()(const Route &route) const
    {
        return std::hash<std::string_view>{}({reinterpret_cast<const char *>(&route), sizeof(route)});
    }
};

struct Taken {
    std::uint32_t count = 0;
    std::uint64_t connection = 0;      // one of them: rather one that is alive, which has an owner
    const std::byte *record = nullptr; // its tf_identity, in the look
    bool time_wait = true;

    void add(const tf_header &header, const std::byte *identity)
    {
        count++;
        const bool is_time_wait = (header.flags & TF_FLAG_TIME_WAIT_SOCKET) != 0;
        if (record != nullptr && (is_time_wait || !time_wait))
            return;
        connection = header.cookie;
        record = identity;
        time_wait = is_time_wait;
    }
};

const NetnsLimits *limits_of(const Look &look, std::uint32_t netns)
{
    for (const auto &limits : look.limits) {
        if (limits.settings.netns == netns)
            return &limits;
    }
    return nullptr;
}

template <typename T> void append_bytes(std::vector<std::byte> &out, const T &block)
{
    const auto bytes = std::as_bytes(std::span(&block, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

bool is_much(std::uint32_t taken, std::uint32_t at_most)
{
    return at_most != 0 && taken >= at_most / 2;
}

Usage to_usage(Usage::Kind kind, const Taken &taken, std::uint32_t at_most)
{
    tf_identity raw{};
    std::memcpy(&raw, taken.record, sizeof(raw));
    return {.kind = kind,
            .connection = taken.connection,
            .identity = to_identity(raw),
            .taken = taken.count,
            .at_most = at_most};
}

void append(std::vector<std::byte> &out, const Usage &usage, std::uint64_t now_ns)
{
    const bool is_port = usage.kind == Usage::Kind::Ports;
    const auto state = static_cast<std::uint8_t>(is_port ? TcpState::Established : TcpState::TimeWait);
    tf_header header{};
    header.time_ns = now_ns;
    header.cookie = usage.connection;
    header.type = TF_RECORD_USAGE;
    header.flags = TF_FLAG_IDENTITY;
    header.local_port = usage.identity.local.port;
    header.old_state = header.new_state = state;
    tf_usage taken{};
    taken.taken = usage.taken;
    taken.at_most = usage.at_most;
    taken.kind = is_port ? TF_USAGE_PORTS : TF_USAGE_TIME_WAITS;
    append_bytes(out, header);
    append_bytes(out, taken);
    append_bytes(out, to_raw(usage.identity));
}

class Counter {
public:
    explicit Counter(const Look &look) : look_(look) {}

    void add(std::span<const std::byte> record, const tf_header &header)
    {
        const auto *at = record.data() + record.size() - sizeof(tf_identity) -
                         ((header.flags & TF_FLAG_OWNER_PLACE) != 0 ? sizeof(tf_owner_place) : 0);
        tf_identity raw{};
        std::memcpy(&raw, at, sizeof(raw));
        if (limits_ == nullptr || limits_->settings.netns != raw.netns)
            limits_ = limits_of(look_, raw.netns);
        if (limits_ == nullptr)
            return;
        if ((header.flags & TF_FLAG_TIME_WAIT_SOCKET) != 0)
            time_waits_[raw.netns].add(header, at);
        if (raw.remote_port == 0 || !limits_->ports.contains(raw.local_port))
            return;
        Route route{.local = {}, .remote = {}, .netns = raw.netns, .remote_port = raw.remote_port};
        std::memcpy(route.local.data(), raw.local_addr, route.local.size());
        std::memcpy(route.remote.data(), raw.remote_addr, route.remote.size());
        routes_[route].add(header, at);
    }

    [[nodiscard]] std::vector<Usage> much() const
    {
        std::vector<Usage> usage;
        for (const auto &[route, taken] : routes_) {
            const auto ports = limits_of(look_, route.netns)->ports.count();
            if (is_much(taken.count, ports))
                usage.push_back(to_usage(Usage::Kind::Ports, taken, ports));
        }
        for (const auto &[netns, taken] : time_waits_) {
            const auto at_most = limits_of(look_, netns)->settings.time_waits;
            if (is_much(taken.count, at_most))
                usage.push_back(to_usage(Usage::Kind::TimeWaits, taken, at_most));
        }
        return usage;
    }

private:
    const Look &look_;
    const NetnsLimits *limits_ = nullptr; // of the last socket's namespace
    tsl::robin_map<Route, Taken, RouteHash> routes_;
    tsl::robin_map<std::uint32_t, Taken> time_waits_; // by namespace
};

} // namespace

std::vector<Usage> count_usage(const Look &look, Meanwhile &meanwhile)
{
    Counter counter(look);
    std::span<const std::byte> rest = look.records;
    for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
        meanwhile.step();
        tf_header header{};
        std::memcpy(&header, rest.data(), sizeof(header));
        if (header.type == TF_RECORD_FOUND && (header.flags & TF_FLAG_IDENTITY) != 0)
            counter.add(rest.first(size), header);
    }
    return counter.much();
}

std::vector<std::byte> UsageTeller::tell(const Look &look, std::uint64_t now_ns, Meanwhile &meanwhile)
{
    std::vector<std::byte> out;
    std::map<UsageKey, Usage> told;
    for (const auto &usage : count_usage(look, meanwhile)) {
        append(out, usage, now_ns);
        told[key_of(usage)] = usage;
    }
    for (auto &[key, usage] : told_) {
        if (told.contains(key))
            continue;
        usage.taken = 0;
        append(out, usage, now_ns);
    }
    told_ = std::move(told);
    return out;
}

} // namespace tcpflight

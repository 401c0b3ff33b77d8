// The family "pressure": what is too much for a listener, or for the way to a part of the network; and
// processes that begin too many connections. Each is said once,
// and again when it has become ten times as much.
#pragma once

#include "diagnose/thresholds.h"
#include "model/event.h"

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace tcpflight {

class Pressure {
public:
    explicit Pressure(const Thresholds &thresholds) : thresholds_(thresholds) {}

    // A listener had no room.
    std::optional<Verdict> judge(std::uint64_t listener, const ListenQueue &queue);
    // A segment to `remote` was sent again, at `time_ns`.
    std::optional<Verdict> judge(std::uint64_t connection, const Address &remote, const Retransmit &retransmit,
                                 std::uint64_t time_ns);
    // A connection that process `pid` began has ended after less than a second, at `time_ns`.
    std::optional<Verdict> judge_short(std::uint32_t pid, std::uint64_t time_ns, const Thresholds &thresholds);
    // A connection to `remote` has sent so many segments, `repeated` of them again because they were lost: one that has
    // ended, in its life, or one that is alive and loses much, while it was watched.
    std::optional<Verdict> judge_path(const Address &remote, std::uint32_t sent, std::uint32_t repeated,
                                      std::uint64_t time_ns);
    void clear();

    static constexpr std::uint64_t short_ns = 1'000'000'000;
    static constexpr std::uint64_t storm_ns = 10'000'000'000;
    // Fewer that lose something say nothing of the way there.
    static constexpr std::uint32_t least_lossy = 3;
    // Listeners, subnets, processes, hosts; when there are more, all are forgotten.
    static constexpr std::size_t capacity = 4096;

private:
    struct Listener {
        std::uint64_t dropped = 0; // in all
        std::uint64_t said = 0;    // of these, when it was said last
        bool said_cookies = false;
    };
    struct Subnet {
        std::uint64_t begun_ns = 0;
        std::uint32_t said = 0; // connections
        tsl::robin_set<std::uint64_t> connections;
    };

    struct Churn {
        std::uint64_t begun_ns = 0;
        std::uint32_t count = 0; // connections
        std::uint32_t said = 0;
    };

    struct Path {
        std::uint64_t begun_ns = 0; // the first connection that had lost something
        std::uint64_t sent = 0;     // segments
        std::uint64_t repeated = 0;
        std::uint32_t lossy = 0; // connections
        bool said = false;       // in these ten seconds, or in those before, and it goes on
    };
    struct AddressHash {
        std::size_t operator()(const Address &address) const
        {
            return std::hash<std::string_view>{}(
                {reinterpret_cast<const char *>(address.bytes.data()), address.bytes.size()});
        }
    };

    [[nodiscard]] bool is_bad(const Path &path) const;

    Thresholds thresholds_;
    tsl::robin_map<Address, Path, AddressHash> paths_;  // by the other end's host
    tsl::robin_map<std::uint32_t, Churn> processes_;    // by pid
    tsl::robin_map<std::uint64_t, Listener> listeners_; // by cookie
    tsl::robin_map<std::uint64_t, Subnet> subnets_;     // by the network part of the address
};

} // namespace tcpflight

#include "app/sweeps.h"

#include "decode/decode.h"
#include "model/clock.h"
#include "model/tcp_state.h"
#include "tcpflight/records.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace tcpflight {
namespace {

// A look takes its time where there are many sockets: of a CPU no more than one part in so many. How long it waits for
// one does not count.
constexpr std::uint64_t share_of_cpu = 100;

bool shows_listeners_at_most(const Look &look)
{
    std::span<const std::byte> rest = look.records;
    for (std::size_t size = 0; (size = first_record_size(rest)) != 0; rest = rest.subspan(size)) {
        tf_header header{};
        std::memcpy(&header, rest.data(), sizeof(header));
        if (TcpState{header.new_state} != TcpState::Listen)
            return false;
    }
    return true;
}

} // namespace

void Sweeps::want(bool wanted)
{
    if (!wanted)
        due_ns_.reset();
    else if (!due_ns_ && !under_way_)
        due_ns_ = boot_now_ns() + std::max(period_ns_, rest_ns_);
}

Result<void> Sweeps::tick(std::uint64_t consumed)
{
    if (!due_ns_ || *due_ns_ > boot_now_ns())
        return {};
    due_ns_.reset();
    under_way_ = true;
    asked_at_ = consumed;
    return sweeper_.ask();
}

Result<bool> Sweeps::collect()
{
    auto look = sweeper_.collect();
    if (!look)
        return tl::unexpected(look.error());
    if (!*look)
        return false;
    look_ = std::move(**look);
    rest_ns_ = look_->cpu_ns * (share_of_cpu - 1);
    return true;
}

std::optional<std::vector<std::byte>> Sweeps::compare(const Table &table, std::uint64_t until_ns,
                                                      std::uint64_t consumed, Meanwhile &meanwhile)
{
    if (!look_ || until_ns < look_->end_ns)
        return std::nullopt;
    auto records = settings_.tell(*look_, until_ns); // by which the others are judged
    const auto absent = absences_.compare(table, *look_, until_ns, meanwhile);
    records.insert(records.end(), absent.begin(), absent.end());
    const auto waiting = waiting_.find(table, *look_, until_ns, meanwhile);
    records.insert(records.end(), waiting.begin(), waiting.end());
    const auto usage = usage_.tell(*look_, until_ns, meanwhile);
    records.insert(records.end(), usage.begin(), usage.end());
    still_at_.reset();
    if (consumed == asked_at_ && shows_listeners_at_most(*look_))
        still_at_ = consumed;
    look_.reset();
    under_way_ = false;
    return records;
}

} // namespace tcpflight

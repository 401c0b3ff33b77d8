#include "recording/summary.h"

#include "tcpflight/records.h"

#include <tsl/robin_set.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t max_damages = 1000;
constexpr std::size_t max_clocks = 1000;
constexpr std::size_t max_connections = std::size_t{1} << 25; // counted one by one; beyond that no further

class Counter : public RecordingConsumer {
public:
    explicit Counter(Summary &summary) : summary_(summary)
    {
        std::iota(counted_lately_.begin(), counted_lately_.end(), 1); // none: they would stand elsewhere
    }

    bool record(std::span<const std::byte> bytes) override
    {
        tf_header header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.type == TF_RECORD_LOST && bytes.size() == sizeof(header) + sizeof(tf_loss)) {
            count_loss(bytes);
            return true;
        }
        summary_.records++;
        summary_.by_type.at(header.type)++;
        summary_.first_ns =
            summary_.first_ns == 0 ? header.time_ns : std::min<std::uint64_t>(summary_.first_ns, header.time_ns);
        summary_.last_ns = std::max<std::uint64_t>(summary_.last_ns, header.time_ns);
        count_connection(header.cookie);
        return true;
    }
    void clock(const ClockAnchor &anchor) override
    {
        if (summary_.clocks.size() < max_clocks)
            summary_.clocks.push_back(anchor);
    }
    void entry_point(const EntryPoint &entry) override
    {
        if (entry.why != EntryPoint::Why::Start)
            return;
        summary_.alive_at_start = entry.connections.size();
        for (const auto &told : entry.gaps.told)
            told_[{told.cpu, told.reason}] = told.total;
    }
    void damage(const Damage &damage) override
    {
        summary_.damage_count++;
        if (summary_.damages.size() < max_damages)
            summary_.damages.push_back(damage);
    }

    [[nodiscard]] std::uint64_t connections() const { return cookies_.size(); }

private:
    // A connection is told of several times within microseconds.
    void count_connection(std::uint64_t cookie)
    {
        auto &counted = counted_lately_[cookie % counted_lately_.size()];
        if (counted == cookie || cookies_.size() >= max_connections)
            return;
        counted = cookie;
        cookies_.insert(cookie);
    }

    void count_loss(std::span<const std::byte> bytes)
    {
        tf_loss loss{};
        std::memcpy(&loss, bytes.data() + sizeof(tf_header), sizeof(loss));
        auto &told = told_[{loss.cpu, loss.reason}];
        if (loss.total > told) {
            summary_.lost[loss.reason] += loss.total - told;
            told = loss.total;
        }
    }

    Summary &summary_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> told_; // (cpu, reason) > total
    tsl::robin_set<std::uint64_t> cookies_;
    std::array<std::uint64_t, 1024> counted_lately_{}; // by the cookie's remainder
};

} // namespace

Result<Summary> summarize(std::unique_ptr<InputFile> file, std::string_view name)
{
    Summary summary;
    auto reader = RecordingReader::open(std::move(file), name);
    if (!reader)
        return tl::unexpected(reader.error());
    summary.start = reader->start();
    Counter counter(summary);
    for (;;) {
        auto step = reader->read(counter);
        if (!step)
            return tl::unexpected(step.error());
        if (*step == RecordingReader::Step::More)
            continue;
        summary.finished = *step == RecordingReader::Step::Finished;
        break;
    }
    if (!summary.finished) {
        if (auto whole = reader->close(counter); !whole)
            return tl::unexpected(whole.error());
    }
    summary.bytes = reader->offset();
    summary.connections = counter.connections();
    summary.unknown = reader->unknown();
    return summary;
}

} // namespace tcpflight

#include "recording/summary.h"

#include "tcpflight/records.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t max_damages = 1000;

class Counter : public RecordingConsumer {
public:
    explicit Counter(Summary &summary) : summary_(summary) {}

    bool record(std::span<const std::byte> bytes) override
    {
        tf_header header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.type == TF_RECORD_LOST && bytes.size() == sizeof(header) + sizeof(tf_loss)) {
            tf_loss loss{};
            std::memcpy(&loss, bytes.data() + sizeof(header), sizeof(loss));
            count_loss(loss);
            if (loss.reason == TF_LOSS_DAMAGED)
                return true; // made by the reader: not in the file
        } else {
            connections_.insert(header.cookie);
        }
        summary_.first_ns = summary_.records == 0 ? header.time_ns : std::min<std::uint64_t>(summary_.first_ns, header.time_ns);
        summary_.last_ns = std::max<std::uint64_t>(summary_.last_ns, header.time_ns);
        summary_.records++;
        summary_.by_type.at(header.type)++;
        return true;
    }
    void clock(const ClockAnchor &anchor) override { summary_.clocks.push_back(anchor); }
    void entry_point(const EntryPoint &entry) override
    {
        // What was lost before this file, or is told in what is missing of it, is not this file's.
        for (const auto &told : entry.gaps.told)
            told_[{told.cpu, told.reason}] = told.total;
        if (entry.why == EntryPoint::Why::Start)
            summary_.alive_at_start = entry.connections.size();
    }
    void damage(const Damage &damage) override
    {
        if (summary_.damages.size() < max_damages)
            summary_.damages.push_back(damage);
        summary_.damage_count++;
    }

    [[nodiscard]] std::uint64_t connections() const { return connections_.size(); }

private:
    void count_loss(const tf_loss &loss)
    {
        auto &told = told_[{loss.cpu, loss.reason}];
        if (loss.total > told)
            summary_.lost[loss.reason] += loss.total - std::exchange(told, loss.total);
    }

    Summary &summary_;
    std::unordered_set<std::uint64_t> connections_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> told_; // (cpu, reason) > tf_loss::total
};

} // namespace

Result<Summary> summarize(std::unique_ptr<InputFile> file, std::string name)
{
    auto reader = RecordingReader::open(std::move(file), std::move(name));
    if (!reader)
        return tl::unexpected(reader.error());
    Summary summary;
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
    if (auto closed = reader->close(counter); !closed)
        return tl::unexpected(closed.error());
    summary.bytes = reader->offset();
    summary.connections = counter.connections();
    summary.unknown = reader->unknown();
    return summary;
}

} // namespace tcpflight

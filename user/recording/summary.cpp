#include "recording/summary.h"

#include "model/slots.h"
#include "tcpflight/records.h"

#include <tsl/robin_map.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t max_damages = 1000;
constexpr std::size_t max_clocks = 1000;

// How many numbers there are, where most come in bundles: the kernel hands them out to each CPU by the thousands. A bit
// for each in a cache line of them; at most half a gigabyte of these, and no number of a further one is counted.
class NumberCount {
public:
    void add(std::uint64_t number)
    {
        auto *line = line_of(number / line_bits);
        if (line == nullptr)
            return;
        auto &word = (*line)[number % line_bits / word_bits];
        const auto bit = std::uint64_t{1} << number % word_bits;
        count_ += (word & bit) == 0 ? 1 : 0;
        word |= bit;
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }

private:
    static constexpr std::size_t line_bits = 512;
    static constexpr std::size_t word_bits = 64;
    static constexpr std::size_t max_lines = std::size_t{1} << 23;
    using Line = std::array<std::uint64_t, line_bits / word_bits>;

    // nullptr: there are too many.
    Line *line_of(std::uint64_t name)
    {
        auto &[lately, line] = lately_[name % lately_.size()];
        if (line != nullptr && lately == name)
            return line;
        auto found = numbers_.find(name);
        if (found == numbers_.end()) {
            if (lines_.size() >= max_lines)
                return nullptr;
            found = numbers_.emplace(name, static_cast<std::uint32_t>(lines_.size())).first;
            lines_.add();
        }
        lately = name;
        line = &lines_[found->second];
        return line;
    }

    struct Hash {
        std::size_t operator()(std::uint64_t name) const { return (name * 0x9e3779b97f4a7c15U) >> 32; }
    };

    Slots<Line> lines_;
    tsl::robin_map<std::uint64_t, std::uint32_t, Hash> numbers_; // of lines
    std::array<std::pair<std::uint64_t, Line *>, 256> lately_{}; // by the name's remainder
    std::uint64_t count_ = 0;
};

class Counter : public RecordingConsumer {
public:
    explicit Counter(Summary &summary) : summary_(summary) {}

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
        connections_.add(header.cookie);
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

    [[nodiscard]] std::uint64_t connections() const { return connections_.count(); }

private:
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
    NumberCount connections_;                                               // by their cookies
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

#include "source/live_source.h"

#include "decode/decode.h"
#include "model/meanwhile.h"
#include "source/loss_record.h"
#include "tcpflight/control.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>

namespace tcpflight {
namespace {

// Memory of a stream that is kept although it is empty.
constexpr std::size_t kept_bytes = std::size_t{1} << 20;

std::uint64_t stamp(std::span<const std::byte> record)
{
    std::uint64_t time_ns = 0;
    static_assert(offsetof(tf_header, time_ns) == 0);
    std::memcpy(&time_ns, record.data(), sizeof(time_ns));
    return time_ns;
}

template <typename T> T load(const T &shared)
{
    return __atomic_load_n(&shared, __ATOMIC_ACQUIRE);
}

} // namespace

class LiveSource::Items : public RecordConsumer {
public:
    explicit Items(LiveSource &source) : source_(source) {}
    bool consume(std::span<const std::byte> item) override
    {
        source_.take_item(item);
        return true;
    }

private:
    LiveSource &source_;
};

void LiveSource::Stream::append(std::span<const std::byte> records)
{
    // What was handed over goes; if little is left behind it, also by moving that.
    if (head > bytes.size() / 2) {
        bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head));
        head = 0;
    }
    bytes.insert(bytes.end(), records.begin(), records.end());
}

// After a burst.
void LiveSource::Stream::give_back()
{
    if (is_empty() && bytes.capacity() > kept_bytes) {
        std::vector<std::byte>().swap(bytes);
        head = 0;
    }
}

Result<LiveSource> LiveSource::open(const Channel &channel)
{
    auto ring = RingReader::open(channel.ring_fd, channel.ring_bytes);
    if (!ring)
        return tl::unexpected(ring.error());
    return LiveSource(std::move(*ring), channel);
}

LiveSource::LiveSource(RingReader ring, const Channel &channel)
    : ring_(std::move(ring)), channel_(channel), streams_(2 * channel.stages.size() + 1),
      losses_told_(channel.stages.size())
{
}

bool LiveSource::read(std::uint64_t until_ns, RecordConsumer &consumer)
{
    held_up_ = !collect();
    if (!held_up_ || until_ns == everything)
        settled_ns_ = std::max(settled_ns_, until_ns);
    const bool more = merge(std::min(until_ns, settled_ns_), consumer);
    for (auto &stream : streams_)
        stream.give_back();
    return more;
}

void LiveSource::take_aside()
{
    std::size_t taken = 0;
    for (const auto &stream : streams_)
        taken += stream.bytes.size() - stream.head;
    if (taken < aside_times * channel_.ring_bytes)
        collect();
}

void LiveSource::add(std::vector<std::byte> records)
{
    Stream added;
    added.bytes = std::move(records);
    streams_.push_back(std::move(added));
}

bool LiveSource::has_rest() const
{
    return held_up_ ||
           std::any_of(streams_.begin(), streams_.end(), [](const Stream &stream) { return !stream.is_empty(); });
}

// NOLINTNEXTLINE(readability-make-member-function-const): what it changes is merely not in here
void LiveSource::set_asleep(bool asleep)
{
    __atomic_store_n(channel_.asleep, asleep ? 1U : 0U, __ATOMIC_SEQ_CST);
}

// False: something is still being written, and what was written after it may have been found without it.
bool LiveSource::collect()
{
    Items items(*this);
    // Nobody sleeps in the middle of a record, but a virtual CPU can be taken away there.
    constexpr int patience = 16;
    ring_.drain(items);
    for (int tries = 0; tries < patience && ring_.is_held_up(); tries++)
        ring_.drain(items);
    bool complete = !ring_.is_held_up();
    for (std::size_t cpu = 0; cpu < channel_.stages.size(); cpu++) {
        complete = collect_cpu(cpu, items) && complete;
        collect_loss(cpu);
    }
    return complete;
}

// A stage that was emptied in the middle has put its records into the ring. A CPU that does so again and again is left
// to the next read: false.
bool LiveSource::collect_cpu(std::size_t cpu, RecordConsumer &items)
{
    constexpr int patience = 8;
    for (int tries = 0; tries < patience; tries++) {
        if (collect_stage(channel_.stages[cpu], streams_[cpu]))
            return true;
        ring_.drain(items);
    }
    return false;
}

void LiveSource::collect_loss(std::size_t cpu)
{
    auto &stage = channel_.stages[cpu];
    auto total = load(stage.ring_full);
    if (total == losses_told_[cpu])
        return;
    losses_told_[cpu] = total;
    const tf_loss loss{.total = total,
                       .until_ns = load(stage.lost_until),
                       .cpu = static_cast<std::uint32_t>(cpu),
                       .reason = TF_LOSS_RING_FULL};
    auto since = __atomic_exchange_n(&stage.lost_since, 0, __ATOMIC_SEQ_CST);
    if (since == 0) // lost while the last total was read: its time went with that
        since = loss.until_ns;
    // Each CPU's in a stream of its own: they are found in the order of CPUs, and not of time.
    streams_[channel_.stages.size() + 1 + cpu].append(LossRecord(since, loss).bytes());
}

// False: look into the ring first.
bool LiveSource::collect_stage(const tf_stage &stage, Stream &stream)
{
    auto flushed = load(stage.flushed);
    if (flushed > stream.position)
        return false;
    std::uint64_t used = std::min<std::uint64_t>(load(stage.used), sizeof(stage.data));
    if (flushed + used <= stream.position)
        return true;

    auto from = stream.position - flushed;
    auto size = used - from;
    stream.append(std::as_bytes(std::span(stage.data)).subspan(from, size));
    // Was it emptied, and perhaps written to again, while we copied? Then the copy is worth nothing.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (load(stage.flushed) != flushed) {
        stream.bytes.resize(stream.bytes.size() - size);
        return false;
    }
    stream.position += size;
    return true;
}

void LiveSource::take_item(std::span<const std::byte> item)
{
    if (item.size() < sizeof(tf_header))
        return; // it woke us, and has nothing more to say
    if (item[offsetof(tf_header, type)] != std::byte{TF_ITEM_BATCH}) {
        streams_[channel_.stages.size()].append(item);
        return;
    }
    std::uint64_t flushed = 0;
    std::uint16_t cpu = 0;
    if (item.size() < TF_STAGE_HEADER) {
        damaged_++;
        return;
    }
    std::memcpy(&flushed, item.data() + offsetof(tf_stage, flushed), sizeof(flushed));
    std::memcpy(&cpu, item.data() + offsetof(tf_stage, cpu), sizeof(cpu));
    auto records = item.subspan(TF_STAGE_HEADER);
    if (cpu >= channel_.stages.size() || flushed > streams_[cpu].position) {
        damaged_++;
        return;
    }
    auto &stream = streams_[cpu];
    auto known = stream.position - flushed; // read from the stage already
    if (known >= records.size())
        return;
    stream.append(records.subspan(known));
    stream.position = flushed + records.size();
}

// Of the record at the head; 0, and the stream emptied, if there is no whole one.
std::size_t LiveSource::record_size(Stream &stream)
{
    auto rest = stream.rest();
    if (rest.empty())
        return 0;
    if (auto size = first_record_size(rest); size != 0)
        return size;
    damaged_++;
    stream.head = stream.bytes.size();
    return 0;
}

bool LiveSource::merge(std::uint64_t until_ns, RecordConsumer &consumer)
{
    // Some ten times in what it takes to fill the ring. What comes is younger than `until_ns`: read() has found the
    // rest.
    Meanwhile meanwhile([this] { take_aside(); });
    heads_.clear();
    for (auto &stream : streams_) {
        if (record_size(stream) != 0)
            heads_.emplace_back(stamp(stream.rest()), &stream);
    }
    std::make_heap(heads_.begin(), heads_.end(), std::greater<>());
    while (!heads_.empty() && heads_.front().first <= until_ns) {
        auto *stream = heads_.front().second;
        // As long as this stream has the oldest record, no other one has to be looked at.
        const auto limit = std::min(until_ns, second_ns());
        std::size_t size = record_size(*stream);
        do {
            auto record = stream->rest().first(size);
            stream->head += size;
            if (!consumer.consume(record))
                return false;
            meanwhile.step();
            size = record_size(*stream);
        } while (size != 0 && stamp(stream->rest()) <= limit);
        if (size != 0) {
            heads_.front().first = stamp(stream->rest());
        } else {
            heads_.front() = heads_.back();
            heads_.pop_back();
        }
        sink_first();
    }
    return true;
}

// Of the oldest record but one; for ever: there is only one stream.
std::uint64_t LiveSource::second_ns() const
{
    std::uint64_t second = std::numeric_limits<std::uint64_t>::max();
    for (std::size_t child = 1; child < std::min<std::size_t>(heads_.size(), 3); child++)
        second = std::min(second, heads_[child].first);
    return second;
}

// To where it belongs in the heap. Streams take turns, so that this is done for nearly every record; taking it out and
// putting it in again would be twice the work.
void LiveSource::sink_first()
{
    for (std::size_t at = 0;;) {
        const auto left = 2 * at + 1;
        if (left >= heads_.size())
            return;
        const auto earlier = left + (left + 1 < heads_.size() && heads_[left + 1] < heads_[left] ? 1 : 0);
        if (heads_[at] <= heads_[earlier])
            return;
        std::swap(heads_[at], heads_[earlier]);
        at = earlier;
    }
}

} // namespace tcpflight

#include "recording/writer.h"

#include "recording/block.h"
#include "recording/known_block.h"
#include "recording/plain_blocks.h"
#include "recording/record_block.h"
#include "source/loss_record.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

constexpr std::uint64_t least_between_entries = std::uint64_t{512} << 10;
constexpr std::uint64_t entry_share = 20; // entry points take no more than one byte in so many
constexpr std::size_t max_pending = std::size_t{4} << 20;
constexpr std::uint64_t least_retry_ns = 100'000'000;
constexpr std::size_t max_index = 65536;

} // namespace

class RecordingWriter::Implementation {
public:
    Implementation(std::unique_ptr<OutputFile> file, const Settings &settings, const KnownSource &known);

    bool write(std::span<const std::byte> record);
    void set_clock(const ClockAnchor &anchor);
    void flush();
    [[nodiscard]] std::optional<std::uint64_t> flush_due_ns() const;
    IoResult<void> finish();

    [[nodiscard]] std::optional<int> trouble() const { return trouble_; }
    [[nodiscard]] Totals totals() const
    {
        return {.records = records_, .bytes = offset(), .lost = settings_.lost_before + lost_};
    }

private:
    struct Lost {
        std::uint64_t count = 0;
        std::uint64_t first_ns = 0;
        std::uint64_t last_ns = 0;
    };

    [[nodiscard]] std::uint64_t offset() const { return written_ + pending_.size(); }
    void count_losses(std::span<const std::byte> record);
    void close_block();
    void queue_records();
    void queue(BlockHeader header);
    void queue_plain(BlockKind kind);
    void queue_entry(std::uint8_t flags);
    void queue_known(KnownPacker &packer, std::uint8_t flags);
    void queue_entry_if_due();
    void keep_index_small();
    bool write_pending();
    void sync();
    void recover();

    std::unique_ptr<OutputFile> file_;
    Settings settings_;
    const KnownSource &known_;
    ClockAnchor clock_;

    RecordPacker packer_;
    BlockPacker blocks_;
    ByteBuffer payload_;
    ByteBuffer pending_;
    std::uint64_t pending_records_ = 0;
    std::uint64_t written_ = 0; // bytes
    bool synced_ = true;

    std::uint64_t records_ = 0; // taken, but for those of losses
    std::uint64_t stored_ = 0;  // in closed blocks
    std::uint64_t latest_ns_;
    std::optional<std::uint64_t> due_ns_;
    std::size_t block_loss_records_ = 0;                                    // in the open block
    std::uint64_t block_lost_ = 0;                                          // as the loss records in the open block say
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> told_; // (cpu, reason) > tf_loss::total

    std::vector<IndexItem> index_;
    std::uint64_t entry_offset_ = 0;
    std::uint64_t next_entry_ = 0; // bytes

    std::optional<int> trouble_;
    std::uint64_t retry_ns_ = 0;
    std::optional<Lost> dropped_; // since the disk has had no room
    std::uint64_t lost_ = 0;
};

RecordingWriter::Implementation::Implementation(std::unique_ptr<OutputFile> file, const Settings &settings,
                                                const KnownSource &known)
    : file_(std::move(file)), settings_(settings), known_(known), clock_(settings.start.clock),
      latest_ns_(settings.start.clock.boot_ns)
{
    auto header = make_file_header();
    pending_.append(std::as_bytes(std::span(&header, 1)));
    put_start(settings_.start, payload_);
    queue_plain(BlockKind::Start);
    queue_entry(0);
    write_pending();
}

bool RecordingWriter::Implementation::write(std::span<const std::byte> record)
{
    if (record.size() < sizeof(tf_header) || record.size() > RecordPacker::max_record_size)
        return false;
    if (!packer_.add(record)) {
        close_block();
        if (!trouble_ && write_pending())
            queue_entry_if_due();
        packer_.add(record);
    }
    if (record[offsetof(tf_header, type)] == std::byte{TF_RECORD_LOST})
        block_loss_records_++;
    else
        records_++;
    if (packer_.count() == 1 && !due_ns_)
        due_ns_ = packer_.first_ns() + settings_.flush_interval_ns;
    count_losses(record);
    return true;
}

void RecordingWriter::Implementation::count_losses(std::span<const std::byte> record)
{
    if (record[offsetof(tf_header, type)] != std::byte{TF_RECORD_LOST} ||
        record.size() != sizeof(tf_header) + sizeof(tf_loss))
        return;
    tf_loss loss{};
    std::memcpy(&loss, record.data() + sizeof(tf_header), sizeof(loss));
    auto &told = told_[{loss.cpu, loss.reason}];
    block_lost_ += loss.total - std::min<std::uint64_t>(told, loss.total);
    told = loss.total;
}

void RecordingWriter::Implementation::set_clock(const ClockAnchor &anchor)
{
    close_block();
    clock_ = anchor;
    if (dropped_)
        return; // the entry point behind the gap has it
    put_clock(anchor, payload_);
    queue_plain(BlockKind::Clock);
    if (!due_ns_)
        due_ns_ = anchor.boot_ns + settings_.flush_interval_ns;
}

void RecordingWriter::Implementation::flush()
{
    close_block();
    due_ns_.reset();
    if (write_pending()) {
        if (dropped_)
            recover();
        else
            queue_entry_if_due();
        write_pending();
    }
    sync();
    if (trouble_)
        retry_ns_ = boot_now_ns() + std::max(settings_.flush_interval_ns, least_retry_ns);
}

void RecordingWriter::Implementation::sync()
{
    if (std::exchange(synced_, true))
        return;
    if (auto synced = file_->sync(); !synced)
        trouble_ = synced.error();
}

std::optional<std::uint64_t> RecordingWriter::Implementation::flush_due_ns() const
{
    return trouble_ ? retry_ns_ : due_ns_;
}

IoResult<void> RecordingWriter::Implementation::finish()
{
    flush();
    if (pending_.empty() && !dropped_) {
        put_index(index_, payload_);
        queue_plain(BlockKind::End);
        if (write_pending())
            sync();
    }
    if (!trouble_)
        return {};
    lost_ += pending_records_;
    pending_.clear();
    return tl::unexpected<int>(*trouble_);
}

void RecordingWriter::Implementation::close_block()
{
    if (packer_.count() == 0)
        return;
    latest_ns_ = std::max(latest_ns_, packer_.last_ns());
    // What is kept is the oldest: in a row, so that there is one gap.
    if (trouble_ && !dropped_ && pending_.size() > max_pending)
        dropped_ = Lost{.first_ns = packer_.first_ns()};
    if (!dropped_) {
        queue_records();
        return;
    }
    auto events = packer_.count() - std::exchange(block_loss_records_, 0);
    dropped_->count += events;
    lost_ += events;
    dropped_->last_ns = latest_ns_;
    packer_.pack(payload_);
    payload_.clear();
    block_lost_ = 0;
}

void RecordingWriter::Implementation::queue_records()
{
    BlockHeader header{.kind = BlockKind::Records,
                       .count = static_cast<std::uint32_t>(packer_.count()),
                       .first_ns = packer_.first_ns(),
                       .last_ns = packer_.last_ns(),
                       .lost = std::exchange(block_lost_, 0)};
    packer_.pack(payload_);
    queue(header);
    stored_ += header.count;
    pending_records_ += header.count - std::exchange(block_loss_records_, 0);
}

// The payload, which is empty afterwards.
void RecordingWriter::Implementation::queue(BlockHeader header)
{
    header.first_record = stored_;
    header.entry_offset = entry_offset_;
    blocks_.pack(header, payload_.bytes(), pending_);
    payload_.clear();
}

void RecordingWriter::Implementation::queue_plain(BlockKind kind)
{
    queue({.kind = kind, .first_ns = latest_ns_, .last_ns = latest_ns_});
}

void RecordingWriter::Implementation::queue_entry(std::uint8_t flags)
{
    auto begin = offset();
    put_entry(clock_, known_.known_gaps(), known_.known_cgroups(), payload_);
    queue({.kind = BlockKind::Entry, .flags = flags, .first_ns = latest_ns_, .last_ns = latest_ns_});
    entry_offset_ = begin;
    index_.push_back(
        {.offset = begin, .time_ns = latest_ns_, .wall_ns = clock_.to_wall(latest_ns_), .first_record = stored_});
    keep_index_small();

    KnownPacker packer;
    known_.for_each_known([&](const KnownConnection &connection) {
        if (packer.count() == max_block_count)
            queue_known(packer, 0);
        packer.add(connection);
    });
    queue_known(packer, last_of_entry);
    auto size = offset() - begin;
    next_entry_ = offset() + std::max(least_between_entries, entry_share * size);
}

void RecordingWriter::Implementation::queue_known(KnownPacker &packer, std::uint8_t flags)
{
    auto count = static_cast<std::uint32_t>(packer.count());
    packer.pack(payload_);
    queue({.kind = BlockKind::Known, .flags = flags, .count = count, .first_ns = latest_ns_, .last_ns = latest_ns_});
}

void RecordingWriter::Implementation::queue_entry_if_due()
{
    if (offset() >= next_entry_)
        queue_entry(0);
}

void RecordingWriter::Implementation::keep_index_small()
{
    if (index_.size() <= max_index)
        return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < index_.size(); i += 2)
        index_[kept++] = index_[i];
    index_.resize(kept);
}

bool RecordingWriter::Implementation::write_pending()
{
    if (pending_.empty())
        return !trouble_;
    if (auto done = file_->append(pending_.bytes()); !done) {
        trouble_ = done.error();
        return false;
    }
    trouble_.reset();
    synced_ = false;
    written_ += pending_.size();
    pending_.clear();
    pending_records_ = 0;
    return true;
}

// There is room again: says what is missing here, and what a reader needs to go on behind it.
void RecordingWriter::Implementation::recover()
{
    const tf_loss loss{.total = settings_.lost_before + lost_,
                       .until_ns = dropped_->last_ns,
                       .cpu = any_cpu,
                       .reason = TF_LOSS_DISK_FULL};
    packer_.add(LossRecord(dropped_->first_ns, loss).bytes());
    block_loss_records_ = 1;
    block_lost_ = dropped_->count;
    dropped_.reset();
    queue_records();
    queue_entry(after_loss);
}

RecordingWriter::RecordingWriter(std::unique_ptr<OutputFile> file, const Settings &settings, const KnownSource &known)
    : implementation_(std::make_unique<Implementation>(std::move(file), settings, known))
{
}

RecordingWriter::RecordingWriter(RecordingWriter &&) noexcept = default;
RecordingWriter &RecordingWriter::operator=(RecordingWriter &&) noexcept = default;
RecordingWriter::~RecordingWriter() = default;

bool RecordingWriter::write(std::span<const std::byte> record)
{
    return implementation_->write(record);
}

void RecordingWriter::set_clock(const ClockAnchor &anchor)
{
    implementation_->set_clock(anchor);
}

void RecordingWriter::flush()
{
    implementation_->flush();
}

std::optional<std::uint64_t> RecordingWriter::flush_due_ns() const
{
    return implementation_->flush_due_ns();
}

IoResult<void> RecordingWriter::finish()
{
    return implementation_->finish();
}

std::optional<int> RecordingWriter::trouble() const
{
    return implementation_->trouble();
}

RecordingWriter::Totals RecordingWriter::totals() const
{
    return implementation_->totals();
}

} // namespace tcpflight

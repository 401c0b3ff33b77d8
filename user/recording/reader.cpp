#include "recording/reader.h"

#include "filter/quote.h"
#include "recording/block.h"
#include "recording/file_window.h"
#include "recording/index_search.h"
#include "recording/known_block.h"
#include "recording/plain_blocks.h"
#include "recording/record_block.h"
#include "source/loss_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint8_t known_flags = last_of_entry | after_loss;
constexpr std::size_t max_known = std::size_t{1} << 20; // as many as the table takes

Result<void> check(const FileHeader &header, const std::string &name)
{
    if (header.magic != FileHeader::file_magic)
        return failure(fmt::format("{} is not a recording of tcpflight", quote(name)));
    if (header.byte_order == 0xfffe)
        return failure(fmt::format("{} was recorded on a host of the other byte order: read it on one like that",
                                   quote(name)));
    if (header.version > FileHeader::current_version)
        return failure(fmt::format("{} is of version {} of the format: this tcpflight reads versions up to {}",
                                   quote(name), header.version, FileHeader::current_version));
    if (!is_sound(header))
        return failure(fmt::format("{} is damaged in its first 16 bytes", quote(name)));
    return {};
}

tl::unexpected<Error> cannot_read(const std::string &name, int error)
{
    return failure(fmt::format("cannot read {}: {}", quote(name), std::strerror(error)));
}

} // namespace

class RecordingReader::Implementation {
public:
    Implementation(std::unique_ptr<InputFile> file, std::string name, std::uint64_t damages_before)
        : window_(std::move(file)), name_(std::move(name)), damaged_(damages_before)
    {
    }

    Result<void> begin();
    Result<void> seek(std::int64_t wall_ns);
    Result<Step> read(RecordingConsumer &consumer);
    Result<bool> close(RecordingConsumer &consumer);

    [[nodiscard]] const StartInfo &start() const { return start_; }
    [[nodiscard]] std::uint64_t offset() const { return window_.offset(); }
    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }
    [[nodiscard]] std::uint64_t unknown() const { return unknown_ + records_.unknown(); }

private:
    // Where damage began, while its end is looked for.
    struct Open {
        std::uint64_t offset = 0;
        std::uint64_t records = 0; // that it held at least
        std::string what;
    };

    Step take(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    Step take_records(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    bool take_entry(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    bool take_known(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    void finish_entry(RecordingConsumer &consumer);
    void open_damage(std::string what, std::uint64_t records);
    void tell_damage(std::uint64_t end, std::optional<std::uint64_t> records, std::uint64_t until_ns,
                     RecordingConsumer &consumer);
    Result<bool> find_mark();

    FileWindow window_;
    std::string name_;
    StartInfo start_;
    BlockUnpacker blocks_;
    RecordUnpacker records_;

    bool clock_told_ = false;
    std::uint64_t next_record_ = 0; // number of the next one in the file
    std::uint64_t last_ns_ = 0;
    std::optional<Open> open_;
    std::optional<EntryPoint::Why> wanted_entry_ = EntryPoint::Why::Start;
    std::optional<EntryPoint> entry_; // that is being read
    std::uint64_t damaged_;
    std::uint64_t unknown_ = 0;
};

Result<void> RecordingReader::Implementation::begin()
{
    auto bytes = window_.view(sizeof(FileHeader));
    if (!bytes)
        return cannot_read(name_, bytes.error());
    if (bytes->empty())
        return failure(fmt::format("{} is empty", quote(name_)));
    FileHeader header;
    std::memcpy(&header, bytes->data(), std::min(bytes->size(), sizeof(header)));
    if (bytes->size() < sizeof(header) && header.magic == FileHeader::file_magic)
        return failure(fmt::format("{} ends within its first 16 bytes", quote(name_)));
    if (auto checked = check(header, name_); !checked)
        return checked;
    window_.skip(sizeof(header));

    // A Start block that is damaged is told of when it is read; what is behind it does not need it.
    auto block = window_.view(sizeof(BlockHeader));
    if (!block)
        return cannot_read(name_, block.error());
    auto found = block->size() == sizeof(BlockHeader) ? read_block_header(*block) : std::nullopt;
    if (!found || found->kind != BlockKind::Start)
        return {};
    auto whole = window_.view(sizeof(BlockHeader) + found->size);
    if (!whole)
        return cannot_read(name_, whole.error());
    if (whole->size() < sizeof(BlockHeader) + found->size)
        return {};
    auto payload = blocks_.unpack(*found, whole->subspan(sizeof(BlockHeader)));
    auto start = payload ? get_start(*payload) : std::nullopt;
    if (start)
        start_ = std::move(*start);
    return {};
}

Result<void> RecordingReader::Implementation::seek(std::int64_t wall_ns)
{
    if (!window_.file().is_seekable())
        return {};
    auto entry = find_entry(window_.file(), wall_ns);
    if (!entry)
        return cannot_read(name_, entry.error());
    if (!*entry || (*entry)->first_record == 0)
        return {};
    window_.move_to((*entry)->offset);
    next_record_ = (*entry)->first_record;
    last_ns_ = (*entry)->time_ns;
    wanted_entry_ = EntryPoint::Why::Sought;
    return {};
}

Result<RecordingReader::Step> RecordingReader::Implementation::read(RecordingConsumer &consumer)
{
    if (open_) {
        auto found = find_mark();
        if (!found)
            return tl::unexpected(found.error());
        if (!*found)
            return Step::Edge;
    }
    auto bytes = window_.view(sizeof(BlockHeader));
    if (!bytes)
        return cannot_read(name_, bytes.error());
    if (bytes->size() < sizeof(BlockHeader)) {
        window_.forget();
        return Step::Edge;
    }
    auto header = read_block_header(*bytes);
    if (!header) {
        open_damage("this is no block", 0);
        return Step::More;
    }
    auto block = window_.view(sizeof(BlockHeader) + header->size);
    if (!block)
        return cannot_read(name_, block.error());
    if (block->size() < sizeof(BlockHeader) + header->size) {
        window_.forget();
        return Step::Edge;
    }
    // Between two blocks that are whole: it was found behind damage, or blocks between them were cut out.
    if (header->first_record > next_record_ || open_) {
        if (!open_)
            open_ = Open{.offset = window_.offset(), .records = 0, .what = "blocks are missing"};
        std::optional<std::uint64_t> records;
        if (header->first_record >= next_record_)
            records = header->first_record - next_record_;
        tell_damage(window_.offset(), records, header->first_ns, consumer);
    }
    auto payload = blocks_.unpack(*header, block->subspan(sizeof(BlockHeader)));
    if (!payload) {
        open_damage("a checksum is wrong", header->kind == BlockKind::Records ? header->count : 0);
        return Step::More;
    }
    auto offset = window_.offset();
    auto step = take(*header, *payload, consumer);
    if (!open_ && window_.offset() == offset)
        window_.skip(sizeof(BlockHeader) + header->size);
    return step;
}

RecordingReader::Step RecordingReader::Implementation::take(const BlockHeader &header,
                                                            std::span<const std::byte> payload,
                                                            RecordingConsumer &consumer)
{
    last_ns_ = std::max(last_ns_, header.last_ns);
    if ((header.flags & ~known_flags) != 0) {
        unknown_++;
        return Step::More;
    }
    bool sound = true;
    switch (header.kind) {
    case BlockKind::Start:
        if (!std::exchange(clock_told_, true))
            consumer.clock(start_.clock);
        break;
    case BlockKind::Records: return take_records(header, payload, consumer);
    case BlockKind::Clock: {
        auto clock = get_clock(payload);
        sound = clock.has_value();
        if (clock)
            consumer.clock(*clock);
        break;
    }
    case BlockKind::Entry: sound = take_entry(header, payload, consumer); break;
    case BlockKind::Known: sound = take_known(header, payload, consumer); break;
    case BlockKind::End: return Step::Finished;
    default: unknown_++; break;
    }
    if (!sound)
        open_damage("what is in a block makes no sense", 0);
    return Step::More;
}

RecordingReader::Step RecordingReader::Implementation::take_records(const BlockHeader &header,
                                                                    std::span<const std::byte> payload,
                                                                    RecordingConsumer &consumer)
{
    entry_.reset(); // its last block is missing
    if (!records_.unpack(payload, header.count)) {
        open_damage("what is in a block makes no sense", header.count);
        return Step::More;
    }
    next_record_ = header.first_record + header.count;
    for (std::size_t i = 0; i < records_.count(); i++) {
        auto record = records_.record(i);
        if (!record.empty() && !consumer.record(record))
            return Step::Stopped;
    }
    return Step::More;
}

bool RecordingReader::Implementation::take_entry(const BlockHeader &header, std::span<const std::byte> payload,
                                                 RecordingConsumer &consumer)
{
    entry_.reset();
    auto info = get_entry(payload);
    if (!info)
        return false;
    if ((header.flags & after_loss) != 0 && !wanted_entry_)
        wanted_entry_ = EntryPoint::Why::Healing;
    if (!wanted_entry_)
        return true;
    if (!std::exchange(clock_told_, true) || wanted_entry_ == EntryPoint::Why::Sought)
        consumer.clock(info->clock);
    entry_ = EntryPoint{.why = *wanted_entry_, .time_ns = header.first_ns, .gaps = std::move(info->gaps), .connections = {}};
    if ((header.flags & last_of_entry) != 0)
        finish_entry(consumer);
    return true;
}

bool RecordingReader::Implementation::take_known(const BlockHeader &header, std::span<const std::byte> payload,
                                                 RecordingConsumer &consumer)
{
    if (!entry_)
        return true;
    if (entry_->connections.size() + header.count > max_known ||
        !unpack_known(payload, header.count, entry_->connections, unknown_)) {
        entry_.reset();
        return false;
    }
    if ((header.flags & last_of_entry) != 0)
        finish_entry(consumer);
    return true;
}

void RecordingReader::Implementation::finish_entry(RecordingConsumer &consumer)
{
    consumer.entry_point(*entry_);
    entry_.reset();
    wanted_entry_.reset();
}

// From the block that is next on.
void RecordingReader::Implementation::open_damage(std::string what, std::uint64_t records)
{
    entry_.reset();
    open_ = Open{.offset = window_.offset(), .records = records, .what = std::move(what)};
    window_.skip(1);
}

void RecordingReader::Implementation::tell_damage(std::uint64_t end, std::optional<std::uint64_t> records,
                                                  std::uint64_t until_ns, RecordingConsumer &consumer)
{
    consumer.damage({.offset = open_->offset, .size = end - open_->offset, .records = records, .what = open_->what});
    open_.reset();
    if (records == 0U)
        return;
    damaged_ += records.value_or(1);
    wanted_entry_ = wanted_entry_.value_or(EntryPoint::Why::Healing);
    const tf_loss loss{.total = damaged_, .until_ns = until_ns, .cpu = any_cpu, .reason = TF_LOSS_DAMAGED};
    consumer.record(LossRecord(last_ns_ != 0 ? last_ns_ : until_ns, loss).bytes());
}

// Goes to the next block with a sound header. False: there is none in what is there now.
Result<bool> RecordingReader::Implementation::find_mark()
{
    constexpr std::size_t stretch = std::size_t{64} << 10;
    const auto mark = std::as_bytes(std::span(BlockHeader::block_mark));
    for (;;) {
        auto bytes = window_.view(stretch);
        if (!bytes)
            return cannot_read(name_, bytes.error());
        if (bytes->size() < sizeof(BlockHeader))
            return false;
        auto found = std::search(bytes->begin(), bytes->end(), mark.begin(), mark.end());
        if (found == bytes->end()) {
            // The last bytes may be the begin of a mark.
            window_.skip(bytes->size() - mark.size() + 1);
            continue;
        }
        window_.skip(static_cast<std::size_t>(found - bytes->begin()));
        auto header = window_.view(sizeof(BlockHeader));
        if (!header)
            return cannot_read(name_, header.error());
        if (header->size() < sizeof(BlockHeader))
            return false;
        if (read_block_header(*header))
            return true;
        window_.skip(1);
    }
}

Result<bool> RecordingReader::Implementation::close(RecordingConsumer &consumer)
{
    std::optional<std::uint64_t> records;
    if (!open_) {
        auto bytes = window_.view(sizeof(BlockHeader));
        if (!bytes)
            return cannot_read(name_, bytes.error());
        if (bytes->empty())
            return true;
        open_ = Open{.offset = window_.offset(), .records = 0, .what = "the file is cut off"};
        if (auto header = bytes->size() == sizeof(BlockHeader) ? read_block_header(*bytes) : std::nullopt)
            records = header->kind == BlockKind::Records ? header->count : 0;
    } else if (open_->records != 0) {
        records = open_->records;
    }
    for (;;) {
        auto rest = window_.view(max_block_size);
        if (!rest)
            return cannot_read(name_, rest.error());
        if (rest->empty())
            break;
        window_.skip(rest->size());
    }
    tell_damage(window_.offset(), records, last_ns_, consumer);
    return false;
}

RecordingReader::RecordingReader(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation))
{
}

RecordingReader::RecordingReader(RecordingReader &&) noexcept = default;
RecordingReader &RecordingReader::operator=(RecordingReader &&) noexcept = default;
RecordingReader::~RecordingReader() = default;

Result<RecordingReader> RecordingReader::open(std::unique_ptr<InputFile> file, std::string name,
                                              std::uint64_t damages_before)
{
    auto implementation = std::make_unique<Implementation>(std::move(file), std::move(name), damages_before);
    if (auto begun = implementation->begin(); !begun)
        return tl::unexpected(begun.error());
    return RecordingReader(std::move(implementation));
}

const StartInfo &RecordingReader::start() const
{
    return implementation_->start();
}

Result<void> RecordingReader::seek(std::int64_t wall_ns)
{
    return implementation_->seek(wall_ns);
}

Result<RecordingReader::Step> RecordingReader::read(RecordingConsumer &consumer)
{
    return implementation_->read(consumer);
}

Result<bool> RecordingReader::close(RecordingConsumer &consumer)
{
    return implementation_->close(consumer);
}

std::uint64_t RecordingReader::offset() const
{
    return implementation_->offset();
}

std::uint64_t RecordingReader::damaged() const
{
    return implementation_->damaged();
}

std::uint64_t RecordingReader::unknown() const
{
    return implementation_->unknown();
}

} // namespace tcpflight

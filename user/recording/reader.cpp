#include "recording/reader.h"

#include "filter/quote.h"
#include "recording/block.h"
#include "recording/entry_search.h"
#include "recording/file_window.h"
#include "recording/known_block.h"
#include "recording/look_ahead.h"
#include "recording/merged_file.h"
#include "recording/plain_blocks.h"
#include "recording/record_block.h"
#include "source/loss_record.h"
#include "table/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint8_t known_flags = last_of_entry | after_loss;
// Inside a damaged block the next one is looked for too, as the file may have lost a piece. Bounded: a file can be made
// in which that takes for ever.
constexpr std::uint64_t max_searched = std::uint64_t{1} << 30;

constexpr const char *no_block = "there is no block where one should begin";
constexpr const char *wrong_check = "a checksum is wrong";
constexpr const char *no_sense = "a block makes no sense";
constexpr const char *cut_off = "the file is cut off";
constexpr const char *missing = "blocks are missing";

} // namespace

class RecordingReader::Implementation {
public:
    Implementation(std::unique_ptr<InputFile> file, std::string_view name, std::uint64_t damages_before)
        : window_(std::move(file)), name_(quote(name)), damaged_(damages_before)
    {
    }

    Result<void> open();
    Result<void> seek(std::int64_t wall_ns);
    Result<Step> read(RecordingConsumer &consumer);
    Result<bool> close(RecordingConsumer &consumer);

    [[nodiscard]] const StartInfo &start() const { return start_; }
    [[nodiscard]] std::uint64_t offset() const { return window_.offset(); }
    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }
    [[nodiscard]] std::uint64_t unknown() const { return unknown_ + records_.unknown(); }

private:
    // Damage that has begun, and of which the end is looked for.
    struct Hole {
        std::uint64_t offset = 0;
        const char *what = no_block;
        std::optional<std::uint64_t> records;
    };

    [[nodiscard]] tl::unexpected<Error> cannot_read(int error) const
    {
        return failure(fmt::format("cannot read {}: {}", name_, std::strerror(error)));
    }
    [[nodiscard]] tl::unexpected<Error> not_a_recording(std::string_view why) const
    {
        return failure(fmt::format("{} is not a tcpflight recording: {}", name_, why));
    }

    Result<bool> read_start(const BlockHeader &header);
    Result<bool> find_block();
    Result<Step> read_block(RecordingConsumer &consumer);
    Result<std::optional<Step>> at_edge(RecordingConsumer &consumer, const std::optional<BlockHeader> &header);
    Result<void> find_next_mark();
    Step consume(const BlockHeader &header, std::span<const std::byte> packed, RecordingConsumer &consumer);
    [[nodiscard]] bool is_needed(const BlockHeader &header) const;
    bool take(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    bool take_records(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    bool take_entry(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    bool take_known(const BlockHeader &header, std::span<const std::byte> payload, RecordingConsumer &consumer);
    void set_clock(const ClockAnchor &clock, RecordingConsumer &consumer);

    void open_hole(const char *what, std::optional<std::uint64_t> records);
    void close_hole(std::optional<std::uint64_t> records, std::uint64_t until_ns, RecordingConsumer &consumer);

    FileWindow window_;
    std::string name_;
    StartInfo start_;
    bool begun_ = false; // the consumer has been told the clock
    std::optional<ClockAnchor> clock_;
    std::uint64_t latest_ns_ = 0;
    std::optional<std::uint64_t> records_before_ = 0; // in the file before offset(), those that were lost included

    BlockUnpacker blocks_;
    RecordUnpacker records_;
    EntryPoint entry_;
    bool collecting_ = false; // entry_'s connections
    std::optional<EntryPoint::Why> awaiting_ = EntryPoint::Why::Start;

    std::optional<Hole> hole_;
    std::uint64_t searched_ = 0; // bytes of damaged blocks
    bool whole_ = true;
    bool closing_ = false;
    bool stopped_ = false;
    bool finished_ = false;
    std::uint64_t damaged_;
    std::uint64_t unknown_ = 0;
};

Result<void> RecordingReader::Implementation::open()
{
    auto view = window_.view(sizeof(FileHeader) + sizeof(BlockHeader));
    if (!view)
        return cannot_read(view.error());
    if (view->size() < sizeof(FileHeader))
        return not_a_recording(view->empty() ? "it is empty" : "it is too short");
    FileHeader header;
    std::memcpy(&header, view->data(), sizeof(header));
    auto block_at = [](std::span<const std::byte> bytes) {
        return bytes.size() < sizeof(BlockHeader) ? std::nullopt : read_block_header(bytes);
    };
    const bool has_header = !block_at(*view);
    auto first = has_header ? block_at(view->subspan(sizeof(header))) : block_at(*view);
    bool sound = is_sound(header);
    if (header.magic == merged_magic)
        return failure(fmt::format("{} is a merged recording, which cannot be read from a pipe: give the file", name_));
    if (!first && header.magic == FileHeader::file_magic && header.byte_order == 0xfffe)
        return failure(fmt::format("{} was recorded on a host of the other byte order, which is not supported", name_));
    if (sound && header.version > FileHeader::current_version)
        return failure(
            fmt::format("{} has format {}, and this version reads formats up to {}: a newer tcpflight is needed", name_,
                        header.version, FileHeader::current_version));
    if (!sound)
        open_hole("the file's first bytes are wrong", 0);
    if (has_header && (sound || first))
        window_.skip(sizeof(header));
    if (first && first->kind == BlockKind::Start) {
        auto started = read_start(*first);
        if (!started)
            return tl::unexpected(started.error());
        if (*started)
            return {};
    }
    // read() will say what is wrong, if it is a recording.
    auto found = find_block();
    if (!found)
        return tl::unexpected(found.error());
    if (header.magic != FileHeader::file_magic && !first && !*found)
        return not_a_recording("it begins otherwise");
    return {};
}

// False: it is damaged or cut off.
Result<bool> RecordingReader::Implementation::read_start(const BlockHeader &header)
{
    auto block = window_.view(sizeof(BlockHeader) + header.size);
    if (!block)
        return cannot_read(block.error());
    if (block->size() < sizeof(BlockHeader) + header.size)
        return false;
    auto packed = block->subspan(sizeof(BlockHeader));
    auto payload = BlockUnpacker::is_sound(header, packed) ? blocks_.unpack(header, packed) : std::nullopt;
    auto start = payload ? get_start(*payload) : std::nullopt;
    if (!start)
        return false;
    start_ = std::move(*start);
    clock_ = start_.clock;
    latest_ns_ = header.last_ns;
    if (!hole_)
        window_.skip(sizeof(BlockHeader) + header.size);
    return true;
}

// Where the begin does not tell: is there a block behind it? From a pipe it could take for ever to know.
Result<bool> RecordingReader::Implementation::find_block()
{
    if (!window_.file().is_seekable())
        return false;
    const auto left = window_.file().size() - std::min(window_.file().size(), window_.offset());
    auto view = window_.view(static_cast<std::size_t>(std::min<std::uint64_t>(left, max_look_ahead)));
    if (!view)
        return cannot_read(view.error());
    auto ahead = look_ahead(*view, blocks_);
    if (ahead.start)
        start_ = std::move(*ahead.start);
    else if (ahead.clock)
        start_.clock = *ahead.clock;
    if (ahead.start || ahead.clock)
        clock_ = start_.clock;
    return ahead.has_block;
}

Result<void> RecordingReader::Implementation::seek(std::int64_t wall_ns)
{
    if (!window_.file().is_seekable() || begun_)
        return {};
    auto offset = find_entry_before(window_.file(), wall_ns);
    if (!offset)
        return cannot_read(offset.error());
    if (*offset <= window_.offset())
        return {};
    window_.move_to(*offset);
    hole_.reset();
    records_before_.reset();
    clock_.reset(); // the entry point has its own
    awaiting_ = EntryPoint::Why::Sought;
    return {};
}

Result<RecordingReader::Step> RecordingReader::Implementation::read(RecordingConsumer &consumer)
{
    if (!std::exchange(begun_, true) && clock_)
        consumer.clock(*clock_);
    if (stopped_)
        return Step::Stopped;
    if (finished_)
        return Step::Finished;
    return read_block(consumer);
}

Result<bool> RecordingReader::Implementation::close(RecordingConsumer &consumer)
{
    closing_ = true;
    for (;;) {
        auto step = read(consumer);
        if (!step)
            return tl::unexpected(step.error());
        if (*step != Step::More)
            return whole_;
    }
}

Result<RecordingReader::Step> RecordingReader::Implementation::read_block(RecordingConsumer &consumer)
{
    for (;;) {
        auto view = window_.view(sizeof(BlockHeader));
        if (!view)
            return cannot_read(view.error());
        std::optional<BlockHeader> header;
        if (view->size() == sizeof(BlockHeader)) {
            header = read_block_header(*view);
            if (!header) {
                open_hole(no_block, {});
                if (auto found = find_next_mark(); !found)
                    return tl::unexpected(found.error());
                continue;
            }
            view = window_.view(sizeof(BlockHeader) + header->size);
            if (!view)
                return cannot_read(view.error());
        }
        if (!header || view->size() < sizeof(BlockHeader) + header->size) {
            auto step = at_edge(consumer, header);
            if (!step)
                return tl::unexpected(step.error());
            if (*step)
                return **step;
            continue;
        }
        auto packed = view->subspan(sizeof(BlockHeader));
        if (BlockUnpacker::is_sound(*header, packed))
            return consume(*header, packed, consumer);
        open_hole(wrong_check, header->kind == BlockKind::Records ? header->count : 0);
        searched_ += packed.size();
        if (searched_ > max_searched) {
            window_.skip(view->size());
        } else if (auto found = find_next_mark(); !found) {
            return tl::unexpected(found.error());
        }
    }
}

// There are not enough bytes for a block. None: go on with what is behind.
Result<std::optional<RecordingReader::Step>>
RecordingReader::Implementation::at_edge(RecordingConsumer &consumer, const std::optional<BlockHeader> &header)
{
    auto rest = window_.view(1);
    if (!rest)
        return cannot_read(rest.error());
    if (!closing_) {
        window_.forget();
        return Step::Edge;
    }
    if (rest->empty()) {
        if (hole_)
            close_hole(hole_->records, latest_ns_, consumer);
        return stopped_ ? Step::Stopped : Step::Edge;
    }
    auto lost = [&]() -> std::optional<std::uint64_t> {
        if (!header)
            return std::nullopt;
        return header->kind == BlockKind::Records ? header->count : 0;
    };
    open_hole(cut_off, lost());
    if (auto found = find_next_mark(); !found)
        return tl::unexpected(found.error());
    return std::nullopt;
}

// Goes to the next mark behind the first byte, or to where it could begin at the end of what there is.
Result<void> RecordingReader::Implementation::find_next_mark()
{
    constexpr std::size_t stretch = std::size_t{64} << 10;
    constexpr std::string_view mark(BlockHeader::block_mark.data(), BlockHeader::block_mark.size());
    window_.skip(1);
    for (;;) {
        auto view = window_.view(stretch);
        if (!view)
            return cannot_read(view.error());
        std::string_view text(reinterpret_cast<const char *>(view->data()), view->size());
        auto at = text.find(mark);
        if (at != std::string_view::npos) {
            window_.skip(at);
            return {};
        }
        if (view->size() < stretch) {
            // In closing nothing follows.
            window_.skip(closing_ ? view->size() : view->size() - std::min(view->size(), mark.size() - 1));
            return {};
        }
        window_.skip(view->size() - (mark.size() - 1));
    }
}

RecordingReader::Step RecordingReader::Implementation::consume(const BlockHeader &header,
                                                               std::span<const std::byte> packed,
                                                               RecordingConsumer &consumer)
{
    if (!hole_ && records_before_ && *records_before_ != header.first_record)
        open_hole(missing, {});
    if (hole_) {
        std::optional<std::uint64_t> lost;
        if (records_before_ && header.first_record >= *records_before_)
            lost = header.first_record - *records_before_;
        close_hole(lost, header.first_ns, consumer);
        if (stopped_)
            return Step::Stopped;
    }
    records_before_ = header.first_record;
    auto size = sizeof(BlockHeader) + packed.size();
    if (header.kind != BlockKind::Known)
        collecting_ = false; // if it was, the rest of the entry point is missing
    if (header.kind == BlockKind::Records)
        latest_ns_ = std::max(latest_ns_, header.last_ns);

    if (is_needed(header)) {
        auto payload = blocks_.unpack(header, packed);
        if (!payload || !take(header, *payload, consumer)) {
            open_hole(no_sense, header.kind == BlockKind::Records ? header.count : 0);
            window_.skip(size);
            return Step::More;
        }
    }
    window_.skip(size);
    if (header.kind == BlockKind::Records)
        *records_before_ += header.count;
    return stopped_ ? Step::Stopped : finished_ ? Step::Finished : Step::More;
}

bool RecordingReader::Implementation::is_needed(const BlockHeader &header) const
{
    switch (header.kind) {
    case BlockKind::Entry: return awaiting_ || !clock_ || (header.flags & after_loss) != 0;
    case BlockKind::Known: return collecting_;
    default: return true;
    }
}

// False: it is damaged.
bool RecordingReader::Implementation::take(const BlockHeader &header, std::span<const std::byte> payload,
                                           RecordingConsumer &consumer)
{
    if ((header.flags & ~known_flags) != 0) {
        unknown_++;
        records_before_.reset();
        return true;
    }
    switch (header.kind) {
    case BlockKind::Start: return true; // open() has seen it, or it was behind damage
    case BlockKind::Records: return take_records(header, payload, consumer);
    case BlockKind::Clock:
        if (auto clock = get_clock(payload)) {
            set_clock(*clock, consumer);
            return true;
        }
        return false;
    case BlockKind::Entry: return take_entry(header, payload, consumer);
    case BlockKind::Known: return take_known(header, payload, consumer);
    case BlockKind::End: finished_ = true; return true;
    }
    unknown_++;
    records_before_.reset();
    return true;
}

bool RecordingReader::Implementation::take_records(const BlockHeader &header, std::span<const std::byte> payload,
                                                   RecordingConsumer &consumer)
{
    if (!records_.unpack(payload, header.count))
        return false;
    for (std::size_t i = 0; i < records_.count(); i++) {
        auto record = records_.record(i);
        if (!record.empty() && !consumer.record(record)) {
            stopped_ = true;
            break;
        }
    }
    return true;
}

bool RecordingReader::Implementation::take_entry(const BlockHeader &header, std::span<const std::byte> payload,
                                                 RecordingConsumer &consumer)
{
    auto info = get_entry(payload);
    if (!info)
        return false;
    set_clock(info->clock, consumer);
    if ((header.flags & after_loss) != 0 && awaiting_ != EntryPoint::Why::Sought)
        awaiting_ = EntryPoint::Why::Healing;
    collecting_ = awaiting_.has_value();
    entry_ = {.why = awaiting_.value_or(EntryPoint::Why::Start),
              .time_ns = header.first_ns,
              .gaps = std::move(info->gaps),
              .cgroups = std::move(info->cgroups),
              .connections = {}};
    return true;
}

bool RecordingReader::Implementation::take_known(const BlockHeader &header, std::span<const std::byte> payload,
                                                 RecordingConsumer &consumer)
{
    if (entry_.connections.size() + header.count > Table::default_capacity ||
        !unpack_known(payload, header.count, entry_.connections, unknown_)) {
        collecting_ = false;
        return false;
    }
    if ((header.flags & last_of_entry) != 0) {
        collecting_ = false;
        awaiting_.reset();
        consumer.entry_point(entry_);
        entry_ = {};
    }
    return true;
}

void RecordingReader::Implementation::set_clock(const ClockAnchor &clock, RecordingConsumer &consumer)
{
    if (clock_ && clock_->boot_ns == clock.boot_ns && clock_->wall_ns == clock.wall_ns)
        return;
    clock_ = clock;
    consumer.clock(clock);
}

void RecordingReader::Implementation::open_hole(const char *what, std::optional<std::uint64_t> records)
{
    whole_ = false;
    if (hole_)
        hole_->records.reset(); // what else is in it cannot be told
    else
        hole_ = Hole{.offset = window_.offset(), .what = what, .records = records};
}

// `until_ns`: when the first record behind it happened.
void RecordingReader::Implementation::close_hole(std::optional<std::uint64_t> records, std::uint64_t until_ns,
                                                 RecordingConsumer &consumer)
{
    consumer.damage(
        {.offset = hole_->offset, .size = window_.offset() - hole_->offset, .records = records, .what = hole_->what});
    hole_.reset();
    if (records == 0 && awaiting_ != EntryPoint::Why::Start)
        return;
    if (awaiting_ != EntryPoint::Why::Sought)
        awaiting_ = EntryPoint::Why::Healing;
    if (records == 0)
        return;
    damaged_ += records.value_or(1);
    const tf_loss loss{.total = damaged_, .until_ns = until_ns, .cpu = any_cpu, .reason = TF_LOSS_DAMAGED};
    stopped_ = !consumer.record(LossRecord(latest_ns_ != 0 ? latest_ns_ : until_ns, loss).bytes());
}

Result<RecordingReader> RecordingReader::open(std::unique_ptr<InputFile> file, std::string_view name,
                                              std::uint64_t damages_before)
{
    auto implementation = std::make_unique<Implementation>(std::move(file), name, damages_before);
    if (auto opened = implementation->open(); !opened)
        return tl::unexpected(opened.error());
    return RecordingReader(std::move(implementation));
}

RecordingReader::RecordingReader(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation))
{
}
RecordingReader::RecordingReader(RecordingReader &&) noexcept = default;
RecordingReader &RecordingReader::operator=(RecordingReader &&) noexcept = default;
RecordingReader::~RecordingReader() = default;

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

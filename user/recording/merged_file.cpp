#include "recording/merged_file.h"

#include "filter/quote.h"
#include "recording/block.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::size_t chunk_size = std::size_t{256} << 10;
constexpr std::size_t write_size = std::size_t{1} << 20;

std::uint32_t check_of(const FileHeader &header)
{
    return static_cast<std::uint32_t>(XXH3_64bits(&header, offsetof(FileHeader, check)));
}

std::uint64_t check_of(const ChunkHeader &header)
{
    return XXH3_64bits(&header, offsetof(ChunkHeader, check));
}

ChunkHeader chunk_header(std::uint32_t source, std::uint32_t size)
{
    ChunkHeader header{.source = source, .size = size};
    header.check = check_of(header);
    return header;
}

std::optional<ChunkHeader> sound_header(std::span<const std::byte> bytes)
{
    ChunkHeader header;
    if (bytes.size() < sizeof(header))
        return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.mark != ChunkHeader::chunk_mark || header.check != check_of(header))
        return std::nullopt;
    bool is_end = header.source == ChunkHeader::end_of_chunks;
    bool fits =
        is_end ? header.size == 0 : header.source < max_sources && header.size != 0 && header.size <= max_chunk_size;
    return fits ? std::optional(header) : std::nullopt;
}

// A stretch of a file, read anew only where one looks elsewhere.
class Peek {
public:
    explicit Peek(InputFile &file) : file_(file) {}

    // All from `offset` on that is held, at least `least` bytes, fewer only at the end. If not held, reads `stretch`.
    IoResult<std::span<const std::byte>> view(std::uint64_t offset, std::size_t least, std::size_t stretch)
    {
        if (offset < offset_ || offset + least > offset_ + buffer_.size()) {
            buffer_.clear();
            offset_ = offset;
            auto *room = buffer_.extend(stretch);
            buffer_.cut(0);
            for (std::size_t held = 0; held < stretch;) {
                auto count = file_.read_at(offset + held, {room + held, stretch - held});
                if (!count)
                    return tl::unexpected(count.error());
                if (*count == 0)
                    break;
                held += *count;
                buffer_.cut(held);
            }
        }
        return buffer_.bytes().subspan(static_cast<std::size_t>(offset - offset_));
    }

private:
    InputFile &file_;
    std::uint64_t offset_ = 0;
    ByteBuffer buffer_;
};

class SourceInput : public InputFile {
public:
    SourceInput(std::shared_ptr<MergedFile> merged, std::size_t index) : merged_(std::move(merged)), index_(index) {}

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override
    {
        return merged_->read_source(index_, offset, out);
    }
    [[nodiscard]] bool is_seekable() const override { return true; }
    [[nodiscard]] std::uint64_t size() const override { return merged_->source_size(index_); }

private:
    std::shared_ptr<MergedFile> merged_;
    std::size_t index_;
};

} // namespace

MergedWriter::MergedWriter(std::unique_ptr<OutputFile> file) : file_(std::move(file))
{
    FileHeader header;
    header.magic = merged_magic;
    header.check = check_of(header);
    pending_.append(std::as_bytes(std::span(&header, 1)));
}

IoResult<void> MergedWriter::add(std::uint32_t source, std::span<const std::byte> bytes)
{
    if (source != source_ || chunk_.size() + bytes.size() > chunk_size)
        put_chunk();
    source_ = source;
    chunk_.append(bytes);
    return pending_.size() >= write_size ? write() : IoResult<void>{};
}

IoResult<void> MergedWriter::finish()
{
    put_chunk();
    auto end = chunk_header(ChunkHeader::end_of_chunks, 0);
    pending_.append(std::as_bytes(std::span(&end, 1)));
    auto written = write();
    return written ? file_->sync() : written;
}

void MergedWriter::put_chunk()
{
    if (chunk_.empty())
        return;
    auto header = chunk_header(source_, static_cast<std::uint32_t>(chunk_.size()));
    pending_.append(std::as_bytes(std::span(&header, 1)));
    pending_.append(chunk_.bytes());
    chunk_.clear();
}

IoResult<void> MergedWriter::write()
{
    auto done = file_->append(pending_.bytes());
    if (done)
        written_ += pending_.size();
    pending_.clear();
    return done;
}

Result<std::shared_ptr<MergedFile>> MergedFile::open(std::unique_ptr<InputFile> file, std::string_view name)
{
    std::shared_ptr<MergedFile> merged(new MergedFile);
    merged->file_ = std::move(file);
    FileHeader header;
    Peek peek(*merged->file_);
    auto begin = peek.view(0, sizeof(header), sizeof(header));
    if (!begin)
        return failure(fmt::format("cannot read {}: {}", quote(name), std::strerror(begin.error())));
    if (begin->size() < sizeof(header))
        return nullptr;
    std::memcpy(&header, begin->data(), sizeof(header));
    if (header.magic != merged_magic)
        return nullptr;
    if (header.byte_order == 0xfffe)
        return failure(
            fmt::format("{} was merged on a host of the other byte order, which is not supported", quote(name)));
    if (header.check == check_of(header) && header.version > FileHeader::current_version)
        return failure(
            fmt::format("{} has format {}, and this version reads formats up to {}: a newer tcpflight is needed",
                        quote(name), header.version, FileHeader::current_version));
    if (header.check != check_of(header))
        merged->damaged_bytes_ += sizeof(header);
    if (auto found = merged->find_chunks(name); !found)
        return tl::unexpected(found.error());
    return merged;
}

Result<void> MergedFile::find_chunks(std::string_view name)
{
    constexpr std::string_view mark(ChunkHeader::chunk_mark.data(), ChunkHeader::chunk_mark.size());
    constexpr std::size_t stretch = std::size_t{64} << 10;
    Peek peek(*file_);
    auto cannot_read = [&](int error) {
        return failure(fmt::format("cannot read {}: {}", quote(name), std::strerror(error)));
    };
    for (std::uint64_t at = sizeof(FileHeader);;) {
        auto view = peek.view(at, sizeof(ChunkHeader), sizeof(ChunkHeader));
        if (!view)
            return cannot_read(view.error());
        if (auto header = sound_header(*view)) {
            if (header->source == ChunkHeader::end_of_chunks) {
                cut_off_ = false;
                return {};
            }
            at += sizeof(ChunkHeader);
            auto left = file_->size() - std::min(file_->size(), at);
            if (!add(*header, at, std::min<std::uint64_t>(header->size, left)))
                return failure(
                    fmt::format("{} has more than {} chunks, which is more than is read", quote(name), max_chunks));
            at += header->size;
            continue;
        }
        // Damage: to the next mark behind it, or to the end.
        auto rest = peek.view(at + 1, mark.size(), stretch);
        if (!rest)
            return cannot_read(rest.error());
        if (rest->size() < mark.size()) {
            damaged_bytes_ += file_->size() - std::min(file_->size(), at);
            return {};
        }
        std::string_view text(reinterpret_cast<const char *>(rest->data()), rest->size());
        auto found = text.find(mark);
        auto step = 1 + (found != std::string_view::npos ? found : text.size() - (mark.size() - 1));
        damaged_bytes_ += step;
        at += step;
    }
}

bool MergedFile::add(const ChunkHeader &header, std::uint64_t place, std::uint64_t size)
{
    if (chunks_ == max_chunks)
        return false;
    chunks_++;
    if (sources_.size() <= header.source)
        sources_.resize(header.source + std::size_t{1});
    auto &source = sources_[header.source];
    source.chunks.push_back({.offset = source.size, .place = place});
    source.size += size;
    return true;
}

IoResult<std::size_t> MergedFile::read_source(std::size_t index, std::uint64_t offset, std::span<std::byte> out)
{
    const auto &source = sources_[index];
    if (offset >= source.size)
        return std::size_t{0};
    auto next = std::ranges::upper_bound(source.chunks, offset, {}, &Chunk::offset);
    auto end = next == source.chunks.end() ? source.size : next->offset;
    const auto &chunk = *std::prev(next);
    auto wanted = std::min<std::uint64_t>(out.size(), end - offset);
    return file_->read_at(chunk.place + (offset - chunk.offset), out.first(wanted));
}

std::unique_ptr<InputFile> MergedFile::source(std::shared_ptr<MergedFile> merged, std::size_t index)
{
    return std::make_unique<SourceInput>(std::move(merged), index);
}

IoResult<std::optional<Pieces::Piece>> Pieces::next()
{
    window_.skip(std::exchange(taken_, 0));
    const std::size_t begin = window_.offset() == 0 ? sizeof(FileHeader) : 0;
    auto view = window_.view(begin + sizeof(BlockHeader));
    if (!view)
        return tl::unexpected(view.error());
    if (view->empty())
        return std::nullopt;
    auto header = view->size() < begin + sizeof(BlockHeader) ? std::nullopt : read_block_header(view->subspan(begin));
    if (header) {
        view = window_.view(begin + sizeof(BlockHeader) + header->size);
        if (!view)
            return tl::unexpected(view.error());
        time_ns_ = header->first_ns;
    } else {
        constexpr std::string_view mark(BlockHeader::block_mark.data(), BlockHeader::block_mark.size());
        view = window_.view(chunk_size);
        if (!view)
            return tl::unexpected(view.error());
        std::string_view text(reinterpret_cast<const char *>(view->data()), view->size());
        if (auto at = text.find(mark, begin + 1); at != std::string_view::npos)
            view = view->first(at);
    }
    taken_ = view->size();
    return Piece{.bytes = *view, .time_ns = time_ns_};
}

} // namespace tcpflight

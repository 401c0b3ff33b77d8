// A disk in memory, which can be full, fail, and be cut off anywhere.
#pragma once

#include "recording/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight::test {

using Bytes = std::vector<std::byte>;

struct MemoryFile {
    Bytes bytes;
    std::size_t capacity = std::numeric_limits<std::size_t>::max(); // no room beyond: ENOSPC
    std::optional<int> error;                                       // with which every append fails
    int syncs = 0;
    bool seekable = true;
};

class MemoryOutput : public OutputFile {
public:
    explicit MemoryOutput(std::shared_ptr<MemoryFile> file) : file_(std::move(file)) {}

    IoResult<void> append(std::span<const std::byte> bytes) override
    {
        if (file_->error)
            return tl::unexpected<int>(*file_->error);
        if (file_->bytes.size() + bytes.size() > file_->capacity)
            return tl::unexpected<int>(ENOSPC);
        file_->bytes.insert(file_->bytes.end(), bytes.begin(), bytes.end());
        return {};
    }
    IoResult<void> sync() override
    {
        file_->syncs++;
        return {};
    }

private:
    std::shared_ptr<MemoryFile> file_;
};

// Of a file, whatever is appended to it later.
class MemoryInput : public InputFile {
public:
    explicit MemoryInput(std::shared_ptr<MemoryFile> file) : file_(std::move(file)) {}

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override
    {
        if (file_->error)
            return tl::unexpected<int>(*file_->error);
        const auto &bytes = file_->bytes;
        auto begin = std::min<std::uint64_t>(offset, bytes.size());
        auto count = std::min<std::size_t>(out.size(), bytes.size() - begin);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
        return count;
    }
    [[nodiscard]] bool is_seekable() const override { return file_->seekable; }
    [[nodiscard]] std::uint64_t size() const override { return file_->seekable ? file_->bytes.size() : 0; }

private:
    std::shared_ptr<MemoryFile> file_;
};

inline std::unique_ptr<InputFile> input_of(Bytes bytes)
{
    auto file = std::make_shared<MemoryFile>();
    file->bytes = std::move(bytes);
    return std::make_unique<MemoryInput>(std::move(file));
}

} // namespace tcpflight::test

// A stretch of a file in memory, which moves forward; the same for files and pipes.
#pragma once

#include "recording/byte_buffer.h"
#include "recording/disk.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace tcpflight {

class FileWindow {
public:
    explicit FileWindow(std::unique_ptr<InputFile> file) : file_(std::move(file)) {}

    [[nodiscard]] const InputFile &file() const { return *file_; }
    [[nodiscard]] InputFile &file() { return *file_; }
    // In the file, of the first byte of view().
    [[nodiscard]] std::uint64_t offset() const { return offset_; }

    // The next `size` bytes; fewer at the end of what is there now. Valid until the next call.
    IoResult<std::span<const std::byte>> view(std::size_t size);
    void skip(std::size_t count);
    // Only in a file that is seekable.
    void move_to(std::uint64_t offset);
    // What lies behind offset() may have been cut off and written anew: reads it again next time.
    void forget();

private:
    std::unique_ptr<InputFile> file_;
    std::uint64_t offset_ = 0;
    std::size_t head_ = 0; // of offset_, in the buffer
    ByteBuffer buffer_;
};

} // namespace tcpflight

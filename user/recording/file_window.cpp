#include "recording/file_window.h"

#include <algorithm>

namespace tcpflight {
namespace {

constexpr std::size_t read_size = std::size_t{256} << 10;

}

IoResult<std::span<const std::byte>> FileWindow::view(std::size_t size)
{
    while (buffer_.size() - head_ < size) {
        buffer_.drop_front(std::exchange(head_, 0));
        auto held = buffer_.size();
        auto wanted = std::max(read_size, size - held);
        auto *room = buffer_.extend(wanted);
        auto count = file_->read_at(offset_ + held, {room, wanted});
        buffer_.cut(held + count.value_or(0));
        if (!count)
            return tl::unexpected(count.error());
        if (*count == 0)
            break;
    }
    return buffer_.bytes().subspan(head_).first(std::min(size, buffer_.size() - head_));
}

void FileWindow::skip(std::size_t count)
{
    offset_ += count;
    head_ += count;
}

void FileWindow::move_to(std::uint64_t offset)
{
    offset_ = offset;
    buffer_.clear();
    head_ = 0;
}

void FileWindow::forget()
{
    if (file_->is_seekable())
        move_to(offset_);
}

} // namespace tcpflight

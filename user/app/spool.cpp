#include "app/spool.h"

#include "filter/quote.h"
#include "model/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

class Spooled : public InputFile {
public:
    Spooled(FileDescriptor file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override
    {
        for (;;) {
            auto count = pread(file_.get(), out.data(), out.size(), static_cast<off_t>(offset));
            if (count >= 0)
                return static_cast<std::size_t>(count);
            if (errno != EINTR)
                return tl::unexpected<int>(errno);
        }
    }
    [[nodiscard]] bool is_seekable() const override { return true; }
    [[nodiscard]] std::uint64_t size() const override { return size_; }

private:
    FileDescriptor file_;
    std::uint64_t size_;
};

// Not every file system has files without a name.
FileDescriptor create_nameless(const std::string &folder)
{
    FileDescriptor file(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, S_IRUSR | S_IWUSR));
    if (file.is_open())
        return file;
    std::string name = folder + "/tcpflight-XXXXXX";
    file = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
    if (file.is_open())
        unlink(name.c_str());
    return file;
}

bool write_all(int fd, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        auto count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return true;
}

} // namespace

IoResult<std::span<const std::byte>> LookedInto::look(std::size_t size)
{
    while (begin_.size() < size) {
        auto held = begin_.size();
        begin_.resize(size);
        auto count = input_->read_at(held, std::as_writable_bytes(std::span(begin_)).subspan(held));
        begin_.resize(held + count.value_or(0));
        if (!count)
            return tl::unexpected(count.error());
        if (*count == 0)
            break;
    }
    return std::as_bytes(std::span(std::as_const(begin_)));
}

IoResult<std::size_t> LookedInto::read_at(std::uint64_t offset, std::span<std::byte> out)
{
    if (offset >= begin_.size())
        return input_->read_at(offset, out);
    auto begin = std::as_bytes(std::span(begin_)).subspan(static_cast<std::size_t>(offset));
    auto count = std::min(out.size(), begin.size());
    std::copy_n(begin.begin(), count, out.begin());
    return count;
}

Result<std::unique_ptr<InputFile>> spool(InputFile &input, const std::string &name)
{
    const char *set = std::getenv("TMPDIR");
    const std::string folder = set != nullptr && *set != '\0' ? set : "/tmp";
    auto cannot_keep = [&](int error) {
        return failure(fmt::format("cannot keep {} in {}, which a merged recording from a pipe needs: {}", quote(name),
                                   quote(folder), std::strerror(error)));
    };
    auto file = create_nameless(folder);
    if (!file.is_open())
        return cannot_keep(errno);
    std::vector<std::byte> buffer(std::size_t{256} << 10);
    std::uint64_t size = 0;
    for (;;) {
        auto count = input.read_at(size, buffer);
        if (!count)
            return failure(fmt::format("cannot read {}: {}", quote(name), std::strerror(count.error())));
        if (*count == 0)
            return std::make_unique<Spooled>(std::move(file), size);
        if (!write_all(file.get(), std::span(buffer).first(*count)))
            return cannot_keep(errno);
        size += *count;
    }
}

} // namespace tcpflight

#include "probe/socket_iterators.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <programs.skel.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

tl::unexpected<Error> failed(int error)
{
    return failure(fmt::format("cannot list the sockets: {}", std::strerror(error)));
}

// Closes what bpf_iter_create() opened.
class OpenList {
public:
    explicit OpenList(const bpf_link *link) : fd_(bpf_iter_create(bpf_link__fd(link))) {}
    OpenList(const OpenList &) = delete;
    OpenList &operator=(const OpenList &) = delete;
    ~OpenList()
    {
        if (fd_ >= 0)
            close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

} // namespace

Result<SocketIterators> SocketIterators::attach(programs &skeleton)
{
    SocketIterators iterators;
    const std::array<bpf_program *, 3> programs{skeleton.progs.find_sockets, skeleton.progs.find_holders,
                                                skeleton.progs.find_inhabitants};
    for (std::size_t i = 0; i < programs.size(); i++) {
        iterators.links_[i] = bpf_program__attach_iter(programs[i], nullptr);
        if (iterators.links_[i] == nullptr)
            return failed(errno);
    }
    return iterators;
}

SocketIterators::SocketIterators(SocketIterators &&other) noexcept : links_(std::exchange(other.links_, {})) {}

SocketIterators &SocketIterators::operator=(SocketIterators &&other) noexcept
{
    std::swap(links_, other.links_);
    return *this;
}

SocketIterators::~SocketIterators()
{
    for (auto *link : links_)
        bpf_link__destroy(link);
}

std::array<int, 3> SocketIterators::descriptors() const
{
    return {bpf_link__fd(links_[Sockets]), bpf_link__fd(links_[Holders]), bpf_link__fd(links_[Inhabitants])};
}

template <typename T> Result<void> SocketIterators::read(List list, std::vector<T> &out) const
{
    // The kernel hands over some 32 KiB at a time, whole records always (kernel/bpf/bpf_iter.c).
    constexpr std::size_t chunk = (std::size_t{64} << 10) / sizeof(T);
    // What is not needed of it is never touched, and so no memory; growing is that twice.
    constexpr std::size_t usual = (std::size_t{4} << 20) / sizeof(T);
    out.reserve(usual);
    OpenList open(links_[list]);
    if (open.get() < 0)
        return failed(errno);
    for (auto size = out.size();;) {
        out.resize(size + chunk);
        auto got = ::read(open.get(), out.data() + size, chunk * sizeof(T));
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        int error = errno;
        size += got > 0 ? static_cast<std::size_t>(got) / sizeof(T) : 0;
        out.resize(size);
        if (got < 0)
            return failed(error);
        if (got == 0)
            return {};
    }
}

template <typename T> Result<std::vector<T>> SocketIterators::read_all(List list) const
{
    std::vector<T> all;
    if (auto done = read(list, all); !done)
        return tl::unexpected(done.error());
    return all;
}

Result<void> SocketIterators::read_sockets(std::vector<std::byte> &records) const
{
    return read(Sockets, records);
}

Result<std::vector<tf_holder>> SocketIterators::holders() const
{
    return read_all<tf_holder>(Holders);
}

Result<std::vector<tf_inhabitant>> SocketIterators::inhabitants() const
{
    return read_all<tf_inhabitant>(Inhabitants);
}

} // namespace tcpflight

#include "source/ring_reader.h"

#include <fmt/format.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tcpflight {
namespace {

// Small enough for the producers never to starve, large enough to be rare.
constexpr std::size_t step_bytes = std::size_t{64} << 10;

std::size_t page_size()
{
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

} // namespace

Result<RingReader> RingReader::open(int map_fd, std::size_t size)
{
    RingReader reader;
    reader.size_ = size;
    auto fail = [] { return failure(fmt::format("cannot map the ring buffer: {}", std::strerror(errno))); };

    void *consumer = mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (consumer == MAP_FAILED)
        return fail();
    reader.consumer_position_ = static_cast<std::uint64_t *>(consumer);

    void *producer =
        mmap(nullptr, page_size() + 2 * size, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_size()));
    if (producer == MAP_FAILED)
        return fail();
    reader.producer_page_ = static_cast<std::byte *>(producer);
    return reader;
}

RingReader::RingReader(RingReader &&other) noexcept
    : consumer_position_(std::exchange(other.consumer_position_, nullptr)),
      producer_page_(std::exchange(other.producer_page_, nullptr)), size_(other.size_)
{
}

RingReader &RingReader::operator=(RingReader &&other) noexcept
{
    if (this != &other) {
        unmap();
        consumer_position_ = std::exchange(other.consumer_position_, nullptr);
        producer_page_ = std::exchange(other.producer_page_, nullptr);
        size_ = other.size_;
    }
    return *this;
}

RingReader::~RingReader()
{
    unmap();
}

void RingReader::unmap()
{
    if (consumer_position_ != nullptr)
        munmap(consumer_position_, page_size());
    if (producer_page_ != nullptr)
        munmap(producer_page_, page_size() + 2 * size_);
}

// Sequentially consistent, for the wake-up: a producer wakes the reader only if it finds the reader's position at its
// own record, so this store must be seen before epoll looks at the producers' position once more.
void RingReader::give_back(std::uint64_t position)
{
    std::atomic_ref(*consumer_position_).store(position, std::memory_order_seq_cst);
}

bool RingReader::drain(RecordConsumer &consumer)
{
    auto load = [](const void *address) {
        return __atomic_load_n(static_cast<const std::uint64_t *>(address), __ATOMIC_ACQUIRE);
    };
    const std::byte *data = producer_page_ + page_size();
    std::uint64_t position = *consumer_position_; // nobody else writes it
    std::uint64_t given_back = position;
    bool more = true;
    held_up_ = false;

    for (auto end = load(producer_page_); more && position < end; end = load(producer_page_)) {
        while (more && position < end) {
            const std::byte *header = data + (position & (size_ - 1));
            auto length = __atomic_load_n(reinterpret_cast<const std::uint32_t *>(header), __ATOMIC_ACQUIRE);
            if ((length & BPF_RINGBUF_BUSY_BIT) != 0) {
                give_back(position); // its producer will wake us: it finds us waiting for this record
                held_up_ = true;
                return true;
            }
            bool discarded = (length & BPF_RINGBUF_DISCARD_BIT) != 0;
            length &= ~static_cast<std::uint32_t>(BPF_RINGBUF_DISCARD_BIT);
            if (!discarded)
                more = consumer.consume({header + BPF_RINGBUF_HDR_SZ, length});
            position += (length + BPF_RINGBUF_HDR_SZ + 7) & ~std::uint64_t{7};
            if (position - given_back >= step_bytes) {
                give_back(position);
                given_back = position;
            }
        }
    }
    give_back(position);
    return more;
}

} // namespace tcpflight

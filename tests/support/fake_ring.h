// A BPF ring buffer without BPF: what the kernel maps and writes, in a memory file.
#pragma once

#include "source/source.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight::test {

constexpr std::size_t ring_size = 4096;

// The kernel's side of a ring buffer, in a memory file of the same layout: consumer page, producer page, data, data
// again.
class FakeRing {
public:
    FakeRing() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), fd_(memfd_create("ring", MFD_CLOEXEC))
    {
        auto size = 2 * page_ + 2 * ring_size;
        EXPECT_EQ(ftruncate(fd_, static_cast<off_t>(size)), 0);
        void *map = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
        memory_ = static_cast<std::byte *>(map);
    }
    FakeRing(const FakeRing &) = delete;
    FakeRing &operator=(const FakeRing &) = delete;
    ~FakeRing()
    {
        munmap(memory_, 2 * page_ + 2 * ring_size);
        close(fd_);
    }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::uint64_t &consumer() const { return *reinterpret_cast<std::uint64_t *>(memory_); }
    [[nodiscard]] std::uint64_t &producer() const { return *reinterpret_cast<std::uint64_t *>(memory_ + page_); }

    // Returns the record's position, for commit().
    std::uint64_t put(std::string_view text, std::uint32_t bits = 0)
    {
        auto position = producer();
        auto length = static_cast<std::uint32_t>(text.size()) | bits;
        write(position, {reinterpret_cast<const char *>(&length), sizeof(length)});
        write(position + BPF_RINGBUF_HDR_SZ, text);
        producer() = position + ((text.size() + BPF_RINGBUF_HDR_SZ + 7) & ~std::uint64_t{7});
        return position;
    }

    void commit(std::uint64_t position, std::uint32_t length) const
    {
        write(position, {reinterpret_cast<const char *>(&length), sizeof(length)});
    }

private:
    void write(std::uint64_t position, std::string_view bytes) const
    {
        for (std::size_t i = 0; i < bytes.size(); i++) {
            auto at = (position + i) % ring_size;
            memory_[2 * page_ + at] = memory_[2 * page_ + ring_size + at] = static_cast<std::byte>(bytes[i]);
        }
    }

    std::size_t page_;
    int fd_;
    std::byte *memory_ = nullptr;
};

struct Collector : RecordConsumer {
    bool consume(std::span<const std::byte> record) override
    {
        texts.emplace_back(reinterpret_cast<const char *>(record.data()), record.size());
        return texts.size() < limit;
    }
    std::vector<std::string> texts;
    std::size_t limit = 1'000'000;
};

} // namespace tcpflight::test

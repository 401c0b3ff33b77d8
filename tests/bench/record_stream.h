// Streams of raw records for the micro benchmarks: any length, any number of connections alive at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace tcpflight::bench {

// Records one after the other, as they lie in the ring.
class RecordBatch {
public:
    void clear();
    void add(std::span<const std::byte> record);

    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    // Calls consume(std::span<const std::byte>) for each.
    template <typename Consume> void for_each(Consume &&consume) const
    {
        std::size_t begin = 0;
        for (auto end : ends_) {
            consume(std::span(bytes_).subspan(begin, end - begin));
            begin = end;
        }
    }

private:
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> ends_;
};

// A host at work: `live` established connections, half of them outgoing. Again and again one of them, chosen at random,
// ends orderly, and a new one takes its place; some of that happens at the same time and is interleaved. One in a
// hundred is retransmitted on. A record comes each microsecond. The same in each run.
class RecordStream {
public:
    explicit RecordStream(std::uint32_t live);

    // The records that open the `live` connections; then, call by call, more.
    void open_all(RecordBatch &out);
    void append(std::size_t records, RecordBatch &out);

    [[nodiscard]] std::uint64_t now_ns() const { return now_us_ * 1000; }

private:
    struct Slot {
        std::uint64_t cookie = 0;
        std::uint32_t number = 0; // of the connection: chooses ports and addresses
    };
    // A slot in the course of being given to a new connection.
    struct Turn {
        std::uint32_t slot = 0;
        unsigned step = 0;
    };

    void step(Turn &turn, RecordBatch &out);
    void emit(const Slot &slot, unsigned step, RecordBatch &out);
    void renew(Slot &slot);
    [[nodiscard]] Turn next_turn();

    std::vector<Slot> slots_;
    std::vector<Turn> turns_;
    std::mt19937 random_{20'281};
    std::uint64_t next_cookie_ = 1;
    std::uint32_t next_number_ = 0;
    std::uint64_t now_us_ = 1'000'000;
};

} // namespace tcpflight::bench

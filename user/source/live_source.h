// Records as they happen, in the order of time.
//
// They come in several streams: one for each CPU, whose records are in its stage or, in batches, in the ring buffer;
// and one of single records from the ring. Each stream is in order by itself; here they are merged by their time
// stamps.
//
// Losses come in the same order: a TF_RECORD_LOST at the time of the first record that is missing.
//
// A socket's records never change places, whichever CPUs they came from: a record is in its stream before the socket's
// lock is released, so whatever is stamped before a read began, and all that it follows from, is found by that read,
// unless it stands in the ring behind a record that its CPU has not completed. Then nothing is handed over until it
// has.
#pragma once

#include "model/result.h"
#include "source/channel.h"
#include "source/ring_reader.h"
#include "source/source.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace tcpflight {

class LiveSource {
public:
    static Result<LiveSource> open(const Channel &channel);

    // Hands over every record stamped up to `until_ns` (CLOCK_BOOTTIME), which must have passed. False: the consumer
    // had enough; what it did not take is still there. What comes in between is taken aside, as by take_aside().
    bool read(std::uint64_t until_ns, RecordConsumer &consumer);
    // As `until_ns`, at the end: waits for nothing that is still being written.
    static constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

    // What is stamped up to here has been read, if the consumer took it all: `until_ns` of the last read, or of an
    // earlier one if a record was still being written.
    [[nodiscard]] std::uint64_t settled_ns() const { return settled_ns_; }
    // Did the last read find a record that was still being written?
    [[nodiscard]] bool is_held_up() const { return held_up_; }

    // For whoever takes long until the next read(): what has come goes into memory of our own, so that the ring has
    // room again; no more than `aside_times` its size.
    void take_aside();
    static constexpr std::size_t aside_times = 16;

    // Records of other origin, in the order of time among themselves: the next read merges them with its own.
    void add(std::vector<std::byte> records);

    // Has the last read left records that were too young, or could not be read yet?
    [[nodiscard]] bool has_rest() const;

    // Tells the programs whether the reader is about to sleep. A store takes its time to be seen by other CPUs: after
    // set_asleep(true), read once more, some milliseconds later, before you rely on being woken.
    void set_asleep(bool asleep);

    // Batches that made no sense; 0 unless kernel and program are of different builds.
    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

private:
    struct Stream {
        std::vector<std::byte> bytes;
        std::size_t head = 0;       // of the first record not handed over
        std::uint64_t position = 0; // in the CPU's stream, of the end of `bytes`

        [[nodiscard]] bool is_empty() const { return head == bytes.size(); }
        [[nodiscard]] std::span<const std::byte> rest() const { return std::span(bytes).subspan(head); }
        void append(std::span<const std::byte> records);
        void give_back();
    };
    class Items;

    LiveSource(RingReader ring, const Channel &channel);
    bool collect();
    bool collect_cpu(std::size_t cpu, RecordConsumer &items);
    void collect_loss(std::size_t cpu);
    bool collect_stage(const tf_stage &stage, Stream &stream);
    void take_item(std::span<const std::byte> item);
    bool merge(std::uint64_t until_ns, RecordConsumer &consumer);
    [[nodiscard]] std::uint64_t second_ns() const;
    void sink_first();
    std::size_t record_size(Stream &stream);

    RingReader ring_;
    Channel channel_;
    std::vector<Stream> streams_;                           // one a CPU, one for single records, one a CPU for losses,
                                                            // one for each add()
    std::vector<std::uint64_t> losses_told_;                // by CPU
    std::vector<std::pair<std::uint64_t, Stream *>> heads_; // a heap, the oldest on top
    std::uint64_t settled_ns_ = 0;
    bool held_up_ = false;
    std::uint64_t damaged_ = 0;
};

} // namespace tcpflight

#include "source/live_source.h"

#include "support/fake_ring.h"
#include "support/record_builder.h"
#include "tcpflight/control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t forever = LiveSource::everything;

// Takes records down as "cookie@microseconds", losses as "lost TOTAL@microseconds".
struct Taken : RecordConsumer {
    bool consume(std::span<const std::byte> record) override
    {
        tf_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        auto time = "@" + std::to_string(header.time_ns / 1000);
        if (header.type == TF_RECORD_LOST) {
            tf_loss loss{};
            std::memcpy(&loss, record.data() + sizeof(header), sizeof(loss));
            list.push_back("lost " + std::to_string(loss.total) + time);
        } else {
            list.push_back(std::to_string(header.cookie) + time);
        }
        return list.size() < limit;
    }
    std::vector<std::string> list;
    std::size_t limit = 1'000'000;
};

using List = std::vector<std::string>;

// Two CPUs, and what the programs do on them.
class LiveSourceTest : public testing::Test {
protected:
    void stage(std::size_t cpu, std::uint64_t cookie, std::uint64_t time_us)
    {
        auto bytes = RecordBuilder::state(cookie, time_us, 1, 4).bytes();
        auto &stage = stages[cpu];
        std::memcpy(stage.data + stage.used, bytes.data(), bytes.size());
        stage.used += static_cast<std::uint32_t>(bytes.size());
    }

    void flush(std::size_t cpu)
    {
        auto &stage = stages[cpu];
        stage.type = TF_ITEM_BATCH;
        stage.cpu = static_cast<std::uint16_t>(cpu);
        ring.put({reinterpret_cast<const char *>(&stage), TF_STAGE_HEADER + stage.used});
        auto used = stage.used;
        stage.used = 0;
        stage.flushed += used;
    }

    void send_alone(std::uint64_t cookie, std::uint64_t time_us)
    {
        auto bytes = RecordBuilder::state(cookie, time_us, 1, 4).bytes();
        ring.put({reinterpret_cast<const char *>(bytes.data()), bytes.size()});
    }

    List read(std::uint64_t until_us = forever)
    {
        taken.list.clear();
        source.read(until_us == forever ? forever : until_us * 1000, taken);
        return taken.list;
    }

    FakeRing ring;
    std::vector<tf_stage> stages = std::vector<tf_stage>(2);
    unsigned asleep = 0;
    LiveSource source = std::move(
        LiveSource::open({.ring_fd = ring.fd(), .ring_bytes = ring_size, .stages = stages, .asleep = &asleep}).value());
    Taken taken;
};

TEST_F(LiveSourceTest, ReadsWhatIsStillInAStage)
{
    EXPECT_EQ(read(), List{});
    stage(0, 1, 10);
    EXPECT_EQ(read(), (List{"1@10"}));
    EXPECT_EQ(read(), List{});
    stage(0, 1, 11);
    stage(0, 1, 12);
    EXPECT_EQ(read(), (List{"1@11", "1@12"}));
}

TEST_F(LiveSourceTest, ReadsNothingTwiceWhenTheStageGoesIntoTheRing)
{
    stage(0, 1, 10);
    EXPECT_EQ(read(), (List{"1@10"}));
    stage(0, 1, 11);
    flush(0);
    stage(0, 1, 12);
    EXPECT_EQ(read(), (List{"1@11", "1@12"}));
    flush(0); // all of it read already
    EXPECT_EQ(read(), List{});
    for (std::uint64_t i = 20; i < 25; i++) {
        stage(0, 1, i);
        flush(0);
    }
    EXPECT_EQ(read(), (List{"1@20", "1@21", "1@22", "1@23", "1@24"}));
    EXPECT_EQ(source.damaged(), 0U);
}

TEST_F(LiveSourceTest, MergesWhatWasAdded)
{
    std::vector<std::byte> found;
    for (std::uint64_t time_us : {11U, 13U}) {
        auto bytes = RecordBuilder::found(7, time_us, 1).bytes();
        found.insert(found.end(), bytes.begin(), bytes.end());
    }
    stage(0, 1, 10);
    stage(1, 2, 12);
    source.add(found);
    EXPECT_EQ(read(12), (List{"1@10", "7@11", "2@12"}));
    EXPECT_TRUE(source.has_rest());
    EXPECT_EQ(read(), (List{"7@13"}));
    EXPECT_EQ(source.damaged(), 0U);
}

TEST_F(LiveSourceTest, MergesTheCpusByTime)
{
    stage(0, 1, 10);
    stage(1, 2, 11);
    stage(0, 1, 12);
    flush(0);
    stage(1, 2, 13);
    send_alone(3, 14);
    stage(0, 1, 15);
    stage(1, 2, 16);
    flush(1);
    EXPECT_EQ(read(), (List{"1@10", "2@11", "1@12", "2@13", "3@14", "1@15", "2@16"}));
}

TEST_F(LiveSourceTest, KeepsWhatIsTooYoung)
{
    stage(0, 1, 10);
    stage(1, 2, 11);
    stage(0, 1, 20);
    EXPECT_EQ(read(15), (List{"1@10", "2@11"}));
    EXPECT_TRUE(source.has_rest());
    stage(1, 2, 16);
    EXPECT_EQ(read(), (List{"2@16", "1@20"}));
    EXPECT_FALSE(source.has_rest());
}

// A socket goes from one CPU to another: what the second one has must not overtake what the first one put into the ring
// behind a record that a third is still writing.
TEST_F(LiveSourceTest, HandsNothingOverWhileARecordIsBeingWritten)
{
    stage(0, 7, 9);
    EXPECT_EQ(read(9), (List{"7@9"}));
    auto busy = ring.put(std::string(sizeof(tf_header), '\0'), BPF_RINGBUF_BUSY_BIT);
    stage(0, 1, 10);
    flush(0);
    stage(1, 1, 11);
    EXPECT_EQ(read(12), List{});
    EXPECT_TRUE(source.is_held_up());
    EXPECT_TRUE(source.has_rest());
    EXPECT_EQ(source.settled_ns(), 9'000U);
    ring.commit(busy, sizeof(tf_header) | BPF_RINGBUF_DISCARD_BIT);
    EXPECT_EQ(read(12), (List{"1@10", "1@11"}));
    EXPECT_FALSE(source.is_held_up());
    EXPECT_FALSE(source.has_rest());
    EXPECT_EQ(source.settled_ns(), 12'000U);
}

TEST_F(LiveSourceTest, PutsALossWhereItBegan)
{
    stage(0, 1, 10);
    stages[1].ring_full = 3;
    stages[1].lost_since = 11'000;
    stages[1].lost_until = 15'000;
    stage(0, 1, 12);
    EXPECT_EQ(read(), (List{"1@10", "lost 3@11", "1@12"}));
    EXPECT_EQ(stages[1].lost_since, 0U); // the next loss begins anew
    EXPECT_EQ(read(), List{});
    stages[1].ring_full = 4; // counted when we had just taken the time away
    stages[1].lost_until = 16'000;
    EXPECT_EQ(read(), (List{"lost 4@16"}));
}

TEST_F(LiveSourceTest, PutsTheLossesOfSeveralCpusInOrder)
{
    for (std::size_t cpu : {0U, 1U}) {
        stages[cpu].ring_full = 1;
        stages[cpu].lost_since = stages[cpu].lost_until = 20'000 - cpu * 10'000;
    }
    stage(0, 1, 15);
    EXPECT_EQ(read(), (List{"lost 1@10", "1@15", "lost 1@20"}));
}

TEST_F(LiveSourceTest, GoesOnWhereTheConsumerHadEnough)
{
    for (std::uint64_t i = 10; i < 14; i++)
        stage(i % 2, 1, i);
    taken.limit = 2;
    EXPECT_FALSE(source.read(forever, taken));
    EXPECT_EQ(taken.list, (List{"1@10", "1@11"}));
    taken.limit = 100;
    EXPECT_EQ(read(), (List{"1@12", "1@13"}));
}

// While records are handed over, which can take longer than it takes to fill the ring, that is emptied.
TEST_F(LiveSourceTest, TakesAsideWhatComesWhileRecordsAreHandedOver)
{
    struct Slow : Taken {
        explicit Slow(std::function<void()> work) : meanwhile(std::move(work)) {}
        bool consume(std::span<const std::byte> record) override
        {
            if (list.size() % 1000 == 0)
                meanwhile();
            return Taken::consume(record);
        }
        std::function<void()> meanwhile;
    };
    constexpr std::uint64_t found_count = 20'000;
    std::vector<std::byte> found;
    for (std::uint64_t i = 0; i < found_count; i++) {
        const auto bytes = RecordBuilder::found(7, 1 + i, 1).bytes();
        found.insert(found.end(), bytes.begin(), bytes.end());
    }
    source.add(found);
    std::uint64_t next_us = 1'000'000;
    std::size_t most = 0;
    std::uint64_t sent = 0;
    Slow slow([&] {
        for (int i = 0; i < 5; i++, sent++)
            stage(0, 1, next_us++);
        flush(0);
        most = std::max(most, static_cast<std::size_t>(ring.producer() - ring.consumer()));
    });
    source.read(found_count * 1000, slow);
    EXPECT_EQ(slow.list.size(), found_count);
    EXPECT_LE(most, ring_size) << "what had not been read was overwritten";
    const auto rest = read();
    ASSERT_EQ(rest.size(), sent);
    for (std::uint64_t i = 0; i < sent; i++)
        EXPECT_EQ(rest[i], "1@" + std::to_string(1'000'000 + i));
    EXPECT_EQ(source.damaged(), 0U);
}

TEST_F(LiveSourceTest, TakesNoMoreAsideThanItMay)
{
    std::uint64_t next_us = 10;
    std::size_t in_ring = 0;
    std::size_t bytes = 0;
    while (in_ring < ring_size / 2) {
        ASSERT_LT(bytes, 2 * LiveSource::aside_times * ring_size);
        for (int i = 0; i < 5; i++)
            stage(0, 1, next_us++);
        bytes += stages[0].used;
        flush(0);
        source.take_aside();
        in_ring = ring.producer() - ring.consumer();
    }
    EXPECT_GE(bytes, LiveSource::aside_times * ring_size);
    EXPECT_EQ(read().size(), next_us - 10) << "and nothing is missing";
}

TEST_F(LiveSourceTest, CountsWhatMakesNoSense)
{
    ring.put("wake up"); // shorter than a header: not a record
    EXPECT_EQ(read(), List{});
    EXPECT_EQ(source.damaged(), 0U);
    stages[0].flushed = 4096; // a batch is missing before this one
    stage(0, 1, 10);
    flush(0);
    EXPECT_EQ(read(), List{});
    EXPECT_EQ(source.damaged(), 1U);
}

TEST_F(LiveSourceTest, TellsTheProgramsThatItSleeps)
{
    source.set_asleep(true);
    EXPECT_EQ(asleep, 1U);
    source.set_asleep(false);
    EXPECT_EQ(asleep, 0U);
}

} // namespace
} // namespace tcpflight::test

#include "source/ring_reader.h"

#include "support/fake_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace tcpflight::test {
namespace {

using Texts = std::vector<std::string>;

class RingReaderTest : public testing::Test {
protected:
    FakeRing ring;
    RingReader reader = std::move(RingReader::open(ring.fd(), ring_size).value());
    Collector collector;
};

TEST_F(RingReaderTest, HandsOverInOrderAndGivesTheSpaceBack)
{
    EXPECT_TRUE(reader.drain(collector));
    EXPECT_TRUE(collector.texts.empty());
    ring.put("one");
    ring.put("twelve bytes");
    EXPECT_TRUE(reader.drain(collector));
    EXPECT_EQ(collector.texts, (Texts{"one", "twelve bytes"}));
    EXPECT_EQ(ring.consumer(), ring.producer());
}

TEST_F(RingReaderTest, ReadsRecordsThatWrapAround)
{
    Texts expected;
    for (int i = 0; i < 1000; i++) {
        expected.push_back(std::string(static_cast<std::size_t>(i % 120), static_cast<char>('a' + i % 26)));
        ring.put(expected.back());
        ASSERT_TRUE(reader.drain(collector));
    }
    EXPECT_GT(ring.consumer(), 10 * ring_size);
    EXPECT_EQ(collector.texts, expected);
}

TEST_F(RingReaderTest, SkipsWhatWasDiscarded)
{
    ring.put("one");
    ring.put("never mind", BPF_RINGBUF_DISCARD_BIT);
    ring.put("three");
    reader.drain(collector);
    EXPECT_EQ(collector.texts, (Texts{"one", "three"}));
}

TEST_F(RingReaderTest, StopsBeforeARecordThatIsStillBeingWritten)
{
    ring.put("one");
    auto busy = ring.put("two", BPF_RINGBUF_BUSY_BIT);
    ring.put("three");
    EXPECT_TRUE(reader.drain(collector));
    EXPECT_EQ(collector.texts, (Texts{"one"}));
    // The producer of the busy record wakes us only if our position is exactly there.
    EXPECT_EQ(ring.consumer(), busy);
    ring.commit(busy, 3);
    reader.drain(collector);
    EXPECT_EQ(collector.texts, (Texts{"one", "two", "three"}));
}

TEST_F(RingReaderTest, StopsWhenTheConsumerHasEnoughAndGoesOnThere)
{
    for (auto text : {"one", "two", "three"})
        ring.put(text);
    collector.limit = 2;
    EXPECT_FALSE(reader.drain(collector));
    EXPECT_EQ(collector.texts, (Texts{"one", "two"}));
    collector.limit = 10;
    EXPECT_TRUE(reader.drain(collector));
    EXPECT_EQ(collector.texts, (Texts{"one", "two", "three"}));
}

TEST(RingReader, SaysWhyItCannotBeOpened)
{
    auto reader = RingReader::open(-1, ring_size);
    ASSERT_FALSE(reader);
    EXPECT_NE(reader.error().message.find("ring buffer"), std::string::npos);
}

} // namespace
} // namespace tcpflight::test

#include "sink/line_writer.h"

#include "sink/recent_text.h"
#include "unit/sink/print.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpflight {
namespace {

// Of every length, beside others, over the end of the buffer too.
TEST(LineWriter, PutsTextOfAnyLength)
{
    std::string all;
    for (int i = 0; i < 3000; i++)
        all += static_cast<char>('a' + i % 26);
    for (std::size_t length = 0; length <= 40; length++) {
        std::string out;
        std::string expected;
        LineWriter line(out);
        for (std::size_t at = 0; at + 40 < 1500; at += 41) {
            line.put(std::string_view(all).substr(at, length));
            line.put('|');
            expected += all.substr(at, length) + '|';
        }
        line.finish();
        EXPECT_EQ(out, expected + '\n') << length;
    }
    std::string out;
    LineWriter line(out);
    line.put("x");
    line.put(std::string_view(all)); // longer than the buffer
    line.put("literal");
    line.finish();
    EXPECT_EQ(out, "x" + all + "literal\n");
}

TEST(LineWriter, PutsOfRoundedTextWhatIsToBePut)
{
    const std::string text(64, 'x');
    for (std::size_t size = 0; size <= text.size(); size++) {
        std::string out;
        LineWriter line(out);
        line.put_rounded(text.data(), size);
        line.finish();
        EXPECT_EQ(out, text.substr(0, size) + '\n');
    }
}

class RecentTextTest : public testing::Test {
protected:
    // What is put for `key`, and whether it was written anew.
    std::string put(int key, std::uint64_t number, const std::string &text, std::size_t before = 0)
    {
        std::string out;
        LineWriter line(out);
        line.put(std::string_view(std::string(before, '.')));
        texts.put(line, key, number, [&](LineWriter &to) {
            written++;
            to.put(std::string_view(text));
        });
        line.finish();
        return out.substr(before, out.size() - before - 1);
    }

    RecentText<int, 32> texts;
    int written = 0;
};

TEST_F(RecentTextTest, IsWrittenOnce)
{
    EXPECT_EQ(put(1, 5, "one"), "one");
    EXPECT_EQ(put(1, 5, "never asked for"), "one");
    EXPECT_EQ(written, 1);
}

TEST_F(RecentTextTest, IsOfItsKeyAlone)
{
    EXPECT_EQ(put(1, 5, "one"), "one");
    EXPECT_EQ(put(2, 5, "two"), "two"); // in the same place
    EXPECT_EQ(put(1, 5, "one again"), "one again");
    EXPECT_EQ(put(3, 6, "three"), "three");
    EXPECT_EQ(put(1, 5, "never"), "one again");
    EXPECT_EQ(written, 4);
}

TEST_F(RecentTextTest, IsWrittenEachTimeIfItIsLong)
{
    EXPECT_EQ(put(1, 5, "one"), "one");
    const std::string longest(32, 'x');
    const std::string longer(33, 'x');
    EXPECT_EQ(put(2, 5, longer), longer);
    EXPECT_EQ(put(2, 5, longest), longest);
    EXPECT_EQ(put(2, 5, "never"), longest);
    const std::string much(2000, 'y'); // more than a line's buffer
    EXPECT_EQ(put(4, 5, much), much);
    EXPECT_EQ(put(4, 5, "anew"), "anew");
}

// Where the line's buffer is nearly full, too.
TEST_F(RecentTextTest, FindsRoomWhereverTheLineStands)
{
    for (std::size_t before = 850; before < 1100; before++) {
        const auto key = static_cast<int>(before);
        EXPECT_EQ(put(key, before, "some text", before), "some text");
        EXPECT_EQ(put(key, before, "never", before), "some text");
    }
}

// What is kept of a connection is not shown of another one, nor what it was before.
TEST(Text, OfOneConnectionIsNotShownOfAnother)
{
    auto sink = make_sink({});
    sink->set_clock(test::start);
    auto line_of = [&](const test::EventBuilder &builder) {
        std::string out;
        const auto event = builder.build();
        sink->write(event.view(), out);
        return out.substr(out.find("IP"));
    };
    test::EventBuilder builder;
    builder.local("192.0.2.1", 1000).remote("192.0.2.2", 80).owner("a", 7, OwnerSource::Connect);
    builder.changes(TcpState::SynSent, TcpState::Established);
    EXPECT_EQ(line_of(builder), "IP 192.0.2.1.1000 > 192.0.2.2.80: SYN_SENT -> ESTABLISHED, a[7]\n");
    EXPECT_EQ(line_of(builder.remote("192.0.2.2", 81)),
              "IP 192.0.2.1.1000 > 192.0.2.2.81: SYN_SENT -> ESTABLISHED, a[7]\n");
    EXPECT_EQ(line_of(builder.local("192.0.2.9", 1000)),
              "IP 192.0.2.9.1000 > 192.0.2.2.81: SYN_SENT -> ESTABLISHED, a[7]\n");
    EXPECT_EQ(line_of(builder.owner("b", 7, OwnerSource::Connect)),
              "IP 192.0.2.9.1000 > 192.0.2.2.81: SYN_SENT -> ESTABLISHED, b[7]\n");
    EXPECT_EQ(line_of(builder.owner("b", 7 + 256, OwnerSource::Connect)),
              "IP 192.0.2.9.1000 > 192.0.2.2.81: SYN_SENT -> ESTABLISHED, b[263]\n");
    EXPECT_EQ(line_of(builder.changes(TcpState::Close, TcpState::Listen)),
              "IP 192.0.2.9.1000 > *: CLOSE -> LISTEN, b[263]\n");
    EXPECT_EQ(line_of(builder.changes(TcpState::Established, TcpState::CloseWait)),
              "IP 192.0.2.9.1000 > 192.0.2.2.81: ESTABLISHED -> CLOSE_WAIT, b[263]\n");
}

} // namespace
} // namespace tcpflight

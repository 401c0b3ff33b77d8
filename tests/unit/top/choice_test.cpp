// The filter line.
#include "top/choice.h"

#include "row_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t now = 100 * row_s;

bool chosen(const std::string &text, const Row &row)
{
    auto filter = parse_choice(text, no_names());
    EXPECT_TRUE(filter) << filter.error().message;
    return filter && is_chosen(*filter, row, now);
}

TEST(TopChoice, AsksWhatARowShows)
{
    const Row row = RowBuilder().begun(40 * row_s).retransmits(3).rtt(1500);
    EXPECT_TRUE(chosen("", row));
    EXPECT_TRUE(chosen("port 12345 and comm telnet", row));
    EXPECT_FALSE(chosen("port 80", row));
    EXPECT_TRUE(chosen("state ESTABLISHED", row));
    EXPECT_FALSE(chosen("state CLOSE_WAIT", row));
    EXPECT_TRUE(chosen("duration > 59s and duration < 61s", row));
    EXPECT_TRUE(chosen("retransmits = 3", row));
    EXPECT_FALSE(chosen("retransmits > 3", row));
    EXPECT_TRUE(chosen("rtt > 1ms", row));
}

TEST(TopChoice, TakesAHandshakeForWhatIsShownOfIt)
{
    EXPECT_TRUE(chosen("state SYN_RECV", RowBuilder().in(TcpState::NewSynRecv)));
}

TEST(TopChoice, TakesWhatIsNotKnownForFalse)
{
    const Row row = RowBuilder();
    EXPECT_FALSE(chosen("rtt > 1ms", row));
    EXPECT_FALSE(chosen("outgoing", row));
}

TEST(TopChoice, RefusesWhatNoRowTells)
{
    EXPECT_EQ(parse_choice("event reset", no_names()).error().message,
              "a row is a connection and no event: leave out event, or give it on the command line");
    EXPECT_EQ(parse_choice("port 1 and bytes > 1M", no_names()).error().message,
              "bytes are known at the end only: leave them out, or give them on the command line");
}

TEST(TopChoice, PointsAtAnError)
{
    const auto filter = parse_choice("port 80 andd state LISTEN", no_names());
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().message, "'andd' is no keyword: did you mean 'and'?\n"
                                      "    port 80 andd state LISTEN\n"
                                      "            ^~~~");
}

} // namespace
} // namespace tcpflight::test

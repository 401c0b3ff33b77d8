// Loss and round-trip time of one connection.
#include "unit/diagnose/judged.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

using enum TcpState;
using enum VerdictKind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// A segment that goes again: the `total`th, when `sent` were sent in all.
EventBuilder again(std::uint64_t time_ns, std::uint32_t total, std::uint32_t sent, std::uint32_t timeouts = 0)
{
    Retransmit retransmit;
    retransmit.kind = timeouts != 0 ? RetransmitKind::Timeout : RetransmitKind::Fast;
    retransmit.timeouts = timeouts;
    retransmit.offset = total;
    retransmit.length = 1;
    retransmit.total = total;
    retransmit.sent = sent;
    return EventBuilder().at(time_ns).connection(5).retransmits(retransmit);
}

// One of `every` segments is lost, one each `distance_ns`.
Judged &lose(Judged &judged, std::uint32_t every, std::uint32_t count, std::uint64_t distance_ns = 200 * ms)
{
    for (std::uint32_t i = 1; i <= count; i++)
        judged.add(again(1 * s + i * distance_ns, i, 1000 + i * every));
    return judged;
}

TEST(LossRate, ATenthIsSentAgain)
{
    Judged judged;
    lose(judged, 10, 9);
    EXPECT_THAT(judged.fallen, IsEmpty()) << "nine say nothing";
    judged.add(again(3 * s, 10, 1092));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(5, LossRate)));
    EXPECT_EQ(judged.last().repeated, 10U);
    EXPECT_EQ(judged.last().segments, 83U) << "from the first one that was sent again";
    EXPECT_EQ(judged.last().waits_ns, 1'800 * ms);
    EXPECT_EQ(severity_of(LossRate), Severity::Alarm);
    judged.add(again(4 * s, 11, 1095));
    EXPECT_EQ(judged.fallen.size(), 1U) << "once";
}

TEST(LossRate, LessIsNone)
{
    Judged judged;
    lose(judged, 12, 40);
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST(LossRate, ABurstIsNone)
{
    Judged judged;
    lose(judged, 2, 100, 9 * ms);
    EXPECT_THAT(judged.fallen, IsEmpty());
    lose(judged, 2, 120, 9 * ms);
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(5, LossRate))) << "it goes on";
}

// What a half-open connection repeats is not lost on the way.
TEST(LossRate, SilenceIsNone)
{
    Judged judged;
    for (std::uint32_t i = 1; i <= 15; i++)
        judged.add(again(i * s / 2, i, 1000 + i, i));
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(5, HalfOpen)));
}

TEST(LossRate, OneEventCanBeAboutSeveralSegments)
{
    Judged judged;
    judged.add(again(1 * s, 4, 1000));
    judged.add(again(2 * s, 13, 1060));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(5, LossRate)));
    EXPECT_EQ(judged.last().repeated, 10U) << "of the first event it is not known";
}

TEST(LossRate, AnOldWindowIsForgotten)
{
    Judged judged;
    lose(judged, 2, 9);
    for (std::uint32_t i = 1; i <= 9; i++)
        judged.add(again(20 * s + 200 * ms * i, 9 + i, 5000 + i * 2));
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST(LossRate, IsNotKnownInOlderRecordings)
{
    Judged judged;
    for (std::uint32_t i = 1; i <= 40; i++)
        judged.add(again(200 * ms * i, i, 0));
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST(LossRate, TheThresholdIsThatOfTheUser)
{
    Diagnosis::Settings settings;
    settings.thresholds.loss = 5;
    Judged judged(settings);
    lose(judged, 12, 12);
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(5, LossRate)));
}

TEST(LossRate, IsSaidAgainWhenItWasOver)
{
    const auto bad = [](Judged &judged, std::uint64_t begin_ns, std::uint32_t total, std::uint32_t sent) {
        for (std::uint32_t i = 1; i <= 12; i++)
            judged.add(again(begin_ns + i * 200 * ms, total + i, sent + i * 5));
    };
    Judged goes_on;
    for (std::uint32_t i = 0; i < 6; i++)
        bad(goes_on, (1 + 10 * i) * s, 12 * i, 1000 + 60 * i);
    EXPECT_EQ(goes_on.fallen.size(), 1U) << "what goes on is no news";

    Judged comes_back;
    bad(comes_back, 1 * s, 0, 1000);
    comes_back.add(again(12 * s, 13, 2000)); // one of a thousand
    bad(comes_back, 25 * s, 13, 3000);
    EXPECT_THAT(comes_back.kinds(), ElementsAre(Pair(5, LossRate), Pair(5, LossRate)));
}

// Segments that go again while the connection lives, with its round-trip time then.
class SlownessTest : public testing::Test {
protected:
    void again_with(std::uint64_t time_ns, std::uint32_t rtt_us, std::uint32_t timeouts = 0)
    {
        Retransmit retransmit;
        retransmit.kind = timeouts != 0 ? RetransmitKind::Timeout : RetransmitKind::Fast;
        retransmit.timeouts = timeouts;
        retransmit.offset = static_cast<std::uint32_t>(time_ns / ms);
        retransmit.length = 1;
        retransmit.metrics.rtt_us = rtt_us;
        judged.add(Judged::client(time_ns).retransmits(retransmit));
    }

    Judged judged;
};

TEST_F(SlownessTest, ASecondLongFarLongerThanTheHandshake)
{
    judged.open_client(1);
    again_with(10 * s, 600'000);
    again_with(10 * s + 999 * ms, 900'000);
    EXPECT_THAT(judged.fallen, IsEmpty());
    again_with(11 * s, 800'000);
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(1, RttInflation)));
    EXPECT_EQ(judged.last().rtt_ns, 800 * ms);
    EXPECT_EQ(judged.last().min_rtt_ns, 100 * us) << "of the handshake";
    EXPECT_FALSE(judged.last().ended);
    again_with(12 * s, 900'000);
    judged.add(Judged::client(13 * s).changes(LastAck, Close).took({.rtt_us = 900'000, .min_rtt_us = 100})).finish();
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(1, RttInflation), Pair(1, Orderly))) << "once";
}

TEST_F(SlownessTest, NotIfItWasShortInBetween)
{
    judged.open_client(1);
    again_with(10 * s, 600'000);
    again_with(11 * s, 400'000);
    again_with(12 * s, 600'000);
    again_with(12 * s + 900 * ms, 600'000);
    EXPECT_THAT(judged.fallen, IsEmpty());
}

TEST_F(SlownessTest, AgainstTheShortestThatWasSeenWhereTheHandshakeWasNot)
{
    again_with(10 * s, 600'000);
    again_with(12 * s, 600'000);
    EXPECT_THAT(judged.fallen, IsEmpty()) << "perhaps it is far away";
    again_with(13 * s, 20'000);
    again_with(14 * s, 600'000);
    again_with(15 * s, 600'000);
    EXPECT_THAT(judged.kinds(), ElementsAre(Pair(1, RttInflation)));
}

// The first round trip behind an outage is as long as that.
TEST_F(SlownessTest, AnOutageIsNone)
{
    judged.open_client(1);
    again_with(10 * s, 100, 1);
    again_with(11 * s, 100, 2);
    again_with(13 * s, 1'500'000);
    again_with(13 * s + 500 * ms, 1'300'000);
    again_with(14 * s + 400 * ms, 400'000);
    EXPECT_THAT(judged.fallen, IsEmpty());
}

std::vector<VerdictKind> at_the_end(const Traffic &traffic, std::uint32_t threshold = 10)
{
    Diagnosis::Settings settings;
    settings.thresholds.rtt = threshold;
    Judged judged(settings);
    judged.add(EventBuilder().at(1 * s).connection(5).changes(SynSent, Established));
    judged.add(EventBuilder().at(9 * s).connection(5).changes(LastAck, Close).took(traffic)).finish();
    std::vector<VerdictKind> kinds;
    for (const auto &[connection, kind] : judged.kinds())
        kinds.push_back(kind);
    return kinds;
}

TEST(RttInflation, TenTimesTheShortestAndHalfASecond)
{
    EXPECT_THAT(at_the_end({.rtt_us = 600'000, .min_rtt_us = 60'000}), ElementsAre(RttInflation, Orderly));
    EXPECT_THAT(at_the_end({.rtt_us = 599'999, .min_rtt_us = 60'000}), ElementsAre(Orderly));
    EXPECT_THAT(at_the_end({.rtt_us = 599'999, .min_rtt_us = 60'000}, 9), ElementsAre(RttInflation, Orderly));
    EXPECT_THAT(at_the_end({.rtt_us = 500'019, .min_rtt_us = 20}), ElementsAre(Orderly)) << "a delayed ACK";
    EXPECT_THAT(at_the_end({.rtt_us = 500'020, .min_rtt_us = 20}), ElementsAre(RttInflation, Orderly));
    EXPECT_THAT(at_the_end({.rtt_us = 900'000, .min_rtt_us = 0}), ElementsAre(Orderly)) << "not measured";
}

TEST(RttInflation, SaysBoth)
{
    Judged judged;
    judged.add(
        EventBuilder().at(9 * s).connection(5).changes(LastAck, Close).took({.rtt_us = 900'000, .min_rtt_us = 20}));
    ASSERT_THAT(judged.kinds(), ElementsAre(Pair(5, RttInflation)));
    EXPECT_EQ(judged.last().rtt_ns, 900 * ms);
    EXPECT_EQ(judged.last().min_rtt_ns, 20 * us);
    EXPECT_FALSE(judged.last().ended);
}

} // namespace
} // namespace tcpflight::test

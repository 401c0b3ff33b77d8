// --summary: what it counts, when it is printed, and that it keeps to its memory.
#include "unit/sink/print.h"

#include "sink/histogram.h"
#include "sink/summary.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;

TEST(Histogram, TellsPercentilesToASixteenth)
{
    Histogram times;
    EXPECT_EQ(times.percentile(50), 0U);
    for (std::uint64_t value = 1; value <= 1000; value++)
        times.add(value);
    EXPECT_EQ(times.count(), 1000U);
    EXPECT_EQ(times.max(), 1000U);
    for (const unsigned percent : {1U, 50U, 90U, 99U, 100U}) {
        EXPECT_LE(times.percentile(percent), percent * 10U);
        EXPECT_GE(times.percentile(percent), percent * 10U * 15 / 16);
    }
    times.add(~std::uint64_t{0});
    EXPECT_EQ(times.percentile(100), 0xf8ULL << 56);
}

class Summed {
public:
    explicit Summed(std::uint64_t every_ns = 0)
    {
        OutputStyle style;
        style.summary_ns = every_ns;
        sink_ = make_sink(style);
        sink_->set_clock(start);
    }
    Summed &add(const EventBuilder &builder)
    {
        const auto event = builder.build();
        sink_->write(event.view(), out);
        return *this;
    }
    Summed &end(VerdictKind kind, std::uint64_t time_ns, const std::string &peer = "10.0.0.1")
    {
        Verdict verdict;
        verdict.kind = kind;
        verdict.ended = true;
        verdict.handshake_ns = 16 * ms;
        verdict.lasted_ns = 2 * s;
        verdict.retransmits = kind == VerdictKind::Orderly ? 3 : 0;
        return add(EventBuilder().at(time_ns).remote(peer, 443).judged(verdict));
    }
    Summed &finish()
    {
        sink_->finish(out);
        return *this;
    }
    std::string out;

private:
    std::unique_ptr<Sink> sink_;
};

TEST(Summary, CountsEndsAndWhoHadTrouble)
{
    Verdict suspected;
    suspected.kind = VerdictKind::HalfOpen;
    Summed summed;
    summed.add(EventBuilder().at(0));
    for (int i = 0; i < 3; i++)
        summed.end(VerdictKind::Orderly, 1 * s);
    summed.end(VerdictKind::Refused, 1 * s).end(VerdictKind::ConnectTimedOut, 1 * s, "10.0.0.2");
    summed.end(VerdictKind::ListenerClosed, 1 * s);
    summed.add(EventBuilder().at(2 * s).judged(suspected))
        .add(EventBuilder().at(2 * s).loses(7, LossReason::RingFull, 0));
    EXPECT_EQ(summed.out, "");
    summed.finish();
    EXPECT_EQ(summed.out.substr(summed.out.find(", 2s")), R"(, 2s: 5 connections ended
         3 orderly
         1 refused
         1 connect-timed-out
         1 half-open, and goes on
         3 had retransmissions: 9 segments
         7 events were lost: some ends may be missing or unclear
   handshake p50 15.728ms, p90 15.728ms, p99 15.728ms, max 16ms
   lifetime  p50 1.946s, p90 1.946s, p99 1.946s, max 2s
   peers with trouble:
         1 10.0.0.1: 1 refused
         1 10.0.0.2: 1 connect-timed-out
         1 127.0.0.1: 1 half-open
   processes with trouble:
         3 telnet: 1 refused, 1 connect-timed-out, 1 half-open
)");
}

TEST(Summary, WhatIsOverDoesNotGoOn)
{
    Verdict suspected;
    suspected.kind = VerdictKind::HalfOpen;
    auto over = suspected;
    over.over = true;
    auto deserted = suspected; // said before, and now with what keepalive makes of it
    deserted.keepalive = Keepalive::Off;
    Summed summed;
    summed.add(EventBuilder().at(0).judged(suspected)).add(EventBuilder().at(0).judged(suspected));
    summed.add(EventBuilder().at(1 * s).judged(deserted)).add(EventBuilder().at(2 * s).judged(over)).finish();
    EXPECT_EQ(summed.out.substr(summed.out.find(", 2s")), R"(, 2s: 0 connections ended
         1 half-open, and goes on
         1 half-open, and is over
   peers with trouble:
         2 127.0.0.1: 2 half-open
   processes with trouble:
         2 telnet: 2 half-open
)");
}

// In the time of the events: an interval ends with the first event behind it, and empty ones are passed over.
TEST(Summary, IsPrintedEachIntervalInWhichSomethingHappens)
{
    Summed summed(10 * s);
    summed.end(VerdictKind::Orderly, 5 * s).end(VerdictKind::Orderly, 14 * s);
    EXPECT_EQ(summed.out, "");
    summed.end(VerdictKind::Orderly, 15 * s);
    EXPECT_NE(summed.out.find(", 9s: 2 connections ended\n"), std::string::npos) << summed.out;
    summed.out.clear();
    summed.end(VerdictKind::Orderly, 57 * s);
    EXPECT_NE(summed.out.find(": 1 connection ended\n"), std::string::npos) << summed.out;
    summed.out.clear();
    summed.finish();
    EXPECT_NE(summed.out.find(", 2s: 1 connection ended\n"), std::string::npos) << "since 55s: " << summed.out;
    summed.out.clear();
    summed.finish();
    EXPECT_EQ(summed.out, "");
}

TEST(Summary, NamesBeyondItsMemoryAreCountedTogether)
{
    Summed summed;
    for (std::size_t i = 0; i < SummarySink::counted_names + 1000; i++)
        summed.end(VerdictKind::Refused, 1, fmt::format("10.{}.{}.1", i / 250, i % 250));
    summed.finish();
    EXPECT_NE(summed.out.find("      1000 (others): 1000 refused\n"), std::string::npos) << summed.out;
    EXPECT_NE(
        summed.out.find(fmt::format("      {} more\n", SummarySink::counted_names + 1 - SummarySink::shown_names)),
        std::string::npos)
        << summed.out;
}

TEST(Summary, NamesAreEscaped)
{
    Verdict verdict;
    verdict.kind = VerdictKind::Refused;
    verdict.ended = true;
    Summed summed;
    summed.add(EventBuilder().owner("\x1b[31m", 1, OwnerSource::Connect).judged(verdict)).finish();
    EXPECT_EQ(summed.out.find('\x1b'), std::string::npos) << summed.out;
}

} // namespace
} // namespace tcpflight::test

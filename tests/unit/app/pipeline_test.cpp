#include "app/pipeline.h"

#include "source/loss_record.h"
#include "support/expression.h"
#include "support/record_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t close_state = 7;

// One short line an event: "connection:port kind".
class PlainSink : public Sink {
public:
    void write(const Event &event, std::string &out) override
    {
        static constexpr std::array kinds{"state", "retransmit", "lost", "reset", "found", "congestion", "accept"};
        auto port = event.identity != nullptr ? event.identity->local.port : 0;
        out += fmt::format("{}:{} {}\n", event.connection, port, kinds.at(event.what.index()));
    }
    void set_clock(const ClockAnchor & /*anchor*/) override {}
};

class PipelineTest : public testing::Test {
protected:
    static bool feed(Pipeline &pipeline, const RecordBuilder &builder) { return pipeline.consume(builder.bytes()); }

    static bool feed_connection(Pipeline &pipeline, std::uint64_t cookie, std::uint16_t port)
    {
        auto t = cookie * 1000;
        feed(pipeline, RecordBuilder::state(cookie, t, close_state, syn_sent).identity(0, 80).local_port(0));
        feed(pipeline, RecordBuilder::state(cookie, t + 1, syn_sent, established).local_port(port));
        feed(pipeline, RecordBuilder::retransmit(cookie, t + 2, established, 1, 2, 0x18).local_port(port));
        return feed(pipeline, RecordBuilder::state(cookie, t + 3, established, close_state).local_port(0));
    }

    static Filter local_port(std::uint16_t port) { return filter_of(fmt::format("local port {}", port)); }

    PlainSink sink;
};

TEST_F(PipelineTest, ShowsWhatHappenedAndCountsIt)
{
    Pipeline pipeline({}, sink);
    feed_connection(pipeline, 1, 4000);
    EXPECT_EQ(pipeline.output(), "1:4000 state\n1:4000 state\n1:4000 retransmit\n1:4000 state\n");
    EXPECT_EQ(pipeline.totals().shown, 4U);
    EXPECT_EQ(pipeline.totals().filtered_out, 0U);
}

TEST_F(PipelineTest, CountsTimeoutsOfWhichNoRetransmissionWasSeen)
{
    Pipeline pipeline({.filter = local_port(4001), .count = {}}, sink);
    for (const std::uint16_t port : {std::uint16_t{4000}, std::uint16_t{4001}}) {
        feed(pipeline, RecordBuilder::state(port, 10, close_state, syn_sent).identity(port, 80));
        feed(pipeline, RecordBuilder::state(port, 20, syn_sent, established));
        feed(pipeline, RecordBuilder::retransmit(port, 30, established, 1, 2, 0x18).sender(4, 0, 1));
        feed(pipeline, RecordBuilder::retransmit(port, 40, established, 1, 2, 0x18).sender(4, 0, 4));
    }
    EXPECT_EQ(pipeline.totals().unseen, 2U) << "of what is shown";
}

TEST_F(PipelineTest, FiltersByAPortThatIsLearnedLater)
{
    Pipeline pipeline({.filter = local_port(4001), .count = {}}, sink);
    feed_connection(pipeline, 1, 4000);
    feed_connection(pipeline, 2, 4001);
    EXPECT_EQ(pipeline.output(), "2:4001 state\n2:4001 state\n2:4001 retransmit\n2:4001 state\n");
    EXPECT_EQ(pipeline.totals().shown, 4U);
    EXPECT_EQ(pipeline.totals().filtered_out, 4U);
}

TEST_F(PipelineTest, ForgetsWhatTheKernelRefusesOnceItsPortIsKnown)
{
    for (const auto verdicts : {Verdicts::None, Verdicts::All}) {
        Pipeline pipeline({.filter = local_port(4001), .count = {}, .verdicts = verdicts}, sink);
        feed(pipeline, RecordBuilder::state(1, 10, close_state, syn_sent).identity(0, 80).local_port(0));
        EXPECT_TRUE(pipeline.is_holding());
        feed(pipeline, RecordBuilder::refused(1, 11, syn_sent, established).local_port(4000));
        EXPECT_FALSE(pipeline.is_holding());
        EXPECT_EQ(pipeline.known().size(), 0U);
        EXPECT_EQ(pipeline.totals().filtered_out, 2U);

        // Of one whose begin was lost.
        feed(pipeline, RecordBuilder::refused(2, 12, syn_sent, close_state).local_port(4000));
        EXPECT_EQ(pipeline.known().size(), 0U);
        EXPECT_EQ(pipeline.totals().filtered_out, 3U);

        // It is wanted after all, and told anew.
        feed(pipeline, RecordBuilder::accept(1, 13, established, 7, "server").identity(4001, 80));
        EXPECT_EQ(pipeline.known().size(), 1U);
        EXPECT_EQ(pipeline.totals().shown, 1U);
    }
}

TEST_F(PipelineTest, ShowsAConnectionFromItsBeginWhenItQualifiesLate)
{
    Pipeline pipeline({.filter = filter_of("event retransmit or duration > 1s"), .count = {}}, sink);
    feed_connection(pipeline, 1, 4000);
    EXPECT_EQ(pipeline.output(), "1:4000 retransmit\n");
    EXPECT_EQ(pipeline.totals().filtered_out, 3U);
    pipeline.output().clear();
    feed(pipeline, RecordBuilder::state(2, 5000, close_state, syn_sent).identity(4002, 80));
    EXPECT_EQ(pipeline.output(), "");
    ASSERT_TRUE(pipeline.due_ns());
    pipeline.advance(2'000'000'000);
    EXPECT_EQ(pipeline.output(), "2:4002 state\n");
    EXPECT_FALSE(pipeline.due_ns());
}

TEST_F(PipelineTest, ARecordingsFilterWaitsToo)
{
    Pipeline pipeline({.filter = local_port(4000), .count = {}}, sink);
    pipeline.restart(filter_of("retransmits >= 1"));
    feed_connection(pipeline, 1, 4000);
    EXPECT_EQ(pipeline.totals().shown, 0U) << "its retransmissions are counted by the kernel: none yet";
    pipeline.restart({});
    feed_connection(pipeline, 1, 4000);
    EXPECT_EQ(pipeline.totals().shown, 4U);
}

// Shows ends alone, and has a line before them.
class EndSink : public PlainSink {
public:
    void begin(std::string &out) override { out += "begin\n"; }
    void write(const Event &event, std::string &out) override
    {
        if (shows(event))
            PlainSink::write(event, out);
    }
    [[nodiscard]] bool shows(const Event &event) const override
    {
        const auto *change = std::get_if<StateChange>(&event.what);
        return change != nullptr && change->to == TcpState::Close;
    }
};

TEST_F(PipelineTest, CountsWhatItsSinkShows)
{
    EndSink ends;
    Pipeline pipeline({.filter = {}, .count = 2}, ends);
    EXPECT_EQ(pipeline.output(), "begin\n");
    EXPECT_TRUE(feed_connection(pipeline, 1, 4000));
    EXPECT_FALSE(feed_connection(pipeline, 2, 4001));
    EXPECT_EQ(pipeline.totals().shown, 2U);
    EXPECT_EQ(pipeline.output(), "begin\n1:4000 state\n2:4001 state\n");
}

TEST_F(PipelineTest, StopsAtTheCountEvenWhenSeveralAreSetFreeAtOnce)
{
    Pipeline pipeline({.filter = {}, .count = 1}, sink);
    EXPECT_TRUE(feed(pipeline, RecordBuilder::state(1, 1, close_state, syn_sent).identity(0, 80).local_port(0)));
    EXPECT_FALSE(feed(pipeline, RecordBuilder::state(1, 2, syn_sent, established).local_port(4000)));
    EXPECT_TRUE(pipeline.is_done());
    pipeline.finish();
    EXPECT_EQ(pipeline.output(), "1:4000 state\n");
    EXPECT_EQ(pipeline.totals().shown, 1U);
}

TEST_F(PipelineTest, ShowsLossesWhateverTheFilterAndDoesNotCountThemAsEvents)
{
    Pipeline pipeline({.filter = local_port(1), .count = {}}, sink);
    feed(pipeline, RecordBuilder::lost(5, 7, 0));
    feed(pipeline, RecordBuilder::lost(6, 9, 0));
    feed(pipeline, RecordBuilder::lost(7, 9, 0));
    LossRecord nested(8000, {.total = 2, .until_ns = 0, .cpu = any_cpu, .reason = TF_LOSS_NESTED});
    pipeline.consume(nested.bytes());
    EXPECT_EQ(pipeline.output(), "0:0 lost\n0:0 lost\n0:0 lost\n");
    EXPECT_EQ(pipeline.totals().lost[TF_LOSS_RING_FULL], 9U);
    EXPECT_EQ(pipeline.totals().lost[TF_LOSS_NESTED], 2U);
    EXPECT_EQ(pipeline.totals().shown, 0U);
}

TEST_F(PipelineTest, ShowsWhatWasFoundOnlyWhereAskedFor)
{
    for (bool shown : {false, true}) {
        Pipeline pipeline({.filter = {}, .count = {}, .show_found = shown}, sink);
        feed(pipeline, RecordBuilder::found(1, 1, established).identity(4000, 80));
        feed(pipeline, RecordBuilder::state(1, 2, established, fin_wait1));
        EXPECT_EQ(pipeline.output(), shown ? "1:4000 found\n1:4000 state\n" : "1:4000 state\n");
        EXPECT_EQ(pipeline.totals().shown, shown ? 2U : 1U);
    }
}

TEST_F(PipelineTest, DoesNotCountWhatTheFilterKeepsFromBeingFound)
{
    Pipeline pipeline({.filter = local_port(1), .count = {}, .show_found = true}, sink);
    feed(pipeline, RecordBuilder::found(1, 1, established).identity(4000, 80));
    EXPECT_EQ(pipeline.output(), "");
    EXPECT_EQ(pipeline.totals().filtered_out, 0U);
}

TEST_F(PipelineTest, CountsWhatItCannotReadAndGoesOn)
{
    Pipeline pipeline({}, sink);
    auto bytes = RecordBuilder::state(1, 1, established, fin_wait1).bytes();
    bytes.pop_back();
    EXPECT_TRUE(pipeline.consume(bytes));
    feed_connection(pipeline, 1, 4000);
    EXPECT_EQ(pipeline.totals().malformed, 1U);
    EXPECT_EQ(pipeline.totals().shown, 4U);
}

TEST_F(PipelineTest, ShowsWhatStillWaitsAtTheEnd)
{
    Pipeline pipeline({}, sink);
    feed(pipeline, RecordBuilder::state(1, 1, close_state, syn_sent).identity(0, 80).local_port(0));
    EXPECT_EQ(pipeline.output(), "");
    EXPECT_TRUE(pipeline.is_holding());
    pipeline.finish();
    EXPECT_EQ(pipeline.output(), "1:0 state\n");
}

// "ANCHOR'S WALL TIME: " before each event's time, so that both can be told.
class ClockSink : public Sink {
public:
    void write(const Event &event, std::string &out) override
    {
        out += fmt::format("{} by {}\n", event.time_ns / 1000, anchor_.wall_ns);
    }
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }

private:
    ClockAnchor anchor_;
};

// However late an event is shown, its time is that of the clock that it happened under.
TEST_F(PipelineTest, TellsTheTimeByTheClockThatHeldThen)
{
    ClockSink clock_sink;
    Pipeline pipeline({}, clock_sink);
    pipeline.set_clock({.boot_ns = 1000, .wall_ns = 100});
    feed(pipeline, RecordBuilder::state(1, 5, close_state, syn_sent).identity(0, 80).local_port(0));
    pipeline.set_clock({.boot_ns = 7000, .wall_ns = 200});
    pipeline.set_clock({.boot_ns = 7000, .wall_ns = 200});
    feed(pipeline, RecordBuilder::state(1, 8, syn_sent, established).local_port(4000));
    EXPECT_EQ(pipeline.output(), "5 by 100\n8 by 200\n");
}

TEST_F(PipelineTest, ShowsAndCountsOnlyWhatLiesInTheRange)
{
    Pipeline pipeline({}, sink);
    pipeline.set_clock({.boot_ns = 0, .wall_ns = 1'000'000'000});
    pipeline.show_only({.begin_ns = 1'001'002'000, .end_ns = 1'002'001'000});
    feed_connection(pipeline, 1, 4000); // at 1,000 us
    EXPECT_FALSE(pipeline.is_past_range());
    feed_connection(pipeline, 2, 4001);
    EXPECT_EQ(pipeline.output(), "1:4000 retransmit\n1:4000 state\n2:4001 state\n");
    EXPECT_EQ(pipeline.totals().shown, 3U);
    EXPECT_TRUE(pipeline.is_past_range());
}

// An event of the range can wait for its port longer than the range lasts.
TEST_F(PipelineTest, IsNotPastItsRangeWhileAnEventOfItWaits)
{
    Pipeline pipeline({}, sink);
    pipeline.set_clock({.boot_ns = 0, .wall_ns = 0});
    pipeline.show_only({.begin_ns = 0, .end_ns = 2'000'000});
    feed(pipeline, RecordBuilder::state(1, 1000, close_state, syn_sent).identity(0, 80).local_port(0));
    feed(pipeline, RecordBuilder::state(2, 900'000, established, fin_wait1).identity(1, 80));
    EXPECT_FALSE(pipeline.is_past_range());
    feed(pipeline, RecordBuilder::state(1, 1'000'000, syn_sent, established).local_port(4000));
    EXPECT_TRUE(pipeline.is_past_range());
    EXPECT_EQ(pipeline.output(), "1:4000 state\n");
}

TEST_F(PipelineTest, ShowsOnlyWhatTheRecordingsOwnFilterLetThrough)
{
    Pipeline pipeline({}, sink);
    pipeline.restart(local_port(4001));
    feed_connection(pipeline, 1, 4000);
    feed_connection(pipeline, 2, 4001);
    EXPECT_EQ(pipeline.totals().shown, 4U);
    pipeline.restart({});
    feed_connection(pipeline, 3, 4000);
    EXPECT_EQ(pipeline.totals().shown, 8U);
}

TEST_F(PipelineTest, CountsWithoutShowingForARecording)
{
    Pipeline pipeline({.filter = {}, .count = 3, .show = false}, sink);
    EXPECT_FALSE(feed_connection(pipeline, 1, 4000));
    EXPECT_EQ(pipeline.output(), "");
    EXPECT_EQ(pipeline.totals().shown, 3U);
}

} // namespace
} // namespace tcpflight::test

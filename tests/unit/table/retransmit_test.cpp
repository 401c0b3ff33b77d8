// Retransmissions: their kind, the silence, and the congestion state.
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;

Retransmit observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return std::get<Retransmit>(table.observe(record).value().what);
}

RecordBuilder sent(std::uint8_t state, std::uint8_t ca_state, std::uint8_t timer, std::uint8_t rto_count = 0)
{
    return RecordBuilder::retransmit(1, 10, state, 1000, 2000, 0x10).sender(ca_state, timer, rto_count);
}

// TCP_CA_* and ICSK_TIME_*: what kernels 5.10 to 7.3 had in each case.
TEST(TableRetransmit, HasAKind)
{
    Table table;
    EXPECT_EQ(observe(table, sent(established, 0, 5)).kind, RetransmitKind::Probe);
    EXPECT_EQ(observe(table, sent(established, 4, 0, 3)).kind, RetransmitKind::Timeout);
    EXPECT_EQ(observe(table, sent(established, 4, 1)).kind, RetransmitKind::Recovery);
    for (const std::uint8_t timer : {std::uint8_t{1}, std::uint8_t{5}, std::uint8_t{6}})
        EXPECT_EQ(observe(table, sent(established, 3, timer)).kind, RetransmitKind::Fast);
    EXPECT_EQ(observe(table, sent(established, 1, 1)).kind, RetransmitKind::Unknown);
}

TEST(TableRetransmit, OfATimeoutSaysWhenTheKernelGivesUp)
{
    Table table;
    auto timeout = observe(table, sent(established, 4, 0, 3));
    EXPECT_EQ(timeout.timeouts, 3U);
    EXPECT_TRUE(timeout.gives_up_ns);
    EXPECT_FALSE(observe(table, sent(established, 3, 1)).gives_up_ns);
}

TEST(TableRetransmit, SaysHowLongNothingCameBack)
{
    Table table;
    EXPECT_EQ(observe(table, sent(established, 4, 0).silent(415'000, 200)).silent_ns, 415'000'000U);
    EXPECT_FALSE(observe(table, sent(established, 4, 0).silent(TF_SILENT_UNKNOWN, 200)).silent_ns);
    // A connect has nothing to deliver, but the kernel counts from it.
    EXPECT_EQ(observe(table, sent(syn_sent, 4, 0).silent(TF_SILENT_UNKNOWN, 1013)).silent_ns, 1'013'000'000U);
}

TEST(TableRetransmit, CountsOnlyWhatWasSent)
{
    Table table;
    EXPECT_EQ(observe(table, sent(established, 4, 0).send_error(-1)).attempt, 0U);
    EXPECT_EQ(observe(table, sent(established, 4, 0)).attempt, 1U);
    EXPECT_EQ(observe(table, sent(established, 4, 0).send_error(-1)).attempt, 1U);
    EXPECT_EQ(observe(table, sent(established, 4, 0)).attempt, 2U);
}

TEST(TableCongestion, ChangesInsideAState)
{
    Table table;
    Record record{};
    ASSERT_EQ(decode(RecordBuilder::congestion(1, 10, established, 0, 3).identity(1, 2).bytes(), record),
              DecodeError::None);
    auto event = table.observe(record);
    auto change = std::get<CongestionChange>(event->what);
    EXPECT_EQ(change.from, CongestionState::Open);
    EXPECT_EQ(change.to, CongestionState::Recovery);
    EXPECT_EQ(change.state, TcpState::Established);
    EXPECT_EQ(change.metrics.cwnd, 10U);
    EXPECT_EQ(decode(RecordBuilder::congestion(1, 10, established, 0, 5).bytes(), record), DecodeError::BadValue);
}

} // namespace
} // namespace tcpflight::test

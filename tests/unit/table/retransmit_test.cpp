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

// Of a connection that was seen from its begin: the counts of time-outs that its retransmissions came with, and how
// many are missing before the last of them.
std::uint32_t unseen_after(Table &table, std::initializer_list<std::uint8_t> counts)
{
    std::uint32_t unseen = 0;
    for (const std::uint8_t count : counts)
        unseen = observe(table, sent(established, count == 0 ? 0 : 4, count == 0 ? 5 : 0, count)).unseen;
    return unseen;
}

void begin(Table &table)
{
    constexpr std::uint8_t close_state = 7;
    for (const auto &builder : {RecordBuilder::state(1, 1, close_state, syn_sent).identity(40000, 80),
                                RecordBuilder::state(1, 2, syn_sent, established)}) {
        Record record{};
        ASSERT_EQ(decode(builder.bytes(), record), DecodeError::None);
        table.observe(record);
    }
}

std::uint32_t unseen_from_begin(std::initializer_list<std::uint8_t> counts)
{
    Table table;
    begin(table);
    return unseen_after(table, counts);
}

TEST(TableRetransmit, CountsTimeoutsThatWereNotSeen)
{
    EXPECT_EQ(unseen_from_begin({1}), 0U);
    EXPECT_EQ(unseen_from_begin({1, 2, 3}), 0U);
    EXPECT_EQ(unseen_from_begin({0, 1, 2}), 0U) << "a loss probe before";
    EXPECT_EQ(unseen_from_begin({1, 3}), 1U);
    EXPECT_EQ(unseen_from_begin({1, 3, 4}), 0U) << "told once";
    EXPECT_EQ(unseen_from_begin({1, 5}), 3U);
    EXPECT_EQ(unseen_from_begin({2}), 1U);
    EXPECT_EQ(unseen_from_begin({0, 2}), 1U);
}

// Once anything is acknowledged it begins with 1 again.
TEST(TableRetransmit, CountsTimeoutsFromTheLastAcknowledgement)
{
    EXPECT_EQ(unseen_from_begin({1, 2, 3, 1}), 0U);
    EXPECT_EQ(unseen_from_begin({3, 2}), 1U);
    EXPECT_EQ(unseen_from_begin({1, 1}), 0U);
    EXPECT_EQ(unseen_from_begin({2, 0, 1}), 0U);
}

// Of what came before it was watched, or is missing for a reason that is told, nothing is said.
TEST(TableRetransmit, ClaimsNothingOfTimeoutsThatItCannotKnow)
{
    Table found;
    EXPECT_EQ(unseen_after(found, {4}), 0U);
    EXPECT_EQ(unseen_after(found, {6}), 1U);

    Table table;
    begin(table);
    EXPECT_EQ(unseen_after(table, {1}), 0U);
    Record lost{};
    ASSERT_EQ(decode(RecordBuilder::lost(5, 1, 0).bytes(), lost), DecodeError::None);
    table.observe(lost);
    EXPECT_EQ(unseen_after(table, {3}), 0U) << "after a gap";
    EXPECT_EQ(unseen_after(table, {5}), 1U);

    constexpr std::uint8_t syn_recv = 3;
    Table fast_open;
    begin(fast_open);
    EXPECT_EQ(observe(fast_open, sent(syn_recv, 4, 0, 3)).unseen, 0U) << "SYN-ACKs of TCP Fast Open count too";
}

// The next reader of a recording goes on from there; of an older one it is not known how many there were.
TEST(TableRetransmit, KnowsTimeoutsOfAnotherTable)
{
    Table table;
    begin(table);
    unseen_after(table, {1, 2});
    std::vector<KnownConnection> known;
    table.for_each_known([&](const KnownConnection &connection) { known.push_back(connection); });
    ASSERT_EQ(known.size(), 1U);
    Table next;
    next.restore({}, known);
    EXPECT_EQ(unseen_after(next, {4}), 1U);
    known[0].timeouts_seen = 0;
    Table old;
    old.restore({}, known);
    EXPECT_EQ(unseen_after(old, {4}), 0U);
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

// Where a socket ends and its connection does not.
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t fin_wait2 = 5;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t listen_state = 10;
constexpr std::uint16_t connection_refused = 111;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

TEST(TableTimeWait, BeginsWhereTheSocketEnds)
{
    for (const auto left : {time_wait, fin_wait2}) {
        Table table;
        observe(table, RecordBuilder::state(1, 10, fin_wait1, fin_wait2).identity(40000, 80));
        auto event = observe(table, RecordBuilder::state(1, 50, fin_wait2, left).left());
        const auto &change = std::get<StateChange>(event->what);
        EXPECT_EQ(change.to, TcpState{left});
        EXPECT_TRUE(change.time_wait_socket);
        EXPECT_EQ(change.duration_ns, 40'000U);
        EXPECT_EQ(event->identity->remote.port, 80);
        EXPECT_EQ(table.size(), 0U);
        EXPECT_EQ(table.time_waits(), 1U);
    }
}

// A connection of curl[42] from port 40000 to 80, which is in `state` without a socket since 50 us.
void linger(Table &table, std::uint8_t state = time_wait, std::uint64_t cookie = 1)
{
    observe(table, RecordBuilder::state(cookie, 10, fin_wait1, fin_wait2).identity(40000, 80, 42, "curl"));
    observe(table, RecordBuilder::state(cookie, 50, fin_wait2, state).left());
}

const StateChange &change(const std::optional<Event> &event)
{
    return std::get<StateChange>(event.value().what);
}

TEST(TableTimeWait, EndsAsItWasSeen)
{
    for (const auto state : {time_wait, fin_wait2}) {
        Table table;
        linger(table, state);
        auto event = observe(table, RecordBuilder::gone(1, 90, state, TF_GONE_TIMER));
        EXPECT_EQ(event->time_ns, 90'000U);
        EXPECT_EQ(event->connection, 1U);
        EXPECT_EQ(event->identity->owner.comm_view(), "curl");
        EXPECT_FALSE(event->incomplete);
        EXPECT_EQ(change(event).from, TcpState{state});
        EXPECT_EQ(change(event).to, TcpState::Close);
        EXPECT_TRUE(change(event).time_wait_socket);
        EXPECT_EQ(change(event).duration_ns, 40'000U);
        EXPECT_FALSE(change(event).at_least_ns);
        EXPECT_EQ(change(event).end->reason, EndReason::Timer);
        EXPECT_FALSE(change(event).end->at_most_ns);
        EXPECT_EQ(table.time_waits(), 0U);
        EXPECT_FALSE(observe(table, RecordBuilder::gone(1, 91, state, TF_GONE_TIMER))) << "told already";
    }
}

TEST(TableTimeWait, EndsBetweenTwoLooks)
{
    Table table;
    linger(table);
    auto event = observe(table, RecordBuilder::gone(1, 100, time_wait, TF_GONE_UNKNOWN, 70, 95));
    EXPECT_EQ(event->time_ns, 100'000U);
    EXPECT_FALSE(change(event).duration_ns);
    EXPECT_EQ(change(event).at_least_ns, 20'000U);
    EXPECT_EQ(change(event).end->at_most_ns, 45'000U);
    EXPECT_EQ(change(event).end->reason, EndReason::Unknown);
}

TEST(TableTimeWait, OfAnOrphanComesAfterItsFinWait2)
{
    Table table;
    linger(table, fin_wait2);
    auto event = observe(table, RecordBuilder::state(1, 80, fin_wait2, time_wait).left());
    EXPECT_EQ(change(event).from, TcpState::FinWait2);
    EXPECT_EQ(change(event).to, TcpState::TimeWait);
    EXPECT_TRUE(change(event).time_wait_socket);
    EXPECT_EQ(change(event).duration_ns, 30'000U);
    EXPECT_EQ(table.time_waits(), 1U);
    auto end = observe(table, RecordBuilder::gone(1, 90, time_wait, TF_GONE_KILLED));
    EXPECT_EQ(change(end).duration_ns, 10'000U);
    EXPECT_EQ(change(end).end->reason, EndReason::Killed);
}

TEST(TableTimeWait, EndsWhereAConnectTakesItsPlace)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 70, close_state, syn_sent).local_port(0).identity(0, 80, 43, "wget"));
    EXPECT_FALSE(table.ended());
    auto event = observe(table, RecordBuilder::state(2, 90, syn_sent, established).local_port(40000));
    EXPECT_EQ(change(event).to, TcpState::Established);
    EXPECT_EQ(event->identity->owner.comm_view(), "wget");
    ASSERT_TRUE(table.ended());
    EXPECT_EQ(table.ended()->connection, 1U);
    EXPECT_EQ(table.ended()->time_ns, 90'000U);
    EXPECT_EQ(table.ended()->identity->owner.comm_view(), "curl");
    EXPECT_EQ(change(table.ended()).from, TcpState::TimeWait);
    EXPECT_EQ(change(table.ended()).end->reason, EndReason::Connect);
    EXPECT_EQ(change(table.ended()).at_least_ns, 20'000U) << "the connect began then";
    EXPECT_EQ(change(table.ended()).end->at_most_ns, 40'000U);
    EXPECT_EQ(table.time_waits(), 0U);
    observe(table, RecordBuilder::state(2, 95, established, fin_wait1));
    EXPECT_FALSE(table.ended());
}

TEST(TableTimeWait, EndsWhereASynTakesItsPlace)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 90, listen_state, syn_recv).identity(40000, 80, 43, "nginx"));
    ASSERT_TRUE(table.ended());
    EXPECT_EQ(change(table.ended()).end->reason, EndReason::Syn);
    EXPECT_FALSE(change(table.ended()).at_least_ns);
    EXPECT_EQ(change(table.ended()).end->at_most_ns, 40'000U);
}

// connect(2) is in SYN_SENT before it looks whether the port is free; a SYN that was answered was sent.
TEST(TableTimeWait, GoesOnWhereAConnectFindsNoPort)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 70, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::state(2, 71, syn_sent, close_state));
    EXPECT_FALSE(table.ended());
    EXPECT_EQ(table.time_waits(), 1U);
    observe(table, RecordBuilder::state(3, 80, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::state(3, 81, syn_sent, close_state).error(connection_refused));
    EXPECT_TRUE(table.ended());
}

TEST(TableTimeWait, GoesOnBesideOtherConnections)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 90, listen_state, syn_recv).identity(40000, 81));
    observe(table, RecordBuilder::state(3, 90, listen_state, syn_recv).identity(40001, 80));
    EXPECT_FALSE(table.ended());
    EXPECT_EQ(table.time_waits(), 1U);
}

// It answers a segment with a RST, and that is its end. The owner is the one that the socket had.
TEST(TableTimeWait, EndsWithTheResetThatItSends)
{
    Table table;
    linger(table, fin_wait2);
    auto event = observe(table, RecordBuilder::reset(1, 60, fin_wait2, TF_RESET_SENT, TF_RESET_TIME_WAIT)
                                    .identity(40000, 80, 0, "", TF_OWNER_UNKNOWN));
    EXPECT_EQ(std::get<Reset>(event->what).state, TcpState::FinWait2);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    ASSERT_TRUE(table.ended());
    EXPECT_EQ(change(table.ended()).from, TcpState::FinWait2);
    EXPECT_EQ(change(table.ended()).duration_ns, 10'000U);
    EXPECT_EQ(change(table.ended()).end->reason, EndReason::Reset);
    EXPECT_EQ(table.time_waits(), 0U);
}

// shutdown(2) closes the connection and not the socket, which can be connected again under its cookie.
TEST(TableTimeWait, IsNotTakenForTheNextConnectionOfItsSocket)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(1, 60, close_state, syn_sent).identity(40001, 80));
    EXPECT_EQ(table.time_waits(), 0U);
    EXPECT_EQ(table.size(), 1U);
    observe(table, RecordBuilder::state(1, 61, syn_sent, established));
    EXPECT_FALSE(observe(table, RecordBuilder::gone(1, 90, time_wait, TF_GONE_TIMER)));
    auto event = observe(table, RecordBuilder::state(1, 100, established, fin_wait1));
    EXPECT_EQ(change(event).duration_ns, 39'000U);
    EXPECT_FALSE(event->incomplete);
}

TEST(TableTimeWait, EndsIncompleteWhereItsBeginWasLost)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, fin_wait1, fin_wait2).identity(40000, 80));
    auto event = observe(table, RecordBuilder::gone(1, 90, time_wait, TF_GONE_TIMER));
    EXPECT_TRUE(event->incomplete);
    EXPECT_EQ(change(event).from, TcpState::TimeWait);
    EXPECT_FALSE(change(event).duration_ns);
    EXPECT_FALSE(change(event).at_least_ns);
    EXPECT_EQ(table.size(), 0U);
}

TEST(TableTimeWait, IsNotWhatAReaderInTheMiddleBeginsWith)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 90, listen_state, syn_recv).identity(40001, 80));
    std::vector<std::uint64_t> known;
    table.for_each_known([&](const KnownConnection &connection) { known.push_back(connection.cookie); });
    EXPECT_EQ(known, std::vector<std::uint64_t>{2});
}

TEST(TableTimeWait, IsToldOfAnOrphanByAReaderThatBeginsBefore)
{
    Table first;
    linger(first, fin_wait2);
    std::vector<KnownConnection> known;
    first.for_each_known([&](const KnownConnection &connection) { known.push_back(connection); });
    ASSERT_EQ(known.size(), 1U);

    Table second;
    second.restore({}, known);
    auto event = observe(second, RecordBuilder::state(1, 80, fin_wait2, time_wait).left());
    EXPECT_EQ(change(event).from, TcpState::FinWait2);
    EXPECT_EQ(change(event).duration_ns, 30'000U);
}

TEST(TableTimeWait, StaysWhereRecordsAreMissing)
{
    Table table;
    linger(table);
    observe(table, RecordBuilder::state(2, 90, listen_state, syn_recv).identity(40001, 80));
    table.heal({});
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(table.time_waits(), 1U);
    EXPECT_TRUE(observe(table, RecordBuilder::gone(1, 95, time_wait, TF_GONE_TIMER)));
}

TEST(TableTimeWait, IsTakenOver)
{
    Table table;
    linger(table);
    std::vector<KnownConnection> known;
    table.for_each([&](const KnownConnection &connection) { known.push_back(connection); });
    Table other;
    other.restore(table.known_gaps(), known);
    EXPECT_EQ(other.time_waits(), 1U);
    EXPECT_EQ(other.size(), 0U);
    observe(other, RecordBuilder::state(2, 90, listen_state, syn_recv).identity(40000, 80));
    EXPECT_TRUE(other.ended());
    other.restore({}, {});
    EXPECT_EQ(other.time_waits(), 0U);
}

TEST(TableTimeWait, IsForgottenFirstAndNotMissed)
{
    Table table({}, 1);
    linger(table);
    observe(table, RecordBuilder::state(2, 90, close_state, syn_sent).identity(40001, 80));
    EXPECT_EQ(table.time_waits(), 0U);
    EXPECT_EQ(table.forgotten(), 0U);
    EXPECT_FALSE(observe(table, RecordBuilder::gone(1, 95, time_wait, TF_GONE_TIMER)));
}

TEST(TableTimeWait, DoesNotPileUpWhereNoEndIsTold)
{
    Table table;
    for (std::uint64_t cookie = 1; cookie <= Table::time_wait_capacity + 5; cookie++)
        linger(table, time_wait, cookie);
    EXPECT_EQ(table.time_waits(), Table::time_wait_capacity);
    EXPECT_EQ(table.find(5), nullptr);
    EXPECT_NE(table.find(6), nullptr);
    EXPECT_EQ(table.forgotten(), 0U);
}

TEST(TableGone, IsToldOnceOfASocketWhoseEndWasLost)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, syn_sent, established).identity(40000, 80, 42, "curl"));
    auto event = observe(table, RecordBuilder::gone_socket(1, 90, established, 50, 80));
    EXPECT_EQ(std::get<Gone>(event->what).state, TcpState::Established);
    EXPECT_EQ(std::get<Gone>(event->what).unseen_ns, 40'000U);
    EXPECT_TRUE(event->incomplete);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(observe(table, RecordBuilder::gone_socket(1, 91, established, 50, 80)));
}

} // namespace
} // namespace tcpflight::test

// Sockets that were there before the first event.
#include "support/record_builder.h"
#include "support/wanted.h"
#include "table/table.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t fin_wait2 = 5;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t new_syn_recv = 12;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

RecordBuilder found(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t state, const tf_socket &socket = {})
{
    return RecordBuilder::found(cookie, time_us, state, socket).identity(40000, 80, 7, "nginx", TF_OWNER_SNAPSHOT);
}

tf_socket since(std::uint64_t time_ns)
{
    tf_socket socket{};
    socket.since_ns = time_ns;
    return socket;
}

StateChange change(const std::optional<Event> &event)
{
    return std::get<StateChange>(event.value().what);
}

TEST(Found, IsToldAsItStood)
{
    Table table;
    auto event = observe(table, found(1, 1000, established,
                                      {.inode = 5,
                                       .since_ns = 400'000,
                                       .established_ns = 400'000,
                                       .recv_queue = 1,
                                       .send_queue = 2,
                                       .timer_left_us = 3,
                                       .drops = 4,
                                       .mark = 6,
                                       .timer = TF_TIMER_PROBE,
                                       .retries = 7,
                                       .bits = TF_SOCKET_SHUT_WRITE})
                                    .error(110));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->connection, 1U);
    EXPECT_EQ(event->identity->owner.source, OwnerSource::Snapshot);
    const auto &what = std::get<Found>(event->what);
    EXPECT_EQ(what.state, TcpState::Established);
    EXPECT_EQ(what.error, 110);
    EXPECT_FALSE(what.metrics);
    EXPECT_FALSE(what.time_wait_socket);
    EXPECT_EQ(what.status.inode, 5U);
    EXPECT_EQ(what.status.in_state_ns, 600'000U);
    EXPECT_EQ(what.status.established_ns, 600'000U);
    EXPECT_EQ(what.status.recv_queue, 1U);
    EXPECT_EQ(what.status.send_queue, 2U);
    EXPECT_EQ(what.status.timer_left_us, 3U);
    EXPECT_EQ(what.status.drops, 4U);
    EXPECT_EQ(what.status.mark, 6U);
    EXPECT_EQ(what.status.timer, Timer::Probe);
    EXPECT_EQ(what.status.retries, 7);
    EXPECT_TRUE(what.status.shut_write);
    EXPECT_FALSE(what.status.shut_read);
    EXPECT_FALSE(what.status.ipv6_only);
}

TEST(Found, GivesItsTupleOwnerAndAgeToTheNextEvent)
{
    Table table;
    observe(table, found(1, 1000, established, since(400'000)));
    auto event = observe(table, RecordBuilder::state(1, 1500, established, fin_wait1));
    ASSERT_NE(event->identity, nullptr);
    EXPECT_EQ(event->identity->local.port, 40000);
    EXPECT_EQ(event->identity->owner.pid, 7U);
    EXPECT_FALSE(event->incomplete);
    EXPECT_EQ(change(event).duration_ns, 1'100'000U);
    EXPECT_FALSE(change(event).at_least_ns);
}

TEST(Found, LastsAtLeastSinceThenWhereTheKernelKnowsNoAge)
{
    Table table;
    observe(table, found(1, 1000, established));
    auto first = observe(table, RecordBuilder::state(1, 1500, established, fin_wait1));
    EXPECT_FALSE(change(first).duration_ns);
    EXPECT_EQ(change(first).at_least_ns, 500'000U);
    auto second = observe(table, RecordBuilder::state(1, 1700, fin_wait1, fin_wait2));
    EXPECT_EQ(change(second).duration_ns, 200'000U);
    EXPECT_FALSE(change(second).at_least_ns);
}

TEST(Found, KeepsItsOwnerWhenTheKernelKnowsNone)
{
    Table table;
    observe(table, found(1, 1000, established));
    auto event = observe(
        table, RecordBuilder::state(1, 1500, established, fin_wait1).identity(40000, 80, 0, "", TF_OWNER_UNKNOWN));
    EXPECT_EQ(event->identity->owner.comm_view(), "nginx");
    EXPECT_EQ(event->identity->owner.source, OwnerSource::Snapshot);
}

TEST(Found, ChangesNothingThatAnEventToldBefore)
{
    Table table;
    observe(table, RecordBuilder::state(1, 900, established, fin_wait1).identity(40000, 80, 9, "curl"));
    EXPECT_FALSE(observe(table, found(1, 1000, fin_wait1, since(1))));
    auto event = observe(table, RecordBuilder::state(1, 1100, fin_wait1, fin_wait2));
    EXPECT_EQ(change(event).duration_ns, 200'000U);
    EXPECT_EQ(event->identity->owner.pid, 9U);
}

TEST(Found, TellsTheOwnerThatAnEventBeforeDidNotKnow)
{
    Table table(only([](const Identity &identity) { return identity.owner.pid == 7; }));
    auto before = observe(
        table, RecordBuilder::state(1, 900, established, fin_wait1).identity(40000, 80, 0, "", TF_OWNER_UNKNOWN));
    EXPECT_FALSE(before->wanted);
    EXPECT_FALSE(observe(table, found(1, 1000, fin_wait1)));
    auto event = observe(table, RecordBuilder::state(1, 1100, fin_wait1, fin_wait2));
    EXPECT_TRUE(event->wanted);
    EXPECT_EQ(event->identity->owner.pid, 7U);
}

TEST(Found, IsNotKeptWhereNoEventWillEndIt)
{
    Table table;
    EXPECT_TRUE(observe(table, found(3, 1000, new_syn_recv)));
    EXPECT_EQ(table.size(), 0U);
}

TEST(Found, InTimeWaitIsKeptUntilItsEnd)
{
    Table table;
    auto waiting = observe(table, found(1, 1000, time_wait, since(400'000)).left());
    EXPECT_TRUE(std::get<Found>(waiting->what).time_wait_socket);
    EXPECT_TRUE(observe(table, found(2, 1000, fin_wait2).left()));
    EXPECT_EQ(table.size(), 0U);
    EXPECT_EQ(table.time_waits(), 2U);
    auto known = observe(table, RecordBuilder::gone(1, 1400, time_wait, TF_GONE_TIMER));
    EXPECT_EQ(change(known).duration_ns, 1'000'000U);
    auto unknown = observe(table, RecordBuilder::gone(2, 1400, fin_wait2, TF_GONE_TIMER));
    EXPECT_FALSE(change(unknown).duration_ns);
    EXPECT_EQ(change(unknown).at_least_ns, 400'000U);
    EXPECT_EQ(table.time_waits(), 0U);
}

TEST(Found, IsNotToldOfWhatHasEndedBeforeOurEyes)
{
    Table table;
    tf_socket seen{};
    seen.bits = TF_SOCKET_SEEN;
    EXPECT_FALSE(observe(table, found(1, 1000, time_wait, seen).flag(TF_FLAG_TIME_WAIT_SOCKET)));
    EXPECT_TRUE(observe(table, found(2, 1000, established, seen))) << "its events were lost, or it has none yet";
}

// Its socket can have been made a moment before, and has another cookie then.
TEST(Found, IsNotToldOfAHandshakeThatHasJustBegun)
{
    Table table;
    EXPECT_FALSE(observe(table, found(1, 5000, new_syn_recv, since(4'001'000))));
    EXPECT_TRUE(observe(table, found(2, 5000, new_syn_recv, since(4'000'000))));
    EXPECT_TRUE(observe(table, found(3, 5000, new_syn_recv))) << "the kernel does not know";
    EXPECT_TRUE(observe(table, found(4, 5000, established, since(4'999'000))));
}

TEST(Found, IsNeitherToldNorKeptIfNobodyWantsIt)
{
    Table table(only([](const Identity &identity) { return identity.local.port == 1; }));
    EXPECT_FALSE(observe(table, found(1, 1000, established)));
    EXPECT_EQ(table.size(), 0U);
}

TEST(Found, DoesNotPushOutWhatIsThere)
{
    Table table({}, 1);
    observe(table, RecordBuilder::state(1, 900, close_state, syn_sent).identity(40000, 80));
    EXPECT_TRUE(observe(table, found(2, 1000, established)));
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(table.forgotten(), 0U);
    EXPECT_EQ(change(observe(table, RecordBuilder::state(1, 1000, syn_sent, established))).duration_ns, 100'000U);
}

// What was lost before it was found does not matter any more: it was looked at.
TEST(Found, IsWholeAfterAGap)
{
    Table table;
    observe(table, RecordBuilder::lost(900, 5, 0, 950));
    observe(table, found(1, 1000, established));
    EXPECT_FALSE(observe(table, RecordBuilder::state(1, 1100, established, fin_wait1))->incomplete);
    observe(table, RecordBuilder::lost(1150, 6, 0, 1160));
    EXPECT_TRUE(observe(table, RecordBuilder::state(1, 1200, fin_wait1, fin_wait2))->incomplete);
}

} // namespace
} // namespace tcpflight::test

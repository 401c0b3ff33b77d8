// Accepts: who owns the connection from then on, and how long it waited.
#include "table/table.h"

#include "support/record_builder.h"
#include "support/wanted.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t close_wait = 8;
constexpr std::uint8_t listening = 10;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

Accept accept_of(const std::optional<Event> &event)
{
    return std::get<Accept>(event.value().what);
}

// A child of server[42], in ESTABLISHED since 30.
void establish(Table &table)
{
    observe(table,
            RecordBuilder::state(1, 10, listening, syn_recv).identity(80, 50000, 42, "server", TF_OWNER_INHERITED));
    observe(table, RecordBuilder::state(1, 30, syn_recv, established));
}

TEST(TableAccept, NamesTheOwnerFromThenOn)
{
    Table table;
    establish(table);
    auto event = observe(table, RecordBuilder::accept(1, 42, established, 77, "worker"));
    EXPECT_EQ(accept_of(event).state, TcpState::Established);
    EXPECT_EQ(accept_of(event).queued_ns, 12'000U);
    EXPECT_FALSE(event->incomplete);
    const Owner &owner = event->identity->owner;
    EXPECT_EQ(owner.pid, 77U);
    EXPECT_EQ(owner.tid, 78U);
    EXPECT_EQ(owner.comm_view(), "worker");
    EXPECT_EQ(owner.source, OwnerSource::Accept);

    // The same process's system calls confirm it; the clock of the state goes on.
    auto close = observe(table, RecordBuilder::state(1, 130, established, fin_wait1).owned());
    EXPECT_EQ(close->identity->owner.source, OwnerSource::Accept);
    EXPECT_EQ(close->identity->owner.pid, 77U);
    EXPECT_EQ(std::get<StateChange>(close->what).duration_ns, 100'000U);
}

// The other end may close while it waits; the queue does not care.
TEST(TableAccept, CountsTheWholeTimeInTheQueue)
{
    Table table;
    establish(table);
    observe(table, RecordBuilder::state(1, 40, established, close_wait));
    auto event = observe(table, RecordBuilder::accept(1, 130, close_wait, 77, "worker"));
    EXPECT_EQ(accept_of(event).queued_ns, 100'000U);
    EXPECT_EQ(accept_of(event).state, TcpState::CloseWait);
}

TEST(TableAccept, OfAConnectionThatIsNotKnownHasNoTime)
{
    Table table;
    auto event = observe(table, RecordBuilder::accept(1, 42, established, 77, "worker").identity(80, 50000));
    EXPECT_FALSE(accept_of(event).queued_ns);
    EXPECT_EQ(event->identity->remote.port, 50000);
    EXPECT_EQ(event->identity->owner.pid, 77U);
    EXPECT_EQ(table.size(), 1U);
}

// accept(2) gives out a connection that was reset while it waited. It is over, and stays so.
TEST(TableAccept, OfAConnectionThatHasEndedLeavesNothingBehind)
{
    Table table;
    establish(table);
    observe(table, RecordBuilder::state(1, 40, established, close_state).error(104));
    auto event = observe(table, RecordBuilder::accept(1, 130, close_state, 77, "worker").identity(80, 50000));
    EXPECT_EQ(accept_of(event).state, TcpState::Close);
    EXPECT_EQ(event->identity->owner.pid, 77U);
    EXPECT_EQ(table.size(), 0U);
}

TEST(TableAccept, AsksTheFilterAboutTheNewOwner)
{
    Table table(only([](const Identity &identity) { return identity.owner.pid == 77; }));
    establish(table);
    EXPECT_TRUE(observe(table, RecordBuilder::accept(1, 42, established, 77, "worker"))->wanted);
    EXPECT_TRUE(observe(table, RecordBuilder::state(1, 130, established, fin_wait1))->wanted);
}

TEST(TableAccept, InAnotherStateThanTheLastOneMissedSomething)
{
    Table table;
    establish(table);
    auto event = observe(table, RecordBuilder::accept(1, 42, close_wait, 77, "worker"));
    EXPECT_TRUE(event->incomplete);
    auto next = observe(table, RecordBuilder::state(1, 50, close_wait, 9));
    EXPECT_FALSE(std::get<StateChange>(next->what).duration_ns);
}

} // namespace
} // namespace tcpflight::test

// Resets: joined to the connection that they end, or alone.
#include "table/table.h"

#include "support/record_builder.h"
#include "support/wanted.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t close_state = 7;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

RecordBuilder sent(std::uint64_t cookie, std::uint64_t time_us, tf_reset_reason reason)
{
    return RecordBuilder::reset(cookie, time_us, close_state, TF_RESET_SENT, reason);
}

Reset reset(const std::optional<Event> &event)
{
    return std::get<Reset>(event.value().what);
}

TEST(TableReset, OfALiveConnectionIsInItsState)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    auto event = observe(table, RecordBuilder::reset(1, 20, syn_sent, TF_RESET_RECEIVED, TF_RESET_UNKNOWN));
    EXPECT_EQ(reset(event).state, TcpState::SynSent);
    EXPECT_EQ(reset(event).direction, ResetDirection::Received);
    EXPECT_EQ(reset(event).reason, ResetReason::Unknown);
    EXPECT_EQ(event->connection, 1U);
    EXPECT_EQ(event->identity->remote.port, 80);
    // It ends nothing, and the clock of the state goes on.
    auto end = observe(table, RecordBuilder::state(1, 50, syn_sent, close_state).error(111));
    EXPECT_EQ(std::get<StateChange>(end->what).duration_ns, 40'000U);
}

TEST(TableReset, AfterTheEndIsInTheStateBefore)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, syn_sent, established).identity(40000, 80, 42, "curl"));
    observe(table, RecordBuilder::state(1, 20, established, close_state));
    observe(table, RecordBuilder::state(2, 21, close_state, syn_sent).identity(40001, 80, 43, "wget"));
    observe(table, RecordBuilder::state(2, 22, syn_sent, close_state));
    // The kernel says the identity again, but not as whom we knew the owner.
    auto event = observe(table, sent(1, 23, TF_RESET_LINGER_0).identity(40000, 80, 42, "curl", TF_OWNER_SYSCALL));
    EXPECT_EQ(reset(event).state, TcpState::Established);
    EXPECT_EQ(reset(event).reason, ResetReason::Linger0);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    EXPECT_EQ(event->identity->owner.source, OwnerSource::Connect);
    EXPECT_EQ(table.size(), 0U) << "what has ended does not begin anew";
}

TEST(TableReset, AfterAnEndThatWasNotSeenHasItsOwnIdentity)
{
    Table table;
    auto event = observe(table, sent(1, 23, TF_RESET_UNREAD_DATA).identity(40000, 80, 42, "curl"));
    EXPECT_EQ(reset(event).state, TcpState::Close);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    EXPECT_EQ(table.size(), 0U);
}

TEST(TableReset, WithoutAConnectionIsOfNone)
{
    Table table;
    for (int i = 0; i < 2; i++) {
        auto event = observe(table, sent(0, 23, TF_RESET_NO_SOCKET).identity(7, 40000, 0, "", TF_OWNER_UNKNOWN));
        EXPECT_EQ(event->connection, 0U);
        EXPECT_EQ(event->identity->local.port, 7);
        EXPECT_EQ(event->identity->remote.port, 40000);
        EXPECT_FALSE(event->identity->owner.is_known());
        EXPECT_FALSE(event->incomplete);
    }
    EXPECT_EQ(table.size(), 0U);
}

TEST(TableReset, IsWantedAsTheConnectionWasThatItEnded)
{
    Table table(only([](const Identity &identity) { return identity.remote.port == 80; }));
    observe(table, RecordBuilder::state(1, 10, syn_sent, established).identity(40000, 80));
    observe(table, RecordBuilder::state(1, 20, established, close_state));
    EXPECT_TRUE(observe(table, sent(1, 23, TF_RESET_LINGER_0).identity(40000, 81))->wanted);
    EXPECT_FALSE(observe(table, sent(0, 24, TF_RESET_NO_SOCKET).identity(80, 40000))->wanted);
    EXPECT_TRUE(observe(table, sent(0, 25, TF_RESET_NO_SOCKET).identity(7, 80))->wanted);
    EXPECT_FALSE(observe(table, sent(9, 26, TF_RESET_TIME_WAIT))->wanted) << "nothing is known of it";
}

TEST(TableReset, OfAKindThatIsNewerThanThisVersionKeepsTheKernelsNumber)
{
    Record record{};
    ASSERT_EQ(decode(sent(0, 1, TF_RESET_OTHER).identity(7, 40000).bytes(), record), DecodeError::None);
    record.reset.kernel_reason = 31;
    Table table;
    EXPECT_EQ(reset(table.observe(record)).reason, ResetReason::Other);
    EXPECT_EQ(reset(table.observe(record)).kernel_reason, 31U);
}

TEST(Departed, RemembersAsManyAsItSays)
{
    Departed departed;
    EXPECT_EQ(departed.find(1), nullptr);
    for (std::uint64_t cookie = 1; cookie <= Departed::capacity + 1; cookie++)
        departed.add({.cookie = cookie, .identity = {}});
    EXPECT_EQ(departed.find(1), nullptr);
    for (std::uint64_t cookie = 2; cookie <= Departed::capacity + 1; cookie++)
        EXPECT_EQ(departed.find(cookie)->cookie, cookie);
}

TEST(DecodeReset, RefusesWhatDoesNotExist)
{
    Record record{};
    auto wrong = [&](std::size_t at, std::byte value) {
        auto bytes = sent(1, 1, TF_RESET_LINGER_0).bytes();
        bytes.at(sizeof(tf_header) + at) = value;
        return decode(bytes, record);
    };
    EXPECT_EQ(wrong(offsetof(tf_reset, reason), std::byte{TF_RESET_REASONS}), DecodeError::BadValue);
    EXPECT_EQ(wrong(offsetof(tf_reset, direction), std::byte{TF_RESET_DIRECTIONS}), DecodeError::BadValue);
    EXPECT_EQ(wrong(offsetof(tf_reset, kernel_reason), std::byte{99}), DecodeError::None);
}

} // namespace
} // namespace tcpflight::test

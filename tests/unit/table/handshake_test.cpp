// Handshakes of which no socket came yet, and the queues of their listeners.
#include "table/handshake_time.h"
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t listening = 10;
constexpr std::uint64_t second_us = 1'000'000;
constexpr std::uint64_t second_ns = 1'000'000'000;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

Handshake handshake_of(const std::optional<Event> &event)
{
    return std::get<Handshake>(event.value().what);
}

ListenQueue queue_of(const std::optional<Event> &event)
{
    return std::get<ListenQueue>(event.value().what);
}

StateChange change_of(const std::optional<Event> &event)
{
    return std::get<StateChange>(event.value().what);
}

RecordBuilder syn_ack(std::uint64_t cookie, std::uint64_t time_us, std::uint8_t timeouts)
{
    return RecordBuilder::handshake(cookie, time_us, TF_HANDSHAKE_SYN_ACK, 10, TF_HANDSHAKE_TIMER, timeouts)
        .identity(80, 50000, 42, "server", TF_OWNER_INHERITED);
}

// A SYN that came says who began it, before there is a socket.
TEST(TableHandshake, IsOfAnIncomingConnection)
{
    Table table([](const Identity & /*identity*/, Direction direction) {
        return direction == Direction::Incoming ? Admission::Yes : Admission::No;
    });
    const auto syn = observe(
        table,
        RecordBuilder::handshake(1, 10, TF_HANDSHAKE_SYN, 10).identity(80, 50000, 42, "server", TF_OWNER_INHERITED));
    EXPECT_TRUE(syn.value().wanted);
}

TEST(TableHandshake, JoinsTheChildThatIsBornOfIt)
{
    Table table;
    auto syn = observe(
        table,
        RecordBuilder::handshake(1, 10, TF_HANDSHAKE_SYN, 10).identity(80, 50000, 42, "server", TF_OWNER_INHERITED));
    EXPECT_EQ(handshake_of(syn).step, HandshakeStep::SynReceived);
    EXPECT_EQ(syn->identity->remote.port, 50000);
    EXPECT_FALSE(syn->incomplete);
    auto again = observe(table, syn_ack(1, second_us + 10, 0));
    EXPECT_EQ(handshake_of(again).attempt, 1U);
    EXPECT_EQ(handshake_of(again).since_syn_ns, second_ns);

    auto birth = observe(table, RecordBuilder::state(1, second_us + 500, listening, syn_recv));
    EXPECT_FALSE(birth->incomplete);
    EXPECT_EQ(change_of(birth).duration_ns, std::nullopt);
    auto open = observe(table, RecordBuilder::state(1, second_us + 506, syn_recv, established));
    EXPECT_FALSE(open->incomplete);
    EXPECT_EQ(change_of(open).duration_ns, 6'000U);
    EXPECT_EQ(change_of(open).syn_queue_ns, second_ns + 490'000);
    EXPECT_EQ(open->identity->owner.comm_view(), "server");
    EXPECT_EQ(table.next_expiry_ns(), std::nullopt);
    EXPECT_FALSE(table.expire(1000 * second_ns));
}

// Where SYNs are not recorded, the kernel's own measurement stands in the record of ESTABLISHED.
TEST(TableHandshake, TakesTheTimeInTheQueueFromTheKernel)
{
    Table table;
    observe(table, RecordBuilder::state(1, 1000, listening, syn_recv).identity(80, 50000));
    auto open = observe(table, RecordBuilder::state(1, 1006, syn_recv, established).waited(700));
    EXPECT_EQ(change_of(open).syn_queue_ns, 700'000U);

    // With TCP Fast Open the socket is there before the SYN-ACK.
    observe(table, RecordBuilder::state(2, 1000, listening, syn_recv).identity(80, 50001));
    open = observe(table, RecordBuilder::state(2, 1706, syn_recv, established).waited(700));
    EXPECT_EQ(change_of(open).syn_queue_ns, std::nullopt);

    observe(table, RecordBuilder::state(3, 1000, listening, syn_recv).identity(80, 50002));
    open = observe(table, RecordBuilder::state(3, 1006, syn_recv, established));
    EXPECT_EQ(change_of(open).syn_queue_ns, std::nullopt);
}

TEST(TableHandshake, EndsWithItsReason)
{
    for (auto [bits, end] :
         {std::pair{TF_HANDSHAKE_TIMER, HandshakeEnd::TimedOut}, std::pair{tf_handshake_bit{}, HandshakeEnd::Refused},
          std::pair{TF_HANDSHAKE_NO_LISTENER, HandshakeEnd::NoListener}}) {
        Table table;
        observe(table, syn_ack(1, second_us, 0));
        observe(table, syn_ack(1, 3 * second_us, 1));
        auto over = observe(table, RecordBuilder::handshake(1, 7 * second_us + 110, TF_HANDSHAKE_ENDED, 10, bits, 2));
        EXPECT_EQ(handshake_of(over).step, HandshakeStep::NotCompleted);
        EXPECT_EQ(handshake_of(over).end, end);
        EXPECT_EQ(handshake_of(over).attempt, 2U);
        EXPECT_EQ(handshake_of(over).since_syn_ns, 7 * second_ns);
        EXPECT_EQ(over->identity->owner.comm_view(), "server");
        EXPECT_EQ(table.size(), 0U);
        // Told once.
        EXPECT_FALSE(observe(table, RecordBuilder::handshake(1, 8 * second_us, TF_HANDSHAKE_ENDED, 10, bits, 2)));
    }
}

TEST(TableHandshake, IsOverWhenItsTimeIs)
{
    Table table;
    auto first = observe(table, syn_ack(1, second_us, 0));
    EXPECT_EQ(handshake_of(first).rto_ns, 2 * second_ns);
    EXPECT_EQ(handshake_of(first).gives_up_ns, (2 + 4 + 8 + 16 + 32) * second_ns);
    auto last = observe(table, syn_ack(1, 31 * second_us, 4));
    EXPECT_EQ(handshake_of(last).gives_up_ns, 32 * second_ns);

    auto due = table.next_expiry_ns();
    ASSERT_TRUE(due);
    EXPECT_GE(*due, (31 + 32 + 4) * second_ns) << "timers expire up to an eighth of their time late";
    EXPECT_LT(*due, (31 + 32 + 5) * second_ns);
    EXPECT_FALSE(table.expire(*due - 1));
    auto over = table.expire(*due);
    EXPECT_EQ(handshake_of(over).step, HandshakeStep::NotCompleted);
    EXPECT_EQ(handshake_of(over).end, HandshakeEnd::Unknown);
    EXPECT_EQ(over->time_ns, *due);
    EXPECT_EQ(over->connection, 1U);
    EXPECT_EQ(over->identity->local.port, 80);
    EXPECT_EQ(table.size(), 0U);
    EXPECT_FALSE(table.expire(2 * *due));
}

// Whatever shows that a socket came of it keeps it from being over.
TEST(TableHandshake, DoesNotExpireWhenItsSocketIsSeen)
{
    Table table;
    observe(table, syn_ack(1, second_us, 0));
    auto event = observe(table, RecordBuilder::state(1, 2 * second_us, established, close_state));
    EXPECT_TRUE(event->incomplete);
    EXPECT_EQ(table.next_expiry_ns(), std::nullopt);
}

TEST(TableHandshake, IsKnownToAnotherTable)
{
    Table first;
    observe(first, syn_ack(1, second_us, 0));
    std::vector<KnownConnection> known;
    first.for_each_known([&](const KnownConnection &connection) { known.push_back(connection); });
    Table second;
    second.restore(first.known_gaps(), known);
    EXPECT_EQ(second.next_expiry_ns(), first.next_expiry_ns());
    auto over = second.expire(*first.next_expiry_ns());
    EXPECT_EQ(handshake_of(over).attempt, 1U);
    EXPECT_EQ(second.size(), 0U);
}

TEST(HandshakeTime, FollowsTheTimer)
{
    tf_handshake h{};
    EXPECT_EQ(time_until_drop_ns(h), std::nullopt);
    EXPECT_EQ(next_syn_ack_ns(h), std::nullopt);
    h.timeout_us = second_us;
    h.rto_max_ms = 120'000;
    h.max_retries = 5;
    EXPECT_EQ(time_until_drop_ns(h), 63 * second_ns); // 1 + 2 + 4 + 8 + 16 + 32
    h.step = TF_HANDSHAKE_SYN_ACK;
    h.timeouts = 2;
    EXPECT_EQ(next_syn_ack_ns(h), 4 * second_ns) << "the SYN came again: the timer is set anew";
    h.bits = TF_HANDSHAKE_TIMER;
    EXPECT_EQ(next_syn_ack_ns(h), 8 * second_ns);
    h.max_retries = 1;
    EXPECT_EQ(time_until_drop_ns(h), 8 * second_ns) << "the limit was lowered";
    h.timeouts = h.max_retries = 255;
    EXPECT_EQ(time_until_drop_ns(h), 120 * second_ns);
}

TEST(TableQueue, CountsFromWhatWasTold)
{
    const tf_queue full{
        .accept_queue = 2, .syn_queue = 0, .limit = 1, .drops = 6, .bits = 0, .reserved = {}, .with_room = 0};
    Table table;
    observe(table, RecordBuilder::state(7, 10, close_state, listening).identity(80, 0));
    auto event = observe(table, RecordBuilder::queue(7, 20, full));
    EXPECT_EQ(queue_of(event).dropped, 6U);
    EXPECT_EQ(queue_of(event).dropped_in_all, 6U);
    EXPECT_TRUE(queue_of(event).accept_queue_is_full());
    EXPECT_FALSE(queue_of(event).syn_queue_is_full());
    EXPECT_FALSE(observe(table, RecordBuilder::queue(7, 30, full))) << "no news";
    auto more = full;
    more.drops = 8;
    EXPECT_EQ(queue_of(observe(table, RecordBuilder::queue(7, 40, more))).dropped, 2U);
    more.bits = TF_QUEUE_COOKIES;
    EXPECT_TRUE(queue_of(observe(table, RecordBuilder::queue(7, 50, more))).syn_cookies);
}

// No more of it than was dropped.
TEST(TableQueue, TellsApartWhatIsNotKnownAsOverflow)
{
    tf_queue queue{
        .accept_queue = 2, .syn_queue = 0, .limit = 1, .drops = 6, .bits = 0, .reserved = {}, .with_room = 4};
    Table table;
    observe(table, RecordBuilder::state(7, 10, close_state, listening).identity(80, 0));
    const auto tell = [&](std::uint64_t time_us, std::uint32_t drops, std::uint32_t with_room) {
        queue.drops = drops;
        queue.with_room = with_room;
        const auto told = queue_of(observe(table, RecordBuilder::queue(7, time_us, queue)));
        return std::pair(told.dropped.value(), told.with_room);
    };
    EXPECT_EQ(tell(20, 6, 4), std::pair(6U, 4U));
    EXPECT_EQ(tell(30, 9, 4), std::pair(3U, 0U));
    EXPECT_EQ(tell(40, 12, 7), std::pair(3U, 3U));
    EXPECT_EQ(tell(50, 15, 0), std::pair(3U, 0U)) << "the kernel's side has forgotten the listener, and counts anew";
    EXPECT_EQ(tell(60, 16, 16), std::pair(1U, 1U)) << "likewise, where it begins with room";
    EXPECT_EQ(tell(70, 17, 18), std::pair(1U, 1U)) << "one of them is being counted";
}

TEST(TableQueue, OfAListenerThatNobodyKnewHasOnlyATotal)
{
    Table table;
    auto event = observe(
        table,
        RecordBuilder::queue(
            7, 20,
            {.accept_queue = 2, .syn_queue = 0, .limit = 1, .drops = 6, .bits = 0, .reserved = {}, .with_room = 0})
            .identity(80, 0));
    EXPECT_EQ(queue_of(event).dropped, std::nullopt);
    EXPECT_EQ(queue_of(event).dropped_in_all, 6U);
}

} // namespace
} // namespace tcpflight::test

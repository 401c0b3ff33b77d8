#include "table/table.h"

#include "support/record_builder.h"
#include "support/wanted.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t fin_wait2 = 5;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t listen_state = 10;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

StateChange change(const std::optional<Event> &event)
{
    return std::get<StateChange>(event.value().what);
}

TEST(Table, RemembersTheIdentityThatWasSaidOnce)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(0, 80).local_port(0));
    auto event = observe(table, RecordBuilder::state(1, 118, syn_sent, established).local_port(40000));
    ASSERT_NE(event->identity, nullptr);
    EXPECT_EQ(event->identity->local.port, 40000);
    EXPECT_EQ(event->identity->remote.port, 80);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    EXPECT_EQ(event->identity->family, Family::IPv4);
    EXPECT_EQ(change(event).duration_ns, 108'000U);
    EXPECT_EQ(table.size(), 1U);
}

TEST(Table, ForgetsAConnectionAtCloseButNotBeforeItIsTold)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    auto event = observe(table, RecordBuilder::state(1, 50, syn_sent, close_state).error(111));
    ASSERT_NE(event->identity, nullptr);
    EXPECT_EQ(event->identity->remote.port, 80);
    EXPECT_EQ(change(event).error, 111);
    EXPECT_EQ(change(event).duration_ns, 40'000U);
    EXPECT_EQ(table.size(), 0U);
}

TEST(Table, TellsWhatASocketCarriedWhenItEnds)
{
    Table table;
    auto begin = observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80).carried(1, 2));
    EXPECT_FALSE(change(begin).bytes) << "so far";
    auto end = observe(table, RecordBuilder::state(1, 50, syn_sent, close_state).carried(3, 4));
    ASSERT_TRUE(change(end).bytes);
    EXPECT_EQ(change(end).bytes->acked, 3U);
    EXPECT_EQ(change(end).bytes->received, 4U);
    EXPECT_FALSE(change(end).traffic) << "as older versions recorded it";
    observe(table, RecordBuilder::state(4, 10, close_state, syn_sent).identity(40000, 80));
    end = observe(table, RecordBuilder::state(4, 50, syn_sent, close_state)
                             .carried(3, 4)
                             .traffic({.bytes_retransmitted = 1,
                                       .segments_sent = 2,
                                       .segments_received = 3,
                                       .data_segments_sent = 4,
                                       .data_segments_received = 5,
                                       .retransmitted = 6,
                                       .rtt_us = 7,
                                       .min_rtt_us = 8,
                                       .cwnd = 9}));
    ASSERT_TRUE(change(end).traffic);
    const auto traffic = change(end).traffic.value_or(Traffic{});
    EXPECT_EQ(traffic.bytes_retransmitted, 1U);
    EXPECT_EQ(traffic.sent, 2U);
    EXPECT_EQ(traffic.received, 3U);
    EXPECT_EQ(traffic.data_sent, 4U);
    EXPECT_EQ(traffic.data_received, 5U);
    EXPECT_EQ(traffic.retransmitted, 6U);
    EXPECT_EQ(traffic.rtt_us, 7U);
    EXPECT_EQ(traffic.min_rtt_us, 8U);
    EXPECT_EQ(traffic.cwnd, 9U);
    observe(table, RecordBuilder::state(2, 10, close_state, syn_sent).identity(40000, 80));
    EXPECT_FALSE(change(observe(table, RecordBuilder::state(2, 50, syn_sent, close_state))).bytes);
    constexpr std::uint8_t listen = 10;
    observe(table, RecordBuilder::state(3, 10, close_state, listen).identity(80, 0));
    EXPECT_FALSE(change(observe(table, RecordBuilder::state(3, 50, listen, close_state).carried(0, 0))).bytes);
    EXPECT_FALSE(change(observe(table, RecordBuilder::state(3, 50, listen, close_state).traffic({}))).traffic);
}

TEST(Table, KnowsNoDurationForAStateWhoseBeginItDidNotSee)
{
    Table table;
    auto old = observe(table, RecordBuilder::state(1, 10, established, fin_wait1).identity(40000, 80));
    EXPECT_FALSE(change(old).duration_ns);
    EXPECT_FALSE(old->incomplete); // it was there before us: nothing was lost
    auto child = observe(table, RecordBuilder::state(2, 10, listen_state, syn_recv).identity(80, 40000));
    EXPECT_FALSE(change(child).duration_ns); // the listener's time is not the child's
    EXPECT_EQ(change(observe(table, RecordBuilder::state(1, 20, fin_wait1, fin_wait2))).duration_ns, 10'000U);
}

TEST(Table, ToldALossOnceHoweverOftenItIsRepeated)
{
    Table table;
    auto first = observe(table, RecordBuilder::lost(10, 5, 0));
    EXPECT_EQ(std::get<Lost>(first->what).count, 5U);
    EXPECT_EQ(std::get<Lost>(first->what).cpu, 0U);
    EXPECT_FALSE(observe(table, RecordBuilder::lost(11, 5, 0)));
    EXPECT_FALSE(observe(table, RecordBuilder::lost(12, 4, 0)));
    EXPECT_EQ(std::get<Lost>(observe(table, RecordBuilder::lost(13, 7, 0))->what).count, 2U);
    EXPECT_EQ(std::get<Lost>(observe(table, RecordBuilder::lost(14, 7, 1))->what).count, 7U);
    auto whole = observe(table, RecordBuilder::lost(14, 1, 0xffffffff));
    EXPECT_FALSE(std::get<Lost>(whole->what).cpu);
}

TEST(Table, MarksATimelineThatAGapTouched)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::lost(20, 5, 0));
    auto next = observe(table, RecordBuilder::state(1, 30, syn_sent, established));
    EXPECT_TRUE(next->after_gap);
    EXPECT_TRUE(next->incomplete);
    EXPECT_EQ(change(next).duration_ns, 20'000U); // the states join, so no change is missing between them
    auto later = observe(table, RecordBuilder::state(1, 40, established, fin_wait1));
    EXPECT_FALSE(later->after_gap);
    EXPECT_TRUE(later->incomplete);

    auto born_after = observe(table, RecordBuilder::state(2, 50, close_state, syn_sent).identity(40001, 80));
    EXPECT_FALSE(born_after->after_gap);
    EXPECT_FALSE(born_after->incomplete);
    auto met_after = observe(table, RecordBuilder::state(3, 60, established, fin_wait1).identity(40002, 80));
    EXPECT_TRUE(met_after->incomplete);
}

TEST(Table, AGapGoesOnUntilItsLastLoss)
{
    Table table;
    observe(table, RecordBuilder::lost(20, 5, 0, 60));
    // Born in the middle of it: nothing is missing yet, but something may be before the next event.
    auto born = observe(table, RecordBuilder::state(1, 30, close_state, syn_sent).identity(40000, 80));
    EXPECT_FALSE(born->after_gap);
    auto second = observe(table, RecordBuilder::state(1, 61, syn_sent, established));
    EXPECT_TRUE(second->after_gap);
    EXPECT_TRUE(second->incomplete);
    EXPECT_FALSE(observe(table, RecordBuilder::state(1, 70, established, fin_wait1))->after_gap);
}

TEST(Table, InventsNoDurationWhereATransitionIsMissing)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    auto broken = observe(table, RecordBuilder::state(1, 90, fin_wait1, fin_wait2));
    EXPECT_FALSE(change(broken).duration_ns);
    EXPECT_TRUE(broken->incomplete);
    EXPECT_EQ(change(observe(table, RecordBuilder::state(1, 95, fin_wait2, close_state))).duration_ns, 5'000U);
}

TEST(Table, CountsTheAttemptsOfEachSegment)
{
    Table table;
    observe(table, RecordBuilder::state(1, 1, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::state(1, 2, syn_sent, established));
    auto attempt = [&](std::uint32_t seq, std::uint64_t at) {
        auto event = observe(table, RecordBuilder::retransmit(1, at, established, seq, seq + 1449, 0x11).acked(500));
        return std::get<Retransmit>(event->what);
    };
    EXPECT_EQ(attempt(1000, 10).attempt, 1U);
    EXPECT_EQ(attempt(1000, 20).attempt, 2U);
    EXPECT_EQ(attempt(2449, 30).attempt, 1U);
    auto last = attempt(2449, 40);
    EXPECT_EQ(last.attempt, 2U);
    EXPECT_EQ(last.length, 1448U); // the FIN takes a number and is no payload
    EXPECT_EQ(last.offset, 499U);  // 500 acknowledged, and one of them was the SYN
    EXPECT_EQ(last.metrics.rto_us, 204000U);
    EXPECT_EQ(last.send_error, 0U);
    auto failed = observe(table, RecordBuilder::retransmit(1, 50, established, 2449, 2450, 0x11).send_error(-1));
    EXPECT_EQ(std::get<Retransmit>(failed->what).send_error, 1U);
}

TEST(Table, CountsTheStreamFromItsFirstByteOnBothSides)
{
    Table table;
    auto offset = [&](std::uint64_t cookie, std::uint8_t state, std::uint64_t acked) {
        auto event = observe(table, RecordBuilder::retransmit(cookie, 10, state, 1000, 1100, 0x18).acked(acked));
        return std::get<Retransmit>(event->what).offset;
    };
    observe(table, RecordBuilder::state(1, 1, close_state, syn_sent).identity(40000, 80));
    EXPECT_EQ(offset(1, syn_sent, 0), 0U); // the SYN itself
    observe(table, RecordBuilder::state(1, 2, syn_sent, established));
    EXPECT_EQ(offset(1, established, 1), 0U);
    EXPECT_EQ(offset(1, established, 101), 100U);
    observe(table, RecordBuilder::state(2, 1, listen_state, syn_recv).identity(80, 40000));
    observe(table, RecordBuilder::state(2, 2, syn_recv, established));
    EXPECT_EQ(offset(2, established, 0), 0U);
    EXPECT_EQ(offset(2, established, 100), 100U);
}

TEST(Table, AsksTheFilterOnceTheIdentityIsKnownAndAgainOnlyWhileItWasRefused)
{
    std::vector<std::uint32_t> asked;
    Table table([&](const Identity &identity, Direction /*direction*/) {
        asked.push_back(identity.owner.pid);
        return identity.owner.pid == 9 ? Admission::Yes : Admission::No;
    });
    auto inherited = RecordBuilder::state(1, 10, listen_state, syn_recv);
    EXPECT_FALSE(observe(table, std::move(inherited).identity(80, 40000, 8, "master", TF_OWNER_INHERITED))->wanted);
    EXPECT_FALSE(observe(table, RecordBuilder::state(1, 20, syn_recv, established).local_port(80))->wanted);
    auto worker = RecordBuilder::state(1, 30, established, fin_wait1);
    EXPECT_TRUE(observe(table, std::move(worker).identity(80, 40000, 9, "worker", TF_OWNER_SYSCALL))->wanted);
    auto other = RecordBuilder::state(1, 40, fin_wait1, fin_wait2);
    EXPECT_TRUE(observe(table, std::move(other).identity(80, 40000, 7, "other", TF_OWNER_SYSCALL))->wanted);
    EXPECT_EQ(asked, (std::vector<std::uint32_t>{8, 9}));
}

TEST(Table, ASystemCallOfTheKnownOwnerConfirmsIt)
{
    Table table;
    auto child = RecordBuilder::state(1, 10, listen_state, syn_recv);
    auto born = observe(table, std::move(child).identity(80, 40000, 8, "server", TF_OWNER_INHERITED));
    EXPECT_EQ(born->identity->owner.source, OwnerSource::Inherited);
    auto softirq = observe(table, RecordBuilder::state(1, 20, syn_recv, established));
    EXPECT_EQ(softirq->identity->owner.source, OwnerSource::Inherited);
    auto closing = observe(table, RecordBuilder::state(1, 30, established, fin_wait1).owned());
    EXPECT_EQ(closing->identity->owner.source, OwnerSource::Syscall);
    auto client = observe(table, RecordBuilder::state(2, 40, close_state, syn_sent).identity(40000, 80).owned());
    EXPECT_EQ(client->identity->owner.source, OwnerSource::Connect);
}

TEST(Table, IsBoundedAndSaysWhatItForgot)
{
    Table table({}, 100);
    for (std::uint64_t cookie = 1; cookie <= 1000; cookie++)
        observe(table, RecordBuilder::state(cookie, cookie, close_state, syn_sent).identity(40000, 80));
    EXPECT_EQ(table.size(), 100U);
    EXPECT_EQ(table.forgotten(), 900U);
    // The newest is there; one that was forgotten has no identity until the kernel says it again.
    EXPECT_NE(observe(table, RecordBuilder::state(1000, 2000, syn_sent, established))->identity, nullptr);
    auto forgotten = observe(table, RecordBuilder::state(1, 2001, syn_sent, established));
    EXPECT_EQ(forgotten->identity, nullptr);
    auto said_again = observe(table, RecordBuilder::state(1, 2002, established, fin_wait1).identity(40000, 80));
    EXPECT_NE(said_again->identity, nullptr);
}

TEST(Table, TakesAReusedSocketForANewConnection)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::state(1, 20, syn_sent, close_state).error(111));
    auto again = observe(table, RecordBuilder::state(1, 500, close_state, syn_sent).identity(40001, 81));
    EXPECT_FALSE(change(again).duration_ns);
    EXPECT_EQ(again->identity->local.port, 40001);
    EXPECT_EQ(again->identity->remote.port, 81);
}

std::vector<KnownConnection> known_to(const Table &table)
{
    std::vector<KnownConnection> all;
    table.for_each_known([&](const KnownConnection &connection) { all.push_back(connection); });
    return all;
}

TEST(Table, HandsOnWhatItKnowsInTheOrderOfCookies)
{
    Table table;
    for (std::uint64_t cookie : {7U, 3U, 5U})
        observe(table, RecordBuilder::state(cookie, cookie, close_state, syn_sent).identity(40000, 80));
    observe(table, RecordBuilder::state(3, 20, syn_sent, close_state));
    auto known = known_to(table);
    ASSERT_EQ(known.size(), 2U);
    EXPECT_EQ(known[0].cookie, 5U);
    EXPECT_EQ(known[1].cookie, 7U);
}

// What another table tells from there on is the same in everything: owner, duration, offset, attempt, gaps.
TEST(Table, GoesOnWhereAnotherOneWas)
{
    Table first;
    observe(first, RecordBuilder::state(1, 10, close_state, syn_sent).identity(0, 80).local_port(0));
    observe(first, RecordBuilder::state(1, 20, syn_sent, established));
    observe(first, RecordBuilder::retransmit(1, 25, established, 100, 200, 0x18).acked(50));
    observe(first, RecordBuilder::state(2, 26, close_state, syn_sent).identity(40001, 81, 7, "nginx"));
    observe(first, RecordBuilder::lost(30, 5, 0));
    Table second;
    observe(second, RecordBuilder::state(9, 1, close_state, syn_sent).identity(1, 1)); // is forgotten
    second.restore(first.known_gaps(), known_to(first));
    EXPECT_EQ(second.size(), 2U);

    for (const auto &next :
         {RecordBuilder::retransmit(1, 40, established, 100, 200, 0x18).acked(50), RecordBuilder::lost(45, 5, 0),
          RecordBuilder::lost(46, 8, 0), RecordBuilder::state(2, 50, syn_sent, established),
          RecordBuilder::state(2, 60, established, fin_wait1), RecordBuilder::state(1, 70, established, close_state)}) {
        auto expected = observe(first, next);
        auto actual = observe(second, next);
        ASSERT_EQ(actual.has_value(), expected.has_value());
        if (!actual)
            continue;
        EXPECT_EQ(actual->after_gap, expected->after_gap);
        EXPECT_EQ(actual->incomplete, expected->incomplete);
        ASSERT_EQ(actual->what.index(), expected->what.index());
        ASSERT_EQ(actual->identity == nullptr, expected->identity == nullptr);
        if (actual->identity != nullptr) {
            EXPECT_EQ(actual->identity->owner.comm_view(), expected->identity->owner.comm_view());
            EXPECT_EQ(actual->identity->local.port, expected->identity->local.port);
        }
        if (const auto *change = std::get_if<StateChange>(&actual->what)) {
            EXPECT_EQ(change->duration_ns, std::get<StateChange>(expected->what).duration_ns);
        }
        if (const auto *retransmit = std::get_if<Retransmit>(&actual->what)) {
            EXPECT_EQ(retransmit->attempt, 2U);
            EXPECT_EQ(retransmit->offset, std::get<Retransmit>(expected->what).offset);
        }
        if (const auto *lost = std::get_if<Lost>(&actual->what)) {
            EXPECT_EQ(lost->count, 3U);
        }
    }
    EXPECT_EQ(second.size(), first.size());
}

TEST(Table, AsksAgainWhereTheAnswerIsProvisional)
{
    // Not from port 40000; which is not known at first.
    Table table([](const Identity &identity, Direction /*direction*/) {
        if (identity.local.port == 0)
            return Admission::Provisional;
        return identity.local.port == 40000 ? Admission::No : Admission::Yes;
    });
    for (std::uint16_t port : {std::uint16_t{40000}, std::uint16_t{40001}}) {
        EXPECT_TRUE(observe(table, RecordBuilder::state(port, 10, close_state, syn_sent).identity(0, 80).local_port(0))
                        ->wanted);
        EXPECT_EQ(observe(table, RecordBuilder::state(port, 20, syn_sent, established).local_port(port))->wanted,
                  port == 40001);
    }
}

TEST(Table, TellsWhoBeganAConnection)
{
    std::vector<Direction> told;
    Table table([&](const Identity & /*identity*/, Direction direction) {
        told.push_back(direction);
        return Admission::No;
    });
    observe(table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80, 7, "x", TF_OWNER_SYSCALL));
    observe(table, RecordBuilder::state(2, 10, listen_state, syn_recv).identity(80, 40000, 7, "x", TF_OWNER_INHERITED));
    observe(table, RecordBuilder::state(2, 11, syn_recv, established).identity(80, 40000, 8, "y", TF_OWNER_SYSCALL));
    observe(table, RecordBuilder::state(3, 12, close_state, listen_state).identity(80, 0, 8, "y", TF_OWNER_LISTEN));
    observe(table, RecordBuilder::state(4, 13, established, fin_wait1).identity(1, 2, 8, "y", TF_OWNER_SYSCALL));
    observe(table, RecordBuilder::state(5, 14, established, fin_wait1).identity(1, 2, 8, "y", TF_OWNER_CONNECT));
    observe(table, RecordBuilder::state(6, 15, established, fin_wait1).identity(1, 2, 8, "y", TF_OWNER_ACCEPT));
    EXPECT_EQ(told, (std::vector{Direction::Outgoing, Direction::Incoming, Direction::Incoming, Direction::Neither,
                                 Direction::Unknown, Direction::Outgoing, Direction::Incoming}));
}

TEST(Table, AsksAnewWhetherARestoredConnectionIsWanted)
{
    Table first;
    observe(first, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    observe(first, RecordBuilder::state(2, 10, close_state, syn_sent).identity(40001, 81));
    Table second(only([](const Identity &identity) { return identity.remote.port == 81; }));
    second.restore(first.known_gaps(), known_to(first));
    EXPECT_FALSE(observe(second, RecordBuilder::state(1, 20, syn_sent, established))->wanted);
    EXPECT_TRUE(observe(second, RecordBuilder::state(2, 20, syn_sent, established))->wanted);
}

// Records 2 and 3 are missing here; another table has seen them.
TEST(Table, IsHealedBehindAGap)
{
    Table whole;
    Table gapped;
    for (auto *table : {&whole, &gapped})
        observe(*table, RecordBuilder::state(1, 10, close_state, syn_sent).identity(40000, 80));
    observe(whole, RecordBuilder::state(1, 20, syn_sent, established));
    observe(whole, RecordBuilder::state(2, 21, close_state, syn_sent).identity(40001, 81));
    observe(gapped, RecordBuilder::lost(20, 2, 0));
    gapped.heal(known_to(whole));
    auto event = observe(gapped, RecordBuilder::state(1, 50, established, fin_wait1));
    EXPECT_TRUE(event->after_gap);
    EXPECT_EQ(change(event).duration_ns, 30'000U);
    EXPECT_FALSE(observe(gapped, RecordBuilder::state(1, 60, fin_wait1, fin_wait2))->after_gap);
    EXPECT_NE(observe(gapped, RecordBuilder::state(2, 61, syn_sent, established))->identity, nullptr);
}

TEST(Table, TakesNothingTwiceFromAFile)
{
    KnownConnection one;
    one.cookie = 1;
    Table table;
    table.restore({}, std::vector{one, one, KnownConnection{}});
    EXPECT_EQ(table.size(), 1U);
}

} // namespace
} // namespace tcpflight::test

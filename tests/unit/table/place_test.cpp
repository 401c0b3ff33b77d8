// Where the owner is: its cgroup and its inner pid.
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

#include <vector>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t listening = 10;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

TEST(TablePlace, StaysWithTheConnection)
{
    Table table;
    EXPECT_FALSE(observe(table, RecordBuilder::cgroup(5, 9, 8, "/lxc/web")));
    auto begin = observe(table, RecordBuilder::state(1, 10, close_state, syn_sent)
                                    .identity(50000, 80)
                                    .place({.cgroup = 9, .hierarchy = 8, .pid = 7}));
    EXPECT_EQ(begin->identity->owner.inner_pid, 7U);
    EXPECT_EQ(begin->identity->container(), "web");
    auto next = observe(table, RecordBuilder::state(1, 20, syn_sent, established));
    EXPECT_EQ(next->identity->owner.inner_pid, 7U);
    EXPECT_EQ(next->identity->cgroup_path(), "/lxc/web");
    // The kernel says the identity again, and knows the owner's number only.
    auto again = observe(
        table, RecordBuilder::state(1, 30, established, close_state).identity(50000, 80, 0, "", TF_OWNER_UNKNOWN));
    EXPECT_EQ(again->identity->owner.inner_pid, 7U);
    EXPECT_EQ(again->identity->container(), "web");
}

TEST(TablePlace, IsTheAcceptors)
{
    Table table;
    observe(table, RecordBuilder::cgroup(5, 9, 0, "/lxc/web"));
    observe(table, RecordBuilder::state(1, 10, listening, syn_recv)
                       .identity(80, 50000, 42, "server", TF_OWNER_INHERITED)
                       .place({.cgroup = 9, .hierarchy = 0, .pid = 7}));
    auto inside = observe(
        table, RecordBuilder::accept(1, 42, established, 77, "worker").place({.cgroup = 9, .hierarchy = 0, .pid = 12}));
    EXPECT_EQ(inside->identity->owner.inner_pid, 12U);
    EXPECT_EQ(inside->identity->container(), "web");
    auto outside = observe(table, RecordBuilder::accept(1, 42, established, 78, "host"));
    EXPECT_EQ(outside->identity->owner.inner_pid, 0U);
    EXPECT_EQ(outside->identity->container(), "");
}

TEST(TablePlace, IsAskedForByTheFilter)
{
    Table table([](const Identity &identity, Direction) {
        return identity.container() == "web" ? Admission::Yes : Admission::No;
    });
    observe(table, RecordBuilder::cgroup(5, 9, 8, "/lxc/web"));
    auto inside = observe(table, RecordBuilder::state(1, 10, close_state, syn_sent)
                                     .identity(50000, 80)
                                     .place({.cgroup = 9, .hierarchy = 8, .pid = 0}));
    EXPECT_TRUE(inside->wanted);
    auto outside = observe(table, RecordBuilder::state(2, 10, close_state, syn_sent).identity(50001, 80));
    EXPECT_FALSE(outside->wanted);
}

TEST(TablePlace, GoesOnInAnotherTable)
{
    Table first;
    observe(first, RecordBuilder::cgroup(5, 9, 8, "/lxc/web"));
    observe(first, RecordBuilder::state(1, 10, close_state, syn_sent)
                       .identity(50000, 80)
                       .place({.cgroup = 9, .hierarchy = 8, .pid = 7}));
    std::vector<KnownConnection> known;
    first.for_each_known([&](const KnownConnection &connection) { known.push_back(connection); });
    known.at(0).identity.where = nullptr; // a recording has the names once

    Table second;
    second.restore_cgroups(first.known_cgroups());
    second.restore(first.known_gaps(), known);
    auto event = observe(second, RecordBuilder::state(1, 20, syn_sent, established));
    EXPECT_EQ(event->identity->owner.inner_pid, 7U);
    EXPECT_EQ(event->identity->container(), "web");
    // And for those to come.
    auto later = observe(second, RecordBuilder::state(2, 30, close_state, syn_sent)
                                     .identity(50001, 80)
                                     .place({.cgroup = 9, .hierarchy = 8, .pid = 0}));
    EXPECT_EQ(later->identity->container(), "web");
}

TEST(TablePlace, WithoutARecordOfItsCgroupIsNotKnown)
{
    Table table;
    auto event = observe(table, RecordBuilder::state(1, 10, close_state, syn_sent)
                                    .identity(50000, 80)
                                    .place({.cgroup = 9, .hierarchy = 8, .pid = 0}));
    EXPECT_EQ(event->identity->where, nullptr);
}

} // namespace
} // namespace tcpflight::test

#include "list/socket_list.h"

#include "support/expression.h"
#include "unit/list/snapshot_builder.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint8_t listening = 10;

// The cookies, in order.
std::string order(SocketList &&list, SortKey key = SortKey::Default)
{
    list.sort(key);
    std::string text;
    for (const auto &socket : list.sockets())
        text += std::to_string(socket.cookie);
    return text;
}

tf_socket queues(std::uint32_t recv_queue, std::uint32_t send_queue)
{
    tf_socket socket{};
    socket.recv_queue = recv_queue;
    socket.send_queue = send_queue;
    return socket;
}

tf_socket timer(std::uint8_t kind, std::uint32_t left_us, std::uint8_t retries)
{
    tf_socket socket{};
    socket.timer = kind;
    socket.timer_left_us = left_us;
    socket.retries = retries;
    return socket;
}

tf_socket since(std::uint64_t time_ns)
{
    tf_socket socket{};
    socket.since_ns = time_ns;
    return socket;
}

TEST(SocketList, ShowsListenersFirstAndThenByLocalEnd)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 80, 2).add(2, listening, 443, 0).add(3, established, 22, 9).add(4, established, 22, 8);
    snapshot.add(5, listening, 80, 0);
    EXPECT_EQ(order(snapshot.list()), "52431");
}

TEST(SocketList, SortsByEveryKey)
{
    SnapshotBuilder states;
    states.add(1, time_wait, 1, 1).add(2, established, 2, 2).add(3, listening, 3, 0);
    EXPECT_EQ(order(states.list(), SortKey::State), "213");
    EXPECT_EQ(order(states.list(), SortKey::Local), "123");
    EXPECT_EQ(order(states.list(), SortKey::Remote), "312");

    SnapshotBuilder filled;
    filled.add(1, established, 1, 1, 0, "", queues(5, 0)).add(2, established, 2, 1, 0, "", queues(7, 1));
    filled.add(3, established, 3, 1, 0, "", queues(0, 9));
    EXPECT_EQ(order(filled.list(), SortKey::RecvQueue), "213");
    EXPECT_EQ(order(filled.list(), SortKey::SendQueue), "321");

    SnapshotBuilder owned;
    owned.add(1, established, 1, 1).add(2, established, 2, 1, 9, "b").add(3, established, 3, 1, 8, "b");
    owned.add(4, established, 4, 1, 10, "a");
    EXPECT_EQ(order(owned.list(), SortKey::Process), "4321");

    SnapshotBuilder timed;
    timed.add(1, established, 1, 1).add(2, established, 2, 1, 0, "", timer(TF_TIMER_KEEPALIVE, 50, 0));
    timed.add(3, established, 3, 1, 0, "", timer(TF_TIMER_RETRANSMIT, 90, 3));
    timed.add(4, established, 4, 1, 0, "", timer(TF_TIMER_RETRANSMIT, 20, 0));
    EXPECT_EQ(order(timed.list(), SortKey::Timer), "3421");

    SnapshotBuilder aged;
    aged.add(1, established, 1, 1).add(2, established, 2, 1, 0, "", since(900'000));
    aged.add(3, established, 3, 1, 0, "", since(100'000));
    EXPECT_EQ(order(aged.list(), SortKey::Age), "321");
}

TEST(SocketList, KnowsEverybodyWhoHasASocketOpen)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 1, 1, 10, "master").add(2, established, 2, 1).add(3, established, 3, 1, 12, "other");
    snapshot.hold(1, 10, 3, "master").hold(3, 12, 7, "other").hold(1, 11, 4, "worker").hold(9, 1, 1, "gone");
    auto list = snapshot.list();
    const auto sockets = list.sockets();
    ASSERT_EQ(sockets.size(), 3U);
    ASSERT_EQ(sockets[0].holders.size(), 2U);
    EXPECT_EQ(sockets[0].holders[0].pid, 10U);
    EXPECT_EQ(sockets[0].holders[0].fd, 3U);
    EXPECT_EQ(sockets[0].holders[1].comm_view(), "worker");
    EXPECT_TRUE(sockets[1].holders.empty());
    ASSERT_EQ(sockets[2].holders.size(), 1U);
    EXPECT_EQ(sockets[2].holders[0].pid, 12U);
}

TEST(SocketList, FindsASocketByWhoeverHasItOpen)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 1, 1, 10, "master").add(2, established, 2, 1, 20, "other");
    snapshot.hold(1, 10, 3, "master").hold(1, 11, 4, "worker").hold(2, 20, 3, "other");
    EXPECT_EQ(order(snapshot.list(filter_of("pid 11"))), "1");
    EXPECT_EQ(order(snapshot.list(filter_of("comm other"))), "2");
    EXPECT_EQ(order(snapshot.list(filter_of("not pid 11"))), "2");
}

TEST(SocketList, ChoosesByStateAndAge)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 1, 1).add(2, time_wait, 2, 1);
    EXPECT_EQ(order(snapshot.list(filter_of("state time-wait"))), "2");
    EXPECT_EQ(order(snapshot.list(filter_of("not state time-wait"))), "1");
    EXPECT_EQ(order(snapshot.list(filter_of("duration < 1d"))), "") << "no age is known";
}

TEST(SocketList, TellsInWhichContainerTheOwnerIs)
{
    SnapshotBuilder snapshot;
    snapshot.cgroups.put({.id = 9, .hierarchy = 8}, "/lxc/web");
    snapshot.add(RecordBuilder::found(1, 1000, established)
                     .identity(80, 50000, 42, "nginx", TF_OWNER_SNAPSHOT)
                     .place({.cgroup = 9, .hierarchy = 8, .pid = 7}));
    const auto list = snapshot.list();
    ASSERT_EQ(list.sockets().size(), 1U);
    EXPECT_EQ(list.sockets()[0].identity.container(), "web");
    EXPECT_EQ(list.sockets()[0].identity.owner.inner_pid, 7U);
}

TEST(SocketList, ShowsASocketOnceHoweverOftenItWasRead)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 1, 1).add(1, time_wait, 1, 1);
    auto list = snapshot.list();
    ASSERT_EQ(list.sockets().size(), 1U);
    EXPECT_EQ(list.sockets()[0].found.state, TcpState::TimeWait);
}

} // namespace
} // namespace tcpflight::test

// TCP Fast Open (RFC 7413): the child is there from the SYN on, before the handshake is over.
#include "live/live_test.h"
#include "live/precision.h"

#include <algorithm>

namespace tcpflight::test {
namespace {

class FastOpen : public LiveTest {
protected:
    void SetUp() override
    {
        LiveTest::SetUp();
        if (!IsSkipped() && !set_sysctl("ipv4/tcp_fastopen", "3"))
            GTEST_SKIP() << "needs a kernel with TCP Fast Open";
    }

    // The first connection asks for a cookie, in an ordinary handshake.
    static Connection connect_for_cookie(Actor &client, Actor &worker, const ActorSocket &listener)
    {
        Connection first;
        first.client = client.connect_with_data(listener.local, 100);
        EXPECT_EQ(first.client.step.result, 100);
        first.child = worker.accept(listener);
        EXPECT_EQ(worker.receive(first.child, 100).result, 100);
        return first;
    }
};

void expect_accepted_before_the_handshake_is_over(const std::vector<TraceEvent> &child, const Actor &worker)
{
    EXPECT_TRUE(child[0].is_change("LISTEN", "SYN_RECV"));
    EXPECT_EQ(child[0].text("owner"), "inherited");
    EXPECT_EQ(child[0].text("comm"), "server");
    EXPECT_TRUE(child[1].is("accept")) << child[1].json();
    EXPECT_EQ(child[1].text("state"), "SYN_RECV");
    EXPECT_EQ(child[1].number("pid"), static_cast<std::uint64_t>(worker.pid()));
    EXPECT_TRUE(child[1].is_null("queued_us")) << "it did not wait from ESTABLISHED on";
    EXPECT_TRUE(child[2].is_change("SYN_RECV", "ESTABLISHED"));
    EXPECT_EQ(child[2].number("pid"), static_cast<std::uint64_t>(worker.pid()));
    EXPECT_TRUE(child[2].is_null("syn_queue_us")) << "it was in none";
    EXPECT_GE(child[2].number("duration_us"), 200'000U);
}

TEST_F(FastOpen, HasTheStatesAndOwnersOfAnyConnection)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    server.allow_fast_open(listener);
    Actor worker = server.fork("worker");
    const Connection first = connect_for_cookie(client, worker, listener);
    Connection second;
    second.client = client.connect_with_data(listener.local, 100);
    ASSERT_EQ(second.client.step.result, 100);
    second.child = worker.accept(listener);
    ASSERT_EQ(worker.receive(second.child, 100).result, 100);
    const Timeline child = connected_child(second, server, worker);
    const Step close = client.close(second.client);
    worker.receive(second.child);

    expect_exactly(tracer,
                   {
                       Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                       connected_child(first, server, worker),
                       connected_client(first, client),
                       Timeline(child).to("CLOSE_WAIT"),
                       connected_client(second, client).to("FIN_WAIT1", close).to("FIN_WAIT2").leaves("FIN_WAIT2"),
                   });
}

// The SYN-ACK does not arrive, and yet the child is accepted and its data read: they came with the SYN. A SYN-ACK that
// it sends again is no handshake of the listener's.
TEST_F(FastOpen, IsAcceptedBeforeTheHandshakeIsOver)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    server.allow_fast_open(listener);
    Actor worker = server.fork("worker");
    connect_for_cookie(client, worker, listener);
    Connection second;
    second.client = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port()) + " tcp flags & syn == syn");
    client.begin_connect_with_data(second.client, listener.local, 100);
    second.child = worker.accept(listener);
    ASSERT_EQ(worker.receive(second.child, 100).result, 100);
    // The first one, and one that was sent again.
    while (drop.dropped() < 2)
        usleep(10'000);
    drop.lift();
    ASSERT_EQ(client.finish().result, 100);
    const auto of_port = [&](std::uint16_t local, std::uint16_t remote) {
        std::vector<TraceEvent> events;
        std::copy_if(tracer.events().begin(), tracer.events().end(), std::back_inserter(events),
                     [&](const auto &event) {
                         return !event.is_null("remote_port") && event.number("local_port") == local &&
                                event.number("remote_port") == remote;
                     });
        return events;
    };
    const auto child_events = [&] { return of_port(listener.local.port(), second.client.local.port()); };
    ASSERT_TRUE(tracer.wait_until([&] {
        const auto events = child_events();
        return std::any_of(events.begin(), events.end(),
                           [](const auto &event) { return event.is_change("SYN_RECV", "ESTABLISHED"); });
    }));
    tracer.stop();

    std::vector<TraceEvent> child = child_events();
    std::erase_if(child, [](const auto &event) { return event.is("retransmit"); });
    if (lacks(Precision::Births, "not in its place that a Fast Open child is accepted")) {
        EXPECT_EQ(std::count_if(child.begin(), child.end(),
                                [](const auto &event) { return event.is_change("LISTEN", "SYN_RECV"); }),
                  1);
        EXPECT_TRUE(child.back().is_change("SYN_RECV", "ESTABLISHED"));
    } else {
        ASSERT_EQ(child.size(), 3U) << child.back().json();
        expect_accepted_before_the_handshake_is_over(child, worker);
    }
    for (const TraceEvent &event : child)
        EXPECT_EQ(event.number("conn"), child[0].number("conn"));

    const auto client_events = of_port(second.client.local.port(), listener.local.port());
    ASSERT_GE(client_events.size(), 2U);
    EXPECT_TRUE(client_events.front().is_change("CLOSE", "SYN_SENT"));
    EXPECT_EQ(client_events.front().text("comm"), "client");
    EXPECT_TRUE(std::any_of(client_events.begin(), client_events.end(),
                            [](const auto &event) { return event.is_change("SYN_SENT", "ESTABLISHED"); }));
}

} // namespace
} // namespace tcpflight::test

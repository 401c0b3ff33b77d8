// Segments that do not get through, and go again.
#include "live/live_test.h"

#include <algorithm>

namespace tcpflight::test {
namespace {

class Retransmission : public LiveTest {
protected:
    static std::size_t count_retransmits(const Tracer &tracer)
    {
        return static_cast<std::size_t>(std::count_if(tracer.events().begin(), tracer.events().end(),
                                                      [](const TraceEvent &event) { return event.is("retransmit"); }));
    }

    // The values that the kernel keeps with a sender, where packets of `bytes` (and FIN perhaps) wait for their ACK.
    static void expect_plausible_metrics(const Tracer &tracer, std::uint64_t bytes)
    {
        std::uint64_t total = 0;
        for (const TraceEvent &event : tracer.events()) {
            if (!event.is("retransmit"))
                continue;
            SCOPED_TRACE(event.json().dump());
            // linux/include/net/tcp.h: TCP_RTO_MIN 200 ms (less with a route's rto_min), TCP_RTO_MAX 120 s
            EXPECT_GE(event.number("rto_us"), 200'000U);
            EXPECT_LE(event.number("rto_us"), 120'000'000U);
            EXPECT_LT(event.number("rtt_us"), 1'000'000U) << "on this host";
            EXPECT_GE(event.number("cwnd"), 1U);
            EXPECT_EQ(event.number("send_queue"), bytes);
            EXPECT_EQ(event.number("recv_queue"), 0U);
            EXPECT_TRUE(event.is_null("send_error"));
            EXPECT_EQ(event.number("total"), ++total);
        }
    }
};

// At its end the socket says how much of it there was.
TEST_F(Retransmission, IsCountedAtTheEnd)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + std::to_string(listener.local.port()));
    client.send(c.client, 3000);
    ASSERT_TRUE(tracer.wait_until([&] { return count_retransmits(tracer) >= 2; }));
    drop.lift();
    EXPECT_EQ(server.receive(c.child, 3000).result, 3000);
    close_in_order(client, c.client, server, c.child);
    const auto told = [&](bool of_client) -> const TraceEvent * {
        const auto found = std::find_if(tracer.events().begin(), tracer.events().end(), [&](const TraceEvent &event) {
            return event.json().contains("segs_out") &&
                   (event.number("local_port") == c.client.local.port()) == of_client;
        });
        return found == tracer.events().end() ? nullptr : &*found;
    };
    ASSERT_TRUE(tracer.wait_until([&] { return told(true) != nullptr && told(false) != nullptr; }));
    tracer.stop();
    const std::size_t seen = count_retransmits(tracer);
    SCOPED_TRACE(told(true)->json().dump());
    EXPECT_EQ(told(true)->number("retransmits"), seen);
    EXPECT_EQ(told(true)->number("bytes_retransmitted"), 3000 * seen);
    EXPECT_EQ(told(true)->number("data_segs_out"), 1 + seen);
    EXPECT_EQ(told(false)->number("retransmits"), 0U);
    EXPECT_GE(told(false)->number("data_segs_in"), 1U);
}

TEST_F(Retransmission, OfDataFromTheClient)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.send(c.client, 100);
    server.receive(c.child, 100);
    PacketDrop drop("tcp dport " + std::to_string(listener.local.port()));
    client.send(c.client, 3000);
    ASSERT_TRUE(tracer.wait_until([&] { return count_retransmits(tracer) >= 3; }));
    drop.lift();
    EXPECT_EQ(server.receive(c.child, 3000).result, 3000);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               // By a timer: the owner stays who it was.
                               connected_client(c, client).retransmits("P.", 3, 3000, 100),
                               connected_child(c, server),
                           });
    expect_plausible_metrics(tracer, 3000);
}

TEST_F(Retransmission, OfDataFromTheServerOverIPv6)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v6("::1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port()));
    server.send(c.child, 700);
    ASSERT_TRUE(tracer.wait_until([&] { return count_retransmits(tracer) >= 2; }));
    drop.lift();
    EXPECT_EQ(client.receive(c.client, 700).result, 700);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               connected_client(c, client),
                               connected_child(c, server).retransmits("P.", 2, 700, 0),
                           });
    expect_plausible_metrics(tracer, 700);
}

// The half-open connection: the server is gone, and the client does not know.
TEST_F(Retransmission, OfTheFinOfAKilledServer)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port()));
    const pid_t server_pid = server.pid();
    const Timeline begun = connected_child(c, server);
    const Timeline listening = Timeline::of_listener(listener).by(server, "listen").to("LISTEN");
    const Step kill = server.kill();
    ASSERT_TRUE(tracer.wait_until([&] { return count_retransmits(tracer) >= 3; }));
    for (const TraceEvent &event : tracer.events()) {
        if (event.is("retransmit")) {
            EXPECT_EQ(event.number("pid"), static_cast<std::uint64_t>(server_pid)) << "also when it is no more";
        }
    }
    EXPECT_GE(drop.dropped(), 3U);
    drop.lift();
    client.receive(c.client);
    const Step close = client.close(c.client);

    Timeline child = begun;
    child.to("FIN_WAIT1", kill).retransmits("F.", 3).to("FIN_WAIT2").leaves("FIN_WAIT2|TIME_WAIT");
    Timeline closed = listening;
    closed.to("CLOSE", kill);
    expect_exactly(tracer, {
                               closed,
                               child,
                               connected_client(c, client).to("CLOSE_WAIT").to("LAST_ACK", close).to("CLOSE"),
                           });
}

// Data and FIN in one segment.
TEST_F(Retransmission, OfDataWithFin)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + std::to_string(listener.local.port()));
    client.send(c.client, 50);
    client.close(c.client);
    ASSERT_TRUE(tracer.wait_until([&] { return count_retransmits(tracer) >= 2; }));
    drop.lift();
    EXPECT_EQ(server.receive(c.child).result, 50);
    server.close(c.child);

    // The FIN has its own segment at first; the kernel joins it to the data when it goes again
    // (tcp_retrans_try_collapse), or repeats the FIN alone as a probe: which one comes first is the kernel's business.
    const auto is_fin = [](const TraceEvent &event) {
        return event.is("retransmit") && event.text("flags").find('F') != std::string::npos;
    };
    EXPECT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(),
                           [](const TraceEvent &event) { return event.is_change("LAST_ACK", "CLOSE"); });
    }));
    tracer.stop();
    std::size_t fins = 0;
    for (const TraceEvent &event : tracer.events()) {
        if (!event.is("retransmit"))
            continue;
        EXPECT_EQ(event.text("state"), "FIN_WAIT1");
        EXPECT_EQ(event.number("pid"), static_cast<std::uint64_t>(client.pid()));
        if (!is_fin(event)) {
            EXPECT_EQ(event.number("length"), 50U);
            EXPECT_EQ(event.number("offset"), 0U);
            continue;
        }
        ++fins;
        EXPECT_EQ(event.number("length") + event.number("offset"), 50U) << event.json().dump();
    }
    EXPECT_GE(fins, 1U);
}

} // namespace
} // namespace tcpflight::test

// Connections that come to be and end in order, in every family and from either side.
#include "live/live_test.h"

#include <algorithm>
#include <ostream>

namespace tcpflight::test {
namespace {

struct FamilyCase {
    const char *name;
    SocketAddress listen_on;
    SocketAddress connect_to;
};

void PrintTo(const FamilyCase &family, std::ostream *out)
{
    *out << family.name;
}

class Families : public LiveTest, public testing::WithParamInterface<FamilyCase> {};

TEST_P(Families, ClosedByTheClientFirst)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(GetParam().listen_on);
    const Connection c = connect(client, server, listener, GetParam().connect_to.with_port(listener.local.port()));
    const Step client_close = client.close(c.client);
    server.receive(c.child);
    const Step server_close = server.close(c.child);
    const Step listener_close = server.close(listener);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener)
                .by(server, "listen")
                .to("LISTEN", listener.step)
                .to("CLOSE", listener_close),
            connected_client(c, client).to("FIN_WAIT1", client_close).to("FIN_WAIT2").leaves("FIN_WAIT2|TIME_WAIT"),
            connected_child(c, server).to("CLOSE_WAIT").to("LAST_ACK", server_close).to("CLOSE"),
        });
}

TEST_P(Families, ClosedByTheServerFirst)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(GetParam().listen_on);
    const Connection c = connect(client, server, listener, GetParam().connect_to.with_port(listener.local.port()));
    const Step server_close = server.close(c.child);
    client.receive(c.client);
    const Step client_close = client.close(c.client);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener).by(server, "listen").to("LISTEN", listener.step),
            connected_child(c, server).to("FIN_WAIT1", server_close).to("FIN_WAIT2").leaves("FIN_WAIT2|TIME_WAIT"),
            connected_client(c, client).to("CLOSE_WAIT").to("LAST_ACK", client_close).to("CLOSE"),
        });
}

INSTANTIATE_TEST_SUITE_P(
    Live, Families,
    testing::Values(FamilyCase{"IPv4", SocketAddress::v4("127.0.0.1"), SocketAddress::v4("127.0.0.1")},
                    FamilyCase{"IPv4OtherAddress", SocketAddress::v4("0.0.0.0"), SocketAddress::v4("127.9.8.7")},
                    FamilyCase{"IPv6", SocketAddress::v6("::1"), SocketAddress::v6("::1")},
                    // The child of an IPv6 listener, its peer an IPv4 socket: both ends are told as IPv4.
                    FamilyCase{"MappedServer", SocketAddress::v6("::"), SocketAddress::v4("127.0.0.1")},
                    FamilyCase{"MappedClient", SocketAddress::v4("127.0.0.1"), SocketAddress::v6("::ffff:127.0.0.1")}),
    [](const testing::TestParamInfo<FamilyCase> &test) { return test.param.name; });

class Close : public LiveTest {};

TEST_F(Close, HalfClosedByShutdown)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Step shutdown = client.shut_down_writing(c.client);
    server.receive(c.child);
    // The other direction is still open.
    EXPECT_EQ(server.send(c.child, 100'000).result, 100'000);
    EXPECT_EQ(client.receive(c.client, 100'000).result, 100'000);
    const Step server_close = server.close(c.child);
    client.receive(c.client);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
            connected_client(c, client).to("FIN_WAIT1", shutdown).to("FIN_WAIT2").leaves("TIME_WAIT", server_close),
            connected_child(c, server).to("CLOSE_WAIT").to("LAST_ACK", server_close).to("CLOSE"),
        });
}

// A FIN is a byte to the kernel, and so is the SYN of the end that connected.
TEST_F(Close, TellsWhatEachEndCarried)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    EXPECT_EQ(client.send(c.client, 100'000).result, 100'000);
    EXPECT_EQ(server.receive(c.child, 100'000).result, 100'000);
    EXPECT_EQ(server.send(c.child, 300).result, 300);
    EXPECT_EQ(client.receive(c.client, 300).result, 300);
    client.close(c.client);
    server.receive(c.child);
    server.close(c.child);
    server.close(listener);

    const auto ends = [](const TraceEvent &event) {
        return event.is("state") && (event.text("new_state") == "CLOSE" || event.json().at("time_wait_socket") == true);
    };
    ASSERT_TRUE(
        tracer.wait_until([&] { return std::count_if(tracer.events().begin(), tracer.events().end(), ends) >= 3; }));
    EXPECT_EQ(tracer.stop().status, exited(0));
    std::size_t told = 0;
    for (const TraceEvent &event : tracer.events()) {
        if (!event.json().contains("bytes_acked"))
            continue;
        told++;
        EXPECT_TRUE(ends(event)) << event.json().dump();
        const bool is_client = event.number("local_port") == c.client.local.port();
        const std::uint64_t sent = is_client ? 100'000 : 300;
        const std::uint64_t received = is_client ? 300 : 100'000;
        EXPECT_GE(event.number("bytes_acked"), sent + 1) << event.json().dump();
        EXPECT_LE(event.number("bytes_acked"), sent + 2);
        EXPECT_GE(event.number("bytes_received"), received);
        EXPECT_LE(event.number("bytes_received"), received + 1);
        // A SYN or its answer, the ACK of either, data, a FIN; on loopback a segment has up to 64 KiB.
        EXPECT_GE(event.number("segs_out"), 3U) << event.json().dump();
        EXPECT_GE(event.number("segs_in"), 3U);
        EXPECT_GE(event.number("data_segs_out"), 1U);
        EXPECT_LT(event.number("data_segs_out"), event.number("segs_out"));
        EXPECT_GE(event.number("data_segs_in"), 1U);
        EXPECT_EQ(event.number("retransmits"), 0U);
        EXPECT_EQ(event.number("bytes_retransmitted"), 0U);
        EXPECT_GE(event.number("srtt_us"), event.number("min_rtt_us"));
        EXPECT_GE(event.number("snd_cwnd"), 10U) << "RFC 6928";
    }
    EXPECT_EQ(told, 2U) << "each end once, and the listener not";
}

// Both FINs are on their way when the other arrives (RFC 9293 section 3.6, case 3): neither side sees the other's first
// one, and the first repetition that gets through finds a socket in FIN_WAIT1.
TEST_F(Close, Simultaneous)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp flags & fin == fin");
    const Step client_close = client.close(c.client);
    const Step server_close = server.close(c.child);
    const auto conn_of = [&](const ActorSocket &socket) {
        for (const TraceEvent &event : tracer.events())
            if (event.number("local_port") == socket.local.port() && !event.is_null("remote_port"))
                return event.number("conn");
        return std::uint64_t{0};
    };
    const auto has = [&](std::uint64_t conn, auto predicate) {
        return std::any_of(tracer.events().begin(), tracer.events().end(),
                           [&](const TraceEvent &event) { return event.number("conn") == conn && predicate(event); });
    };
    const auto retransmits = [](const TraceEvent &event) { return event.is("retransmit"); };
    const auto ends = [](const TraceEvent &event) {
        return event.is("state") && event.json().at("time_wait_socket") == true;
    };
    const auto crosses = [](const TraceEvent &event) { return event.is_change("FIN_WAIT1", "CLOSING"); };
    ASSERT_TRUE(
        tracer.wait_until([&] { return has(conn_of(c.client), retransmits) && has(conn_of(c.child), retransmits); }));
    drop.lift();
    ASSERT_TRUE(tracer.wait_until([&] { return has(conn_of(c.client), ends) && has(conn_of(c.child), ends); }));

    // The one whose FIN is repeated first has it acknowledged and is in FIN_WAIT2 when the other's comes.
    const bool client_crosses = has(conn_of(c.client), crosses);
    const bool child_crosses = has(conn_of(c.child), crosses);
    EXPECT_TRUE(client_crosses || child_crosses);
    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               connected_client(c, client)
                                   .to("FIN_WAIT1", client_close)
                                   .retransmits("F.", 1)
                                   .to(client_crosses ? "CLOSING" : "FIN_WAIT2")
                                   .retransmits("F.", 0)
                                   .leaves(client_crosses ? "TIME_WAIT" : "FIN_WAIT2|TIME_WAIT"),
                               connected_child(c, server)
                                   .to("FIN_WAIT1", server_close)
                                   .retransmits("F.", 1)
                                   .to(child_crosses ? "CLOSING" : "FIN_WAIT2")
                                   .retransmits("F.", 0)
                                   .leaves(child_crosses ? "TIME_WAIT" : "FIN_WAIT2|TIME_WAIT"),
                           });
}

// SOCK_DESTROY: who asks for it takes the socket's lock, and is not its owner.
class Killed : public LiveTest {
protected:
    void SetUp() override
    {
        LiveTest::SetUp();
        if (!IsSkipped() && !are_installed("ss"))
            GTEST_SKIP() << "needs ss";
    }

    static void kill(const std::string &state, const SocketAddress &local)
    {
        const Finished killed =
            run({.argv = {"ss", "-KtnH", "state", state, "sport", "=", std::to_string(local.port())}});
        ASSERT_EQ(killed.status, exited(0)) << killed.err;
        ASSERT_NE(killed.out, "") << "this kernel was built without CONFIG_INET_DIAG_DESTROY";
    }
};

TEST_F(Killed, AConnection)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    kill("established", c.client.local);
    expect_exactly(tracer, {Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                            connected_client(c, client).sends_reset("aborted").to("CLOSE").with_error("ECONNABORTED"),
                            connected_child(c, server).receives_reset().to("CLOSE").with_error("ECONNRESET")});
}

TEST_F(Killed, AListener)
{
    Tracer tracer = trace();
    Actor server("server");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    kill("listening", listener.local);
    expect_exactly(tracer, {Timeline::of_listener(listener).by(server, "listen").to("LISTEN").to("CLOSE")});
}

} // namespace
} // namespace tcpflight::test

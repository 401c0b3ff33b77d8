// Connections that are cut off: who sent the RST, in which state, and why.
#include "live/live_test.h"
#include "live/precision.h"

#include <cerrno>

namespace tcpflight::test {
namespace {

class Resets : public LiveTest, public testing::WithParamInterface<const char *> {
protected:
    static SocketAddress own_address()
    {
        const std::string text = GetParam();
        return text.find(':') != std::string::npos ? SocketAddress::v6(text.c_str()) : SocketAddress::v4(text.c_str());
    }
};

TEST_P(Resets, ByLinger0)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(own_address());
    const Connection c = connect(client, server, listener);
    client.set_linger_0(c.client);
    const Step close = client.close(c.client);
    EXPECT_EQ(server.receive(c.child).error, ECONNRESET);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
            connected_client(c, client).by(client, "syscall|connect").to("CLOSE", close).sends_reset("linger_0"),
            connected_child(c, server).receives_reset().to("CLOSE").with_error("ECONNRESET"),
        });
}

TEST_P(Resets, ByUnreadData)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(own_address());
    const Connection c = connect(client, server, listener);
    client.send(c.client, 100);
    ASSERT_TRUE(server.receive(c.child, 10).result == 10);
    const Step close = server.close(c.child);
    EXPECT_EQ(client.receive(c.client).error, ECONNRESET);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               connected_client(c, client).receives_reset().to("CLOSE", close).with_error("ECONNRESET"),
                               connected_child(c, server).to("CLOSE", close).sends_reset("unread_data"),
                           });
}

// Nobody can read what comes. If the process was still in close(2) when its FIN was acknowledged, the socket itself
// waits in FIN_WAIT2 and says so, otherwise what the kernel keeps in its place; the line has the owner in both cases.
TEST_P(Resets, ByDataAfterClose)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(own_address());
    const Connection c = connect(client, server, listener);
    const Step close = server.close(c.child);
    client.receive(c.client);
    const Step send = client.send(c.client, 100);
    EXPECT_EQ(client.send(c.client, 100).error, EPIPE);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
            connected_client(c, client).to("CLOSE_WAIT", close).receives_reset().to("CLOSE", send).with_error("EPIPE"),
            connected_child(c, server)
                .to("FIN_WAIT1", close)
                .to("FIN_WAIT2")
                .leaves("CLOSE|FIN_WAIT2")
                .sends_reset("data_after_close|time_wait"),
        });
}

TEST_P(Resets, OfAPortWhereNobodyListens)
{
    Tracer tracer = trace();
    Actor client("client");
    const SocketAddress nobody = own_address().with_port(7);
    ActorSocket socket = client.bind(own_address());
    client.connect(socket, nobody);
    EXPECT_EQ(socket.step.error, ECONNREFUSED);
    const SocketAddress local = socket.local;
    socket.remote = nobody;

    expect_exactly(tracer, {Timeline::of_client(socket)
                                .by(client, "connect")
                                .to("SYN_SENT", socket.step)
                                .receives_reset()
                                .to("CLOSE", socket.step)
                                .with_error("ECONNREFUSED"),
                            Timeline::of_stray_reset(nobody, local, "CLOSE", "no_socket")});
}

INSTANTIATE_TEST_SUITE_P(Addresses, Resets, testing::Values("127.0.0.1", "::1"), [](const auto &test) {
    return std::string(test.param).find(':') == std::string::npos ? "IPv4" : "IPv6";
});

class ResetFilter : public LiveTest {};

// What has no connection is shown to whom asks for its ports, and to nobody who asks for an owner.
TEST_F(ResetFilter, HoldsForStrayOnes)
{
    if (!kernel_has(Precision::Reasons) || !kernel_has(Precision::Memory))
        GTEST_SKIP() << "no RST without a connection is told here";
    Tracer of_port = trace({"--local-port", "7"});
    Tracer of_other_port = trace({"--local-port", "8"});
    Tracer of_family = trace({"-6"});
    Actor client("client");
    Tracer of_client = trace({"--pid", std::to_string(client.pid())});
    EXPECT_EQ(client.connect(SocketAddress::v4("127.0.0.1", 7)).step.error, ECONNREFUSED);
    EXPECT_TRUE(of_client.wait_for_events(3));
    EXPECT_TRUE(of_port.wait_for_events(1));
    for (Tracer *tracer : {&of_port, &of_other_port, &of_family, &of_client})
        tracer->stop();
    ASSERT_EQ(of_port.events().size(), 1U);
    EXPECT_EQ(of_port.events()[0].text("reason"), "no_socket");
    EXPECT_EQ(of_other_port.events().size(), 0U);
    EXPECT_EQ(of_family.events().size(), 0U);
    EXPECT_EQ(of_client.events().size(), 3U);
}

} // namespace
} // namespace tcpflight::test

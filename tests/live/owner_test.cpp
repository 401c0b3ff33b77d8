// Whose socket it is.
#include "live/live_test.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace tcpflight::test {
namespace {

class Owner : public LiveTest {};

// One process listens, another one accepts and closes.
TEST_F(Owner, PreForkedServer)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor worker = server.fork("worker");
    const Connection c = connect(client, worker, listener);
    const Step worker_close = worker.close(c.child);
    client.receive(c.client);
    const Step client_close = client.close(c.client);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               connected_child(c, server, worker)
                                   .to("FIN_WAIT1", worker_close)
                                   .to("FIN_WAIT2")
                                   .leaves("FIN_WAIT2|TIME_WAIT"),
                               connected_client(c, client).to("CLOSE_WAIT").to("LAST_ACK", client_close).to("CLOSE"),
                           });
}

// A child that nobody accepts ends with its listener; nobody but the listener ever owned it.
TEST_F(Owner, NeverAccepted)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Connection c;
    c.client = client.connect(listener.local);
    c.child.local = c.client.remote;
    c.child.remote = c.client.local;
    const Step close = server.close(listener);
    EXPECT_EQ(client.receive(c.client).error, ECONNRESET);

    expect_exactly(
        tracer,
        {
            Timeline::of_listener(listener).by(server, "listen").to("LISTEN").to("CLOSE", close),
            queued_child(c, server).by(server, "inherited|syscall").to("CLOSE", close).sends_reset("not_accepted"),
            connected_client(c, client).receives_reset().to("CLOSE", close).with_error("ECONNRESET"),
        });
}

// Each address has a listener of its own, and the same port.
TEST_F(Owner, ListenersOnOnePort)
{
    Tracer tracer = trace();
    Actor first("first");
    Actor second("second");
    Actor client("client");
    const ActorSocket one = first.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket other = second.listen(SocketAddress::v4("127.0.0.2", one.local.port()));
    const Connection c = connect(client, first, one);
    const Connection d = connect(client, second, other);

    expect_exactly(tracer, {
                               Timeline::of_listener(one).by(first, "listen").to("LISTEN"),
                               Timeline::of_listener(other).by(second, "listen").to("LISTEN"),
                               connected_child(c, first),
                               connected_client(c, client),
                               connected_child(d, second),
                               connected_client(d, client),
                           });
}

TEST_F(Owner, PortGoesToAnother)
{
    Tracer tracer = trace();
    Actor before("before");
    Actor after("after");
    Actor client("client");
    const ActorSocket old = before.listen(SocketAddress::v4("127.0.0.1"));
    const Step close = before.close(old);
    const ActorSocket listener = after.listen(old.local);
    const Connection c = connect(client, after, listener);

    expect_exactly(tracer, {
                               Timeline::of_listener(old).by(before, "listen").to("LISTEN").to("CLOSE", close),
                               Timeline::of_listener(listener).by(after, "listen").to("LISTEN"),
                               connected_child(c, after),
                               connected_client(c, client),
                           });
}

// SO_REUSEPORT: several processes listen on one address and port, and the kernel deals the connections out. Whose each
// is shows in the end: the process closes it with its listener.
TEST_F(Owner, SharedPort)
{
    constexpr std::size_t connections = 24;
    Tracer tracer = trace();
    Actor first("first");
    Actor second("second");
    Actor client("client");
    const ActorSocket one = first.listen_shared(SocketAddress::v4("127.0.0.1"));
    const ActorSocket other = second.listen_shared(one.local);
    for (std::size_t i = 0; i < connections; i++)
        client.connect(one.local);
    second.close(other);
    first.close(one);

    std::map<std::string, std::string> heirs; // child > who it came from
    std::set<std::string> closers;
    std::size_t ended = 0;
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::count_if(tracer.events().begin(), tracer.events().end(), [&](const TraceEvent &event) {
                   return event.text("event") == "state" && event.text("new_state") == "CLOSE" &&
                          event.json().at("local_port") == one.local.port();
               }) >= static_cast<std::ptrdiff_t>(connections + 2);
    }));
    EXPECT_EQ(tracer.stop().status, exited(0));
    for (const TraceEvent &event : tracer.events()) {
        if (event.text("event") != "state" || event.json().at("local_port") != one.local.port())
            continue;
        const std::string id = event.json().at("conn").dump();
        if (event.text("new_state") == "SYN_RECV") {
            EXPECT_EQ(event.text("owner"), "inherited");
            heirs[id] = event.text("comm");
        } else if (event.text("new_state") == "CLOSE" && heirs.count(id) != 0) {
            EXPECT_EQ(event.text("comm"), heirs[id]);
            closers.insert(event.text("comm"));
            ended++;
        }
    }
    EXPECT_EQ(ended, connections);
    EXPECT_EQ(closers.size(), 2U) << "both had some";
}

// A name is whatever the process says: it may move the cursor of a terminal or forge a line.
class Name : public LiveTest {
protected:
    const std::string hostile = "a\x1b[2J\n\"\\\t\xff}b";

    static bool has_control_characters(const std::string &text)
    {
        return std::any_of(text.begin(), text.end(), [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte != '\n' && (byte < 0x20 || byte == 0x7f);
        });
    }
};

TEST_F(Name, IsEscapedInJson)
{
    Tracer tracer = trace();
    Actor server(hostile);
    server.close(server.listen(SocketAddress::v4("127.0.0.1")));
    ASSERT_TRUE(tracer.wait_for_events(2));
    EXPECT_EQ(tracer.stop().status, exited(0));
    ASSERT_EQ(tracer.events().size(), 2U) << "one line an event";
    EXPECT_FALSE(has_control_characters(tracer.process().out()));
    for (const TraceEvent &event : tracer.events())
        EXPECT_EQ(event.text("comm"), "a\x1b[2J\n\"\\\t\xef\xbf\xbd}b") << "what is not UTF-8 becomes U+FFFD";
}

TEST_F(Name, IsEscapedInText)
{
    Actor server(hostile);
    Process tcpflight = start_tcpflight({"--pid", std::to_string(server.pid())});
    server.close(server.listen(SocketAddress::v4("127.0.0.1")));
    const auto lines = [&] { return std::count(tcpflight.out().begin(), tcpflight.out().end(), '\n'); };
    ASSERT_TRUE(tcpflight.read_until([&] { return lines() >= 2; }));
    tcpflight.signal(SIGINT);
    EXPECT_EQ(tcpflight.wait(), exited(0));
    EXPECT_EQ(lines(), 2) << tcpflight.out();
    EXPECT_FALSE(has_control_characters(tcpflight.out()));
    const std::string shown = R"(a\x1b[2J\x0a"\x5c\x09\xff}b[)" + std::to_string(server.pid()) + "]\n";
    EXPECT_NE(tcpflight.out().find(", " + shown), std::string::npos) << tcpflight.out();
}

} // namespace
} // namespace tcpflight::test

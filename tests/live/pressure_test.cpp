// What is too much for a listener, or for the way to a part of the network, with a near miss beside each; and a
// TIME_WAIT that ends early.
#include "live/judging_test.h"
#include "support/stray_segment.h"

namespace tcpflight::test {
namespace {

class PressureTest : public JudgingTest {};

TEST_F(PressureTest, AcceptQueueOverflow)
{
    set_sysctl("core/somaxconn", "1"); // admits two
    Tracer tracer = trace();
    Actor server("sleepy");
    Actor client("client");
    Actor third("third");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket roomy = server.listen(SocketAddress::v4("127.0.0.1"));
    for (int i = 0; i < 5; i++)
        connect(client, server, roomy);
    EXPECT_EQ(client.connect(listener.local).step.error, 0);
    EXPECT_EQ(client.connect(listener.local).step.error, 0);
    const ActorSocket late = third.bind(SocketAddress::v4("127.0.0.1"));
    third.begin_connect(late, listener.local);
    // Without programs that see the SYN the next accept tells of it.
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(),
                           [](const TraceEvent &event) { return event.is("retransmit"); });
    }));
    EXPECT_GE(server.accept(listener).fd, 0);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "accept-queue-overflow").empty(); }));
    EXPECT_EQ(third.finish().error, 0);
    tracer.stop();
    for (const TraceEvent &verdict : called(tracer, "accept-queue-overflow")) {
        SCOPED_TRACE(verdict.json().dump());
        EXPECT_EQ(verdict.text("severity"), "alarm");
        EXPECT_EQ(verdict.number("local_port"), listener.local.port());
        EXPECT_EQ(verdict.number("pid"), static_cast<std::uint64_t>(server.pid()));
        EXPECT_EQ(verdict.number("queued"), 2U);
        EXPECT_EQ(verdict.number("at_most"), 1U);
        EXPECT_GE(verdict.number("dropped"), 1U);
        EXPECT_EQ(verdict.json().at("by_somaxconn"), true);
    }
}

// A limit of 1 admits one handshake, on newer kernels two.
TEST_F(PressureTest, SynQueueOverflow)
{
    set_sysctl("core/somaxconn", "1");
    set_sysctl("ipv4/tcp_syncookies", "0");
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor first("first");
    Actor second("second");
    Actor third("third");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket roomy = server.listen(SocketAddress::v4("127.0.0.1"));
    connect(first, server, roomy);
    PacketDrop drop("tcp sport " + port_of(listener) + " tcp flags & syn == syn");
    for (Actor *client : {&first, &second, &third})
        client->begin_connect(client->bind(SocketAddress::v4("127.0.0.1")), listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "syn-queue-overflow").empty(); }));
    for (Actor *client : {&first, &second, &third})
        client->kill();
    tracer.stop();
    for (const TraceEvent &verdict : called(tracer, "syn-queue-overflow")) {
        SCOPED_TRACE(verdict.json().dump());
        EXPECT_EQ(verdict.text("severity"), "alarm");
        EXPECT_EQ(verdict.number("local_port"), listener.local.port()) << "the other has room";
        EXPECT_EQ(verdict.number("pid"), static_cast<std::uint64_t>(server.pid()));
        EXPECT_EQ(verdict.number("at_most"), 1U);
        EXPECT_GE(verdict.number("dropped"), 1U);
    }
    EXPECT_TRUE(called(tracer, "syn-cookies").empty());
}

TEST_F(PressureTest, SynCookies)
{
    set_sysctl("core/somaxconn", "1");
    set_sysctl("ipv4/tcp_syncookies", "1");
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor first("first");
    Actor second("second");
    Actor third("third");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket one = first.bind(SocketAddress::v4("127.0.0.1"));
    const ActorSocket two = second.bind(SocketAddress::v4("127.0.0.1"));
    const ActorSocket three = third.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp sport " + port_of(listener) + " tcp dport { " + port_of(one) + ", " + port_of(two) + " }");
    first.begin_connect(one, listener.local);
    second.begin_connect(two, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(), [](const TraceEvent &event) {
            return event.is("handshake") && event.text("step") == "syn_ack_retransmit";
        });
    }));
    EXPECT_TRUE(called(tracer, "syn-cookies").empty()) << "a queue that is full is none";
    third.begin_connect(three, listener.local);
    EXPECT_EQ(third.finish().error, 0);
    EXPECT_GE(server.accept(listener).fd, 0);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "syn-cookies").empty(); }));
    first.kill();
    second.kill();
    tracer.stop();
    ASSERT_EQ(called(tracer, "syn-cookies").size(), 1U);
    const TraceEvent verdict = called(tracer, "syn-cookies")[0];
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "notice");
    EXPECT_EQ(verdict.number("local_port"), listener.local.port());
}

TEST_F(PressureTest, RetransmissionStormInOneSubnetAndNotInTheOther)
{
    constexpr std::size_t many = 10;
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket bad = server.listen(SocketAddress::v4("127.0.1.1"));
    const ActorSocket good = server.listen(SocketAddress::v4("127.0.2.1"));
    std::vector<Connection> connections;
    for (std::size_t i = 0; i < many; i++)
        connections.push_back(connect(client, server, bad));
    for (std::size_t i = 1; i < many; i++)
        connections.push_back(connect(client, server, good));
    PacketDrop drop("tcp dport { " + port_of(bad) + ", " + port_of(good) + " }");
    for (const Connection &connection : connections)
        client.send(connection.client, 1);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "retransmission-storm").empty(); }));
    // Each one of them is half-open a little later.
    ASSERT_TRUE(tracer.wait_until([&] { return called(tracer, "half-open").size() == connections.size(); }));
    drop.lift();
    tracer.stop();
    const std::vector<TraceEvent> storms = called(tracer, "retransmission-storm");
    ASSERT_EQ(storms.size(), 1U);
    SCOPED_TRACE(storms[0].json().dump());
    EXPECT_EQ(storms[0].number("alike"), many);
    EXPECT_EQ(storms[0].text("remote_addr"), "127.0.1.1");
    EXPECT_EQ(storms[0].text("severity"), "alarm");
}

// Ten ports to choose from; eight are four fifths. What is recorded is judged like what is seen.
TEST_F(PressureTest, PortsRunningOut)
{
    set_sysctl("ipv4/ip_local_port_range", "40000 40011");
    set_sysctl("ipv4/ip_local_reserved_ports", "40000,40011");
    const std::string path = testing::TempDir() + "/ports." + std::to_string(getpid()) + ".tfr";
    Tracer tracer = trace({"--sweep", "0.2", "-w", path, "--force", "--print"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 443));
    const ActorSocket other = server.listen(SocketAddress::v4("127.0.0.1", 80));
    for (int i = 0; i < 7; i++)
        connect(client, server, other);
    for (int i = 0; i < 8; i++)
        connect(client, server, listener);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "ports-running-out").empty(); }));
    tracer.stop();
    const std::vector<TraceEvent> verdicts = called(tracer, "ports-running-out");
    ASSERT_EQ(verdicts.size(), 1U);
    SCOPED_TRACE(verdicts[0].json().dump());
    EXPECT_EQ(verdicts[0].number("remote_port"), 443U);
    EXPECT_EQ(verdicts[0].number("alike"), 8U);
    EXPECT_EQ(verdicts[0].number("at_most"), 10U);
    EXPECT_EQ(verdicts[0].number("pid"), static_cast<std::uint64_t>(client.pid()));

    const auto replay = [&](const std::vector<std::string> &more) {
        std::vector<std::string> arguments{"-r", path, "--format", "json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Finished done = run_tcpflight(arguments);
        EXPECT_EQ(done.status, exited(0)) << done.err;
        return done.out;
    };
    EXPECT_EQ(replay({}), tracer.process().out());
    EXPECT_EQ(replay({"--threshold", "ports=81"}).find("ports-running-out"), std::string::npos);
    EXPECT_EQ(replay({"dst port 80"}).find("ports-running-out"), std::string::npos) << "not what was asked for";
    unlink(path.c_str());
}

TEST_F(PressureTest, TimeWaitBuildUp)
{
    if (!set_sysctl("ipv4/tcp_max_tw_buckets", "10"))
        GTEST_SKIP() << "this kernel has one limit for all namespaces";
    Tracer tracer = trace({"--verdicts", "all", "--sweep", "0.2"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    for (int i = 0; i < 9; i++) {
        const Connection c = connect(client, server, listener);
        client.close(c.client);
        server.receive(c.child);
        server.close(c.child);
    }
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "time-wait-build-up").empty(); }));
    tracer.stop();
    EXPECT_EQ(called(tracer, "time-wait-build-up").size(), 1U);
    EXPECT_EQ(called(tracer, "time-wait-build-up")[0].number("at_most"), 10U);
}

TEST_F(PressureTest, HandshakeUnanswered)
{
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(listener));
    const ActorSocket deaf = client.bind(SocketAddress::v4("127.0.0.1"));
    client.begin_connect(deaf, listener.local);
    ASSERT_TRUE(
        tracer.wait_until([&] { return !called(tracer, "handshake-unanswered").empty(); }, std::chrono::seconds(20)));
    const TraceEvent verdict = called(tracer, "handshake-unanswered")[0];
    EXPECT_EQ(verdict.number("remote_port"), deaf.local.port());
    EXPECT_EQ(verdict.number("times_sent"), 4U);
    EXPECT_EQ(verdict.text("severity"), "notice");
    drop.lift();
    tracer.stop();
    EXPECT_EQ(called(tracer, "handshake-unanswered").size(), 1U);
}

TEST_F(PressureTest, TimeWaitReused)
{
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    server.shut_down_writing(c.child);
    client.receive(c.client);
    client.close(c.client);
    server.receive(c.child);
    ASSERT_TRUE(wait_for(tracer, c.child, "orderly")) << about(tracer, c.child);
    ActorSocket again = client.bind(c.client.local);
    client.connect(again, listener.local);
    ASSERT_EQ(again.step.error, 0);
    ASSERT_TRUE(wait_for(tracer, c.child, "orderly time-wait-reused")) << about(tracer, c.child);
    EXPECT_EQ(of(tracer, c.child).at(1).text("severity"), "normal");
    EXPECT_EQ(of(tracer, c.child).at(1).number("conn"), of(tracer, c.child).at(0).number("conn"));
    tracer.stop();
}

// RFC 1337: an old segment comes, the ACK that answers it finds nobody at the other end, and the RST that answers that
// ends TIME_WAIT.
TEST_F(PressureTest, TimeWaitAssassinated)
{
    Tracer tracer = trace({"--verdicts", "all"});
    if (!tracer.hangs_on_functions())
        GTEST_SKIP() << "needs programs on functions: tracepoints do not tell of a RST for TIME_WAIT";
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection spared = connect(client, server, listener);
    const Connection c = connect(client, server, listener);
    close_in_order(client, spared.client, server, spared.child);
    close_in_order(client, c.client, server, c.child);
    ASSERT_TRUE(wait_for(tracer, c.client, "orderly")) << about(tracer, c.client);
    ASSERT_TRUE(wait_for(tracer, spared.client, "orderly")) << about(tracer, spared.client);
    send_stray_ack(listener.local, c.client.local);
    ASSERT_TRUE(wait_for(tracer, c.client, "orderly time-wait-assassinated")) << about(tracer, c.client);
    tracer.stop();
    EXPECT_EQ(of(tracer, c.client).at(1).text("severity"), "notice");
    EXPECT_EQ(of(tracer, c.client).at(1).text("state"), "TIME_WAIT");
    EXPECT_EQ(about(tracer, spared.client), "orderly");
}

} // namespace
} // namespace tcpflight::test

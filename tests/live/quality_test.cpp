// The way of one connection, and a process that makes too many, with a near miss beside each.
#include "live/judging_test.h"

namespace tcpflight::test {
namespace {

class QualityTest : public JudgingTest {
protected:
    static void run_tool(const std::vector<std::string> &words)
    {
        const Finished done = run({.argv = words});
        ASSERT_EQ(done.status, exited(0)) << done.err;
    }
    // One segment after the other, each received before the next.
    static void trickle(Actor &client, Actor &server, const Connection &connection, int count)
    {
        constexpr std::size_t bytes = 1000;
        for (int i = 0; i < count; i++) {
            client.send(connection.client, bytes);
            ASSERT_EQ(server.receive(connection.child, bytes).result, static_cast<std::int64_t>(bytes));
        }
    }
    // Segments as small as on a real link. The test is skipped where no link can be made slow.
    static void prepare_slow_link()
    {
        if (!are_installed("ip tc"))
            GTEST_SKIP() << "needs ip and tc (package iproute2)";
        ASSERT_NO_FATAL_FAILURE(run_tool({"ip", "link", "set", "lo", "mtu", "1500"}));
    }
    // To 100 kB a second, with so much room in the queue before it (`kind`: latency or limit; tc-tbf(8)).
    static void slow_down(const std::string &kind, const std::string &room)
    {
        const Finished queue = run({.argv = {"tc", "qdisc", "replace", "dev", "lo", "root", "tbf", "rate", "800kbit",
                                             "burst", "16kb", kind, room}});
        if (queue.status != exited(0))
            GTEST_SKIP() << "this kernel has no sch_tbf: " << queue.err;
    }
};

// Every fourth is lost, or every twenty-fifth.
TEST_F(QualityTest, LossRate)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket bad = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket good = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection lossy = connect(client, server, bad);
    const Connection fine = connect(client, server, good);
    PacketDrop often("tcp dport " + port_of(bad) + " numgen inc mod 4 0");
    PacketDrop rarely("tcp dport " + port_of(good) + " numgen inc mod 25 0");
    trickle(client, server, fine, 300);
    EXPECT_GE(rarely.dropped(), 10U);
    trickle(client, server, lossy, 60);
    ASSERT_TRUE(wait_for(tracer, lossy.client, "loss-rate")) << about(tracer, lossy.client);
    often.lift();
    rarely.lift();
    tracer.stop();
    const TraceEvent verdict = called(tracer, "loss-rate").at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "alarm");
    EXPECT_EQ(verdict.text("state"), "ESTABLISHED");
    EXPECT_GE(verdict.number("repeated"), 10U);
    EXPECT_GE(verdict.number("repeated") * 10, verdict.number("segments"));
    EXPECT_LE(verdict.number("repeated") * 2, verdict.number("segments")) << "a quarter, and some of these again";
    EXPECT_GE(verdict.number("waits_us"), 1'000'000U);
    EXPECT_EQ(called(tracer, "loss-rate").size(), 1U) << "the other loses a twenty-fifth";
}

// A link of 100 kB a second, and a queue before it in which all that TCP sends can wait.
TEST_F(QualityTest, RttInflation)
{
    prepare_slow_link();
    if (IsSkipped() || HasFatalFailure())
        return;
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    constexpr std::size_t bytes = 200'000;
    const auto transfer = [&](const Connection &c) {
        client.send(c.client, bytes);
        server.receive(c.child, bytes);
        close_in_order(client, c.client, server, c.child);
    };
    const Connection fast = connect(client, server, listener);
    transfer(fast);
    ASSERT_TRUE(wait_for(tracer, fast.client, "orderly")) << about(tracer, fast.client);
    const Connection slow = connect(client, server, listener);
    slow_down("latency", "10s");
    if (IsSkipped())
        return;
    transfer(slow);
    ASSERT_TRUE(wait_for(tracer, slow.client, "rtt-inflation orderly")) << about(tracer, slow.client);
    tracer.stop();
    const TraceEvent verdict = called(tracer, "rtt-inflation").at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "notice");
    EXPECT_GE(verdict.number("srtt_us"), 500'000U);
    EXPECT_GE(verdict.number("srtt_us"), 10 * verdict.number("min_rtt_us"));
    EXPECT_EQ(about(tracer, fast.client), "orderly");
}

// The same link, with less room before it: segments are lost, and tell of it while the connection lives.
TEST_F(QualityTest, RttInflationWhileItLives)
{
    prepare_slow_link();
    if (IsSkipped() || HasFatalFailure())
        return;
    Tracer tracer = trace({"--verdicts", "all"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection slow = connect(client, server, listener);
    const Connection idle = connect(client, server, listener);
    slow_down("limit", "100kb");
    if (IsSkipped())
        return;
    constexpr std::size_t bytes = 600'000;
    client.send(slow.client, bytes);
    server.receive(slow.child, bytes);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "rtt-inflation").empty(); }))
        << about(tracer, slow.client);
    const TraceEvent verdict = called(tracer, "rtt-inflation").at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.number("local_port"), slow.client.local.port());
    EXPECT_EQ(verdict.text("state"), "ESTABLISHED");
    EXPECT_EQ(verdict.json().at("ended"), false);
    EXPECT_GE(verdict.number("srtt_us"), 500'000U);
    EXPECT_GE(verdict.number("srtt_us"), 10 * verdict.number("min_rtt_us"));
    close_in_order(client, slow.client, server, slow.child);
    ASSERT_TRUE(tracer.wait_until([&] { return about(tracer, slow.client).find("orderly") != std::string::npos; }));
    EXPECT_EQ(called(tracer, "rtt-inflation").size(), 1U) << "once";
    EXPECT_EQ(about(tracer, idle.client), "");
    tracer.stop();
}

// Connections that carry little, to two hosts: on the way to one every fifth segment is lost, to the other every
// fortieth.
TEST_F(QualityTest, PathLoss)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket bad = server.listen(SocketAddress::v4("127.0.1.1"));
    const ActorSocket good = server.listen(SocketAddress::v4("127.0.2.1"));
    PacketDrop often("tcp dport " + port_of(bad) + " tcp flags & (syn | psh) == psh numgen inc mod 3 0");
    PacketDrop rarely("tcp dport " + port_of(good) + " tcp flags & (syn | psh) == psh numgen inc mod 40 0");
    const auto pass = [&](const ActorSocket &listener) {
        const Connection c = connect(client, server, listener);
        trickle(client, server, c, 6);
        close_in_order(client, c.client, server, c.child);
    };
    for (int i = 0; i < 40; i++)
        pass(good);
    EXPECT_GE(rarely.dropped(), 5U);
    for (int i = 0; i < 12; i++)
        pass(bad);
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "path-loss").empty(); }));
    often.lift();
    rarely.lift();
    tracer.stop();
    const std::vector<TraceEvent> verdicts = called(tracer, "path-loss");
    ASSERT_EQ(verdicts.size(), 1U) << "the other loses a fortieth";
    SCOPED_TRACE(verdicts[0].json().dump());
    EXPECT_EQ(verdicts[0].text("severity"), "alarm");
    EXPECT_EQ(verdicts[0].text("remote_addr"), "127.0.1.1");
    EXPECT_GE(verdicts[0].number("alike"), 3U);
    EXPECT_GE(verdicts[0].number("repeated"), 10U);
    EXPECT_GE(verdicts[0].number("repeated") * 10, verdicts[0].number("segments"));
    EXPECT_EQ(called(tracer, "loss-rate").size(), 0U) << "none of them sent enough to tell";
}

TEST_F(QualityTest, ConnectionChurn)
{
    Tracer tracer = trace({"--verdicts", "all", "--threshold", "churn=2"});
    Actor server("server");
    Actor client("client");
    Actor modest("modest");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    server.begin_serve(listener, 44);
    modest.begin_churn(listener.local, 19);
    client.begin_churn(listener.local, 25);
    EXPECT_EQ(modest.finish().result, 19);
    EXPECT_EQ(client.finish().result, 25);
    server.finish();
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::count_if(tracer.verdicts().begin(), tracer.verdicts().end(),
                             [](const TraceEvent &verdict) { return verdict.json().at("ended") == true; }) == 88;
    }));
    tracer.stop();
    const std::vector<TraceEvent> verdicts = called(tracer, "connection-churn");
    ASSERT_EQ(verdicts.size(), 1U);
    SCOPED_TRACE(verdicts[0].json().dump());
    EXPECT_EQ(verdicts[0].number("pid"), static_cast<std::uint64_t>(client.pid()));
    EXPECT_EQ(verdicts[0].number("alike"), 20U);
    EXPECT_EQ(verdicts[0].text("severity"), "notice");
    EXPECT_EQ(verdicts[0].json().at("ended"), false);
}

} // namespace
} // namespace tcpflight::test

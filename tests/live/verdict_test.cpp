// What connections are judged to have come to: each verdict with a scenario, and a near miss that is something else.
#include "live/judging_test.h"

#include <algorithm>
#include <chrono>
#include <regex>

namespace tcpflight::test {
namespace {

using std::chrono::seconds;

class VerdictTest : public JudgingTest {
protected:
    void SetUp() override
    {
        JudgingTest::SetUp();
        if (IsSkipped())
            return;
        // Short: a connect gives up after 3 s, an orphan after some 3 s, an idle connection after 2 s.
        set_sysctl("ipv4/tcp_syn_retries", "1");
        set_sysctl("ipv4/tcp_syn_linear_timeouts", "0");
        set_sysctl("ipv4/tcp_orphan_retries", "3");
        set_sysctl("ipv4/tcp_keepalive_time", "1");
        set_sysctl("ipv4/tcp_keepalive_intvl", "1");
        set_sysctl("ipv4/tcp_keepalive_probes", "1");
    }

    [[nodiscard]] Tracer trace_all() const { return trace({"--verdicts", "all"}); }

    static std::size_t retransmits_of(const Tracer &tracer, const ActorSocket &socket)
    {
        return static_cast<std::size_t>(
            std::count_if(tracer.events().begin(), tracer.events().end(), [&](const TraceEvent &event) {
                return event.is("retransmit") && event.number("local_port") == socket.local.port();
            }));
    }
};

// As people try it: a server on 12345, a client, packets to the client's port are dropped, the server is killed.
TEST_F(VerdictTest, HalfOpenExperiment)
{
    Tracer tracer = trace({"--verdicts", "all", "--sweep", "0"}); // no look tells more in between
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 12345));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + port_of(c.client));
    const pid_t server_pid = server.pid();
    server.kill();

    ASSERT_TRUE(wait_for(tracer, c.child, "half-open")) << about(tracer, c.child);
    const TraceEvent suspected = of(tracer, c.child).at(0);
    SCOPED_TRACE(suspected.json().dump());
    EXPECT_EQ(suspected.text("severity"), "alarm");
    EXPECT_EQ(suspected.text("state"), "FIN_WAIT1");
    EXPECT_EQ(suspected.text("unanswered"), "fin");
    EXPECT_EQ(suspected.text("closed_first"), "this");
    EXPECT_EQ(suspected.number("pid"), static_cast<std::uint64_t>(server_pid));
    EXPECT_EQ(suspected.text("other_state"), "ESTABLISHED");
    EXPECT_EQ(suspected.text("other_comm"), "client");
    EXPECT_EQ(suspected.number("other_pid"), static_cast<std::uint64_t>(client.pid()));
    EXPECT_GE(suspected.number("times_sent"), 4U);
    EXPECT_EQ(suspected.number("times_sent"), suspected.number("retransmits") + 1);
    EXPECT_GE(suspected.number("silent_us"), 1'000'000U);
    EXPECT_FALSE(suspected.is_null("gives_up_us"));

    ASSERT_TRUE(wait_for(tracer, c.child, "half-open fin-timed-out")) << about(tracer, c.child);
    const TraceEvent given_up = of(tracer, c.child).at(1);
    EXPECT_EQ(given_up.text("error"), "ETIMEDOUT");
    EXPECT_EQ(given_up.text("other_state"), "ESTABLISHED");
    EXPECT_TRUE(given_up.json().at("ended"));
    // What was foretold, to a quarter.
    const double foretold = static_cast<double>(suspected.number("silent_us") + suspected.number("gives_up_us"));
    EXPECT_NEAR(static_cast<double>(given_up.number("silent_us")), foretold, foretold / 4);

    ASSERT_TRUE(wait_for(tracer, c.client, "half-open")) << about(tracer, c.client);
    const TraceEvent left = of(tracer, c.client).at(0);
    EXPECT_EQ(left.text("state"), "ESTABLISHED");
    EXPECT_EQ(left.text("other_state"), "CLOSE");
    EXPECT_EQ(left.number("other_conn"), suspected.number("conn"));
    EXPECT_TRUE(left.is_null("unanswered"));
    EXPECT_TRUE(left.is_null("keepalive")) << "nobody has looked";

    drop.lift();
    client.send(c.client, 1);
    ASSERT_TRUE(wait_for(tracer, c.client, "half-open reset-by-peer")) << about(tracer, c.client);
    const TraceEvent reset = of(tracer, c.client).at(1);
    EXPECT_EQ(reset.text("error"), "ECONNRESET");
    EXPECT_GT(reset.number("silent_us"), 0U) << "half-open for so long";
    tracer.stop();
}

// The same, but the network comes back after the first retransmission.
TEST_F(VerdictTest, AShortOutageIsNoAlarm)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + port_of(c.client));
    server.kill();
    ASSERT_TRUE(tracer.wait_until([&] { return retransmits_of(tracer, c.child) >= 1; }));
    drop.lift();
    client.receive(c.client);
    client.close(c.client);
    ASSERT_TRUE(wait_for(tracer, c.client, "orderly")) << about(tracer, c.client);
    EXPECT_TRUE(tracer.wait_until([&] { return !about(tracer, c.child).empty(); }));
    const std::string child = about(tracer, c.child);
    EXPECT_TRUE(child == "orderly" || child == "half-closed") << child;
    tracer.stop();
}

TEST_F(VerdictTest, ConnectTimedOut)
{
    Tracer tracer = trace_all();
    Actor client("client");
    PacketDrop drop("tcp dport 9");
    const ActorSocket socket = client.connect(SocketAddress::v4("127.0.0.1", 9));
    EXPECT_EQ(socket.step.error, ETIMEDOUT);
    ASSERT_TRUE(tracer.wait_until([&] { return !tracer.verdicts().empty(); }));
    const TraceEvent &verdict = tracer.verdicts().at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("verdict"), "connect-timed-out");
    EXPECT_EQ(verdict.text("unanswered"), "syn");
    EXPECT_EQ(verdict.number("times_sent"), 2U);
    EXPECT_NEAR(static_cast<double>(verdict.number("silent_us")), static_cast<double>(verdict.number("lasted_us")),
                50'000)
        << "nothing ever came";
    tracer.stop();
}

// The near miss: the second SYN is answered.
TEST_F(VerdictTest, ASynThatWasLostOnceIsNoAlarm)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket bound = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp dport " + port_of(listener) + " tcp sport " + port_of(bound));
    client.begin_connect(bound, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return drop.dropped() >= 1; }));
    drop.lift();
    EXPECT_EQ(client.finish().error, 0);
    const ActorSocket child = server.accept(listener);
    client.close(bound);
    server.receive(child);
    server.close(child);
    ASSERT_TRUE(wait_for(tracer, child, "orderly"));
    EXPECT_TRUE(tracer.wait_until([&] { return !about(tracer, bound).empty(); }));
    EXPECT_EQ(about(tracer, bound), "orderly");
    tracer.stop();
}

TEST_F(VerdictTest, ConnectAbandonedAndCancelled)
{
    Tracer tracer = trace_all();
    PacketDrop drop("tcp dport 9");
    Actor patient("patient");
    const ActorSocket waited = patient.bind(SocketAddress::v4("127.0.0.1"));
    patient.begin_connect(waited, SocketAddress::v4("127.0.0.1", 9));
    ASSERT_TRUE(tracer.wait_until([&] { return retransmits_of(tracer, waited) >= 1; }));
    patient.kill();
    ASSERT_TRUE(wait_for(tracer, waited, "connect-abandoned")) << about(tracer, waited);

    Actor hasty("hasty");
    const ActorSocket cancelled = hasty.bind(SocketAddress::v4("127.0.0.1"));
    const std::uint64_t dropped = drop.dropped();
    hasty.begin_connect(cancelled, SocketAddress::v4("127.0.0.1", 9));
    ASSERT_TRUE(tracer.wait_until([&] { return drop.dropped() > dropped; }));
    hasty.kill();
    ASSERT_TRUE(wait_for(tracer, cancelled, "connect-cancelled")) << about(tracer, cancelled);
    tracer.stop();
}

// An idle connection whose other end is out of reach, with keepalive on one side and without on the other.
TEST_F(VerdictTest, KeepaliveFindsWhatIsHalfOpen)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection idle = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(listener));
    client.set_keepalive(c.client);
    ASSERT_TRUE(wait_for(tracer, c.client, "keepalive-timed-out")) << about(tracer, c.client);
    const TraceEvent verdict = of(tracer, c.client).at(0);
    EXPECT_EQ(verdict.text("error"), "ETIMEDOUT");
    EXPECT_EQ(verdict.number("retransmits"), 0U);
    // Its RST reached the server, whose answers alone were dropped.
    ASSERT_TRUE(wait_for(tracer, c.child, "reset-by-peer")) << about(tracer, c.child);
    EXPECT_EQ(about(tracer, idle.client), "") << "without keepalive nothing happens";
    tracer.stop();
}

// Nothing in either direction arrives: the server's end is left behind, and that is said.
TEST_F(VerdictTest, KeepaliveLeavesTheOtherEndHalfOpen)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(listener));
    PacketDrop other_way("tcp dport " + port_of(listener));
    client.set_keepalive(c.client);
    ASSERT_TRUE(wait_for(tracer, c.client, "keepalive-timed-out")) << about(tracer, c.client);
    ASSERT_TRUE(wait_for(tracer, c.child, "half-open")) << about(tracer, c.child);
    tracer.stop();
}

// Two clients that are left behind: one would be for ever, keepalive finds the other.
TEST_F(VerdictTest, HalfOpenForEverOrUntilKeepaliveFindsIt)
{
    set_sysctl("ipv4/tcp_keepalive_time", "50");
    set_sysctl("ipv4/tcp_keepalive_intvl", "7");
    set_sysctl("ipv4/tcp_keepalive_probes", "4");
    Tracer tracer = trace({"--verdicts", "all", "--sweep", "0.2"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection without = connect(client, server, listener);
    const Connection with = connect(client, server, listener);
    client.set_keepalive(with.client);
    PacketDrop drop("tcp dport { " + port_of(without.client) + ", " + port_of(with.client) + " }");
    const auto server_pid = static_cast<std::uint64_t>(server.pid());
    server.kill();
    for (const Connection *c : {&without, &with}) {
        ASSERT_TRUE(wait_for(tracer, c->child, "half-open fin-timed-out")) << about(tracer, c->child);
        ASSERT_TRUE(wait_for(tracer, c->client, "half-open half-open")) << about(tracer, c->client);
        const TraceEvent verdict = of(tracer, c->client).at(1);
        SCOPED_TRACE(verdict.json().dump());
        EXPECT_EQ(verdict.json().at("keepalive"), c == &with);
        EXPECT_EQ(verdict.text("state"), "ESTABLISHED");
        EXPECT_EQ(verdict.text("other_state"), "CLOSE");
        EXPECT_EQ(verdict.number("other_pid"), server_pid);
        EXPECT_EQ(verdict.json().at("over"), false);
        EXPECT_TRUE(of(tracer, c->client).at(0).is_null("keepalive")) << "said before anybody looked";
    }
    EXPECT_TRUE(of(tracer, without.client).at(1).is_null("gives_up_us"));
    const std::uint64_t found_in_us = of(tracer, with.client).at(1).number("gives_up_us");
    EXPECT_GT(found_in_us, 4 * 7'000'000U);
    EXPECT_LE(found_in_us, 50'000'000U + 4 * 7'000'000U);
    tracer.stop();
}

// An outage of which data in flight tells, and that passes: said, and that it is over, as soon as a look sees that.
TEST_F(VerdictTest, AnOutageIsOver)
{
    Tracer tracer = trace({"--verdicts", "all", "--sweep", "0.2"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection spared = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(c.client));
    client.send(c.client, 10);
    client.send(spared.client, 10);
    ASSERT_TRUE(wait_for(tracer, c.client, "half-open")) << about(tracer, c.client);
    drop.lift();
    ASSERT_TRUE(wait_for(tracer, c.client, "half-open half-open")) << about(tracer, c.client);
    const TraceEvent said = of(tracer, c.client).at(0);
    const TraceEvent over = of(tracer, c.client).at(1);
    SCOPED_TRACE(over.json().dump());
    EXPECT_EQ(said.json().at("over"), false);
    EXPECT_EQ(over.json().at("over"), true);
    EXPECT_EQ(over.text("state"), "ESTABLISHED");
    EXPECT_GT(over.number("silent_us"), said.number("silent_us"));
    EXPECT_EQ(about(tracer, c.child), "") << "it waits for nothing";
    EXPECT_EQ(about(tracer, spared.client), "");
    close_in_order(client, c.client, server, c.child);
    ASSERT_TRUE(wait_for(tracer, c.client, "half-open half-open orderly")) << about(tracer, c.client);
    tracer.stop();
}

// The administrator has said how many time-outs it takes.
TEST_F(VerdictTest, HalfOpenAfterAsManyTimeoutsAsTheNamespaceSays)
{
    set_sysctl("ipv4/tcp_retries1", "5");
    Tracer tracer = trace_all();
    Tracer given = trace({"--verdicts", "all", "--threshold", "timeouts=3"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(c.client));
    client.send(c.client, 10);
    ASSERT_TRUE(wait_for(tracer, c.client, "half-open")) << about(tracer, c.client);
    EXPECT_GE(of(tracer, c.client).at(0).number("times_sent"), 6U);
    ASSERT_TRUE(wait_for(given, c.client, "half-open")) << about(given, c.client);
    EXPECT_LT(of(given, c.client).at(0).number("times_sent"), 6U) << "but the user knows better";
    given.stop();
    tracer.stop();
}

TEST_F(VerdictTest, CutOff)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection linger = connect(client, server, listener);
    client.set_linger_0(linger.client);
    client.close(linger.client);
    const Connection unread = connect(client, server, listener);
    client.send(unread.client, 100);
    server.receive(unread.child, 1);
    server.close(unread.child);
    const Connection read = connect(client, server, listener);
    client.send(read.client, 100);
    server.receive(read.child, 100);
    server.close(read.child);
    client.receive(read.client);
    client.close(read.client);
    const ActorSocket refused = client.connect(SocketAddress::v4("127.0.0.1", 1));
    EXPECT_EQ(refused.step.error, ECONNREFUSED);
    ASSERT_TRUE(tracer.wait_until([&] { return tracer.verdicts().size() >= 7; }));
    tracer.stop();

    const bool tells = std::any_of(tracer.events().begin(), tracer.events().end(), [](const TraceEvent &event) {
        return event.is("reset") && !event.is_null("reason") && event.text("reason") != "no_socket";
    });
    EXPECT_EQ(about(tracer, linger.client), tells ? "aborted-linger" : "reset-by-us");
    EXPECT_EQ(about(tracer, linger.child), "reset-by-peer");
    EXPECT_EQ(about(tracer, unread.child).find(tells ? "aborted-unread" : "reset-by-us"), 0U);
    EXPECT_EQ(about(tracer, unread.client), "reset-by-peer");
    EXPECT_EQ(about(tracer, read.client), "orderly");
    EXPECT_EQ(std::count_if(tracer.verdicts().begin(), tracer.verdicts().end(),
                            [](const TraceEvent &verdict) { return verdict.text("verdict") == "refused"; }),
              1);
    for (const TraceEvent &verdict : tracer.verdicts())
        EXPECT_NE(verdict.text("severity"), "alarm") << verdict.json();
}

// What is asked for by default: thousands of orderly connections, and no word of them.
TEST_F(VerdictTest, AHealthyHostGetsNoAlarm)
{
    constexpr std::size_t connections = 3000;
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    server.begin_serve(listener, connections);
    client.begin_churn(listener.local, connections);
    EXPECT_EQ(client.finish().result, static_cast<std::int64_t>(connections));
    server.finish();
    const Totals totals = tracer.stop();
    EXPECT_GE(totals.shown, connections * 10);
    for (const TraceEvent &verdict : tracer.verdicts())
        ADD_FAILURE() << verdict.json();
}

// For people: one block, and at its end what it came to.
TEST_F(VerdictTest, ATimelineForPeople)
{
    Process tcpflight = start_tcpflight({"-g", "-c", "1", "--comm", "verdict-client"});
    Actor server("server");
    Actor client("verdict-client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    server.close(c.child);
    EXPECT_EQ(tcpflight.wait(), exited(0));
    const std::string time = R"(   \d\d:\d\d:\d\d\.\d{6} )";
    const std::string delta = R"( *\+[0-9.]+(us|ms|s)  )";
    const std::regex block(
        "== verdict-client\\[" + std::to_string(client.pid()) + R"(\] 127\.0\.0\.1\.)" + port_of(c.client) +
        R"( > 127\.0\.0\.1\.)" + port_of(listener) + R"(  outgoing, netns[\n ]+)" + std::to_string(netns()) + "\n" +
        time + "            CLOSE -> SYN_SENT\n" + time + delta + "SYN_SENT -> ESTABLISHED\n" + time + delta +
        "ESTABLISHED -> FIN_WAIT1\n" + time + delta + "FIN_WAIT1 -> FIN_WAIT2\n" + time + delta +
        "FIN_WAIT2 -> (TIME_WAIT|FIN_WAIT2 \\(orphan\\))\n" + "   carried: sent \\d+ bytes? in \\d+ segments?[^:]*\n" +
        "   verdict: (orderly: this end closed first|half-closed: this end closed) after [^=]*");
    EXPECT_TRUE(std::regex_match(tcpflight.out(), block)) << tcpflight.out();
}

} // namespace
} // namespace tcpflight::test

// Ends of connections that nobody asked for, and connects that nobody answers: each with a near miss beside it.
#include "live/judging_test.h"

#include <algorithm>
#include <cerrno>

namespace tcpflight::test {
namespace {

class VerdictEnd : public JudgingTest {
protected:
    [[nodiscard]] Tracer trace_all() const { return trace({"--verdicts", "all", "--sweep", "0"}); }

    // Answers packets that match as a router or a firewall does.
    static void reject(const std::string &match, const std::string &with)
    {
        const Finished done =
            run({.argv = {"nft", "table inet answers { chain in { type filter hook input priority 0; " + match +
                                     " reject with " + with + "; }; }"}});
        ASSERT_EQ(done.status, exited(0)) << done.err;
    }
};

TEST_F(VerdictEnd, DataTimedOutAndDataThatCameLate)
{
    set_sysctl("ipv4/tcp_retries2", "3"); // some 3 s
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection lost = connect(client, server, listener);
    const Connection late = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(lost.client));
    PacketDrop passing("tcp sport " + port_of(late.client));
    client.send(lost.client, 100);
    client.send(late.client, 100);
    ASSERT_TRUE(tracer.wait_until([&] { return passing.dropped() >= 2; }));
    passing.lift();
    server.receive(late.child, 100);
    close_in_order(client, late.client, server, late.child);
    ASSERT_TRUE(wait_for(tracer, lost.client, "half-open data-timed-out")) << about(tracer, lost.client);
    const TraceEvent verdict = of(tracer, lost.client).at(1);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "alarm");
    EXPECT_EQ(verdict.text("error"), "ETIMEDOUT");
    EXPECT_EQ(verdict.text("unanswered"), "data");
    EXPECT_EQ(verdict.text("other_state"), "ESTABLISHED");
    EXPECT_EQ(verdict.number("other_pid"), static_cast<std::uint64_t>(server.pid()));
    EXPECT_GE(verdict.number("times_sent"), 4U);
    EXPECT_TRUE(verdict.is_null("user_timeout_us"));
    ASSERT_TRUE(wait_for(tracer, lost.child, "half-open")) << about(tracer, lost.child);
    ASSERT_TRUE(wait_for(tracer, late.client, "orderly")) << about(tracer, late.client);
    tracer.stop();
}

// Of two connections that nobody answers, one has a limit of its own.
TEST_F(VerdictEnd, UserTimedOut)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection limited = connect(client, server, listener);
    const Connection patient = connect(client, server, listener);
    client.set_user_timeout(limited.client, std::chrono::milliseconds(1000));
    PacketDrop drop("tcp sport { " + port_of(limited.client) + ", " + port_of(patient.client) + " }");
    client.send(limited.client, 100);
    client.send(patient.client, 100);
    const auto ended = [&] {
        const auto verdicts = of(tracer, limited.client);
        return !verdicts.empty() && verdicts.back().json().at("ended") == true;
    };
    ASSERT_TRUE(tracer.wait_until(ended, std::chrono::seconds(20))) << about(tracer, limited.client);
    const TraceEvent verdict = of(tracer, limited.client).back();
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("verdict"), "user-timed-out");
    EXPECT_EQ(verdict.text("severity"), "alarm");
    EXPECT_EQ(verdict.number("user_timeout_us"), 1'000'000U);
    ASSERT_TRUE(wait_for(tracer, limited.child, "half-open")) << about(tracer, limited.child);
    ASSERT_TRUE(wait_for(tracer, patient.client, "half-open")) << about(tracer, patient.client);
    tracer.stop();
}

TEST_F(VerdictEnd, ConnectUnansweredUntilItIs)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection answered = connect(client, server, listener);
    const ActorSocket bound = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp sport " + port_of(bound));
    client.begin_connect(bound, listener.local);
    ASSERT_TRUE(wait_for(tracer, bound, "connect-unanswered")) << about(tracer, bound);
    const TraceEvent verdict = of(tracer, bound).at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "alarm");
    EXPECT_EQ(verdict.text("state"), "SYN_SENT");
    EXPECT_EQ(verdict.text("unanswered"), "syn");
    EXPECT_EQ(verdict.number("times_sent"), 4U);
    EXPECT_FALSE(verdict.is_null("gives_up_us"));
    drop.lift();
    EXPECT_EQ(client.finish().error, 0);
    const ActorSocket child = server.accept(listener);
    close_in_order(client, bound, server, child);
    ASSERT_TRUE(wait_for(tracer, bound, "connect-unanswered orderly")) << about(tracer, bound);
    ASSERT_TRUE(wait_for(tracer, child, "orderly")) << about(tracer, child);
    EXPECT_EQ(about(tracer, answered.client), "");
    tracer.stop();
}

// A router says that the host cannot be reached; or a firewall, that the port cannot.
TEST_F(VerdictEnd, UnreachableAndRefusedByAFirewall)
{
    Tracer tracer = trace_all();
    Actor client("client");
    ASSERT_NO_FATAL_FAILURE(reject("tcp dport 9", "icmp type host-unreachable"));
    ASSERT_NO_FATAL_FAILURE(reject("tcp dport 10", "icmp type port-unreachable"));
    EXPECT_EQ(client.connect(SocketAddress::v4("127.0.0.1", 9)).step.error, EHOSTUNREACH);
    EXPECT_EQ(client.connect(SocketAddress::v4("127.0.0.1", 10)).step.error, ECONNREFUSED);
    ASSERT_TRUE(tracer.wait_until([&] { return tracer.verdicts().size() >= 2; }));
    tracer.stop();
    const auto unreachable = called(tracer, "unreachable");
    ASSERT_EQ(unreachable.size(), 1U);
    EXPECT_EQ(unreachable[0].number("remote_port"), 9U);
    EXPECT_EQ(unreachable[0].text("severity"), "alarm");
    EXPECT_EQ(unreachable[0].text("error"), "EHOSTUNREACH");
    const auto refused = called(tracer, "refused");
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].number("remote_port"), 10U);
    EXPECT_EQ(refused[0].text("severity"), "notice");
}

// The listener goes: who waits in its queue is cut off, who was accepted is not.
TEST_F(VerdictEnd, NotAcceptedAndListenerClosed)
{
    Tracer tracer = trace_all();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection accepted = connect(client, server, listener);
    const ActorSocket waiting = client.connect(listener.local);
    ASSERT_EQ(waiting.step.error, 0);
    server.close(listener);
    ActorSocket child;
    child.local = waiting.remote;
    child.remote = waiting.local;
    ASSERT_TRUE(wait_for(tracer, waiting, "reset-by-peer")) << about(tracer, waiting);
    ASSERT_TRUE(tracer.wait_until([&] { return !about(tracer, child).empty(); }));
    ASSERT_TRUE(tracer.wait_until([&] { return !called(tracer, "listener-closed").empty(); }));
    const bool tells = std::any_of(tracer.events().begin(), tracer.events().end(), [](const TraceEvent &event) {
        return event.is("reset") && event.text("direction") == "sent" && !event.is_null("reason");
    });
    EXPECT_EQ(about(tracer, child), tells ? "not-accepted" : "reset-by-us");
    EXPECT_EQ(of(tracer, child).at(0).text("severity"), "notice");
    EXPECT_EQ(about(tracer, accepted.child), "");
    EXPECT_EQ(about(tracer, accepted.client), "");
    EXPECT_EQ(called(tracer, "listener-closed").at(0).number("local_port"), listener.local.port());
    tracer.stop();
}

} // namespace
} // namespace tcpflight::test

// Connections that wait, without an event, for a process or for the other end: each verdict with a scenario, and a near
// miss beside it. The thresholds are a second instead of a minute.
#include "live/judging_test.h"

#include <nlohmann/json.hpp>

namespace tcpflight::test {
namespace {

class StuckTest : public JudgingTest {
protected:
    // Alarms and notices.
    [[nodiscard]] Tracer trace_stuck(const std::vector<std::string> &thresholds) const
    {
        std::vector<std::string> arguments{"--verdicts", "all", "--sweep", "0.2"};
        for (const auto &threshold : thresholds) {
            arguments.emplace_back("--threshold");
            arguments.push_back(threshold);
        }
        return trace(arguments);
    }
};

TEST_F(StuckTest, CloseWaitHeldIsCountedByProcess)
{
    constexpr std::size_t leaked = 12;
    Tracer tracer = trace_stuck({"close-wait=1", "unread=1"});
    Actor server("leaky");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection good = connect(client, server, listener);
    const Connection first = connect(client, server, listener);
    client.close(first.client);
    ASSERT_TRUE(wait_for(tracer, first.child, "close-wait-held")) << about(tracer, first.child);
    const TraceEvent one = of(tracer, first.child).at(0);
    SCOPED_TRACE(one.json().dump());
    EXPECT_EQ(one.text("severity"), "alarm");
    EXPECT_EQ(one.text("state"), "CLOSE_WAIT");
    EXPECT_EQ(one.text("closed_first"), "other");
    EXPECT_EQ(one.number("pid"), static_cast<std::uint64_t>(server.pid()));
    EXPECT_EQ(one.number("alike"), 1U);
    EXPECT_GE(one.json().at("waits_us").get<double>(), 1e6);
    EXPECT_FALSE(one.json().at("ended"));

    for (std::size_t i = 1; i < leaked; i++)
        client.close(connect(client, server, listener).client);
    ASSERT_TRUE(wait_for(tracer, first.child, "close-wait-held close-wait-held")) << about(tracer, first.child);
    EXPECT_GE(of(tracer, first.child).at(1).number("alike"), 10U) << "ten times as many, and about the oldest";

    EXPECT_EQ(about(tracer, good.child), "") << "open, and no trouble";
    server.close(first.child);
    ASSERT_TRUE(wait_for(tracer, first.child, "close-wait-held close-wait-held orderly"));
    tracer.stop();
}

TEST_F(StuckTest, FinWaitHeldBothEndsAreNamed)
{
    Tracer tracer = trace_stuck({"fin-wait=1", "close-wait=1"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection closed = connect(client, server, listener);
    client.shut_down_writing(c.client);
    client.close(closed.client);
    ASSERT_TRUE(wait_for(tracer, c.client, "fin-wait-held")) << about(tracer, c.client);
    const TraceEvent verdict = of(tracer, c.client).at(0);
    EXPECT_EQ(verdict.text("other_state"), "CLOSE_WAIT");
    EXPECT_EQ(verdict.number("other_pid"), static_cast<std::uint64_t>(server.pid()));
    ASSERT_TRUE(wait_for(tracer, c.child, "close-wait-held")) << about(tracer, c.child);
    EXPECT_EQ(about(tracer, closed.client), "half-closed") << "no process waits for that one";
    tracer.stop();
}

TEST_F(StuckTest, AcceptStalled)
{
    Tracer tracer = trace_stuck({"accept=1"});
    Actor server("sleepy");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection accepted = connect(client, server, listener);
    const ActorSocket waiting = client.connect(listener.local);
    ActorSocket child;
    child.local = waiting.remote;
    child.remote = waiting.local;
    ASSERT_TRUE(wait_for(tracer, child, "accept-stalled")) << about(tracer, child);
    const TraceEvent verdict = of(tracer, child).at(0);
    SCOPED_TRACE(verdict.json().dump());
    EXPECT_EQ(verdict.text("severity"), "alarm");
    EXPECT_EQ(verdict.number("pid"), static_cast<std::uint64_t>(server.pid()));
    EXPECT_EQ(verdict.text("other_comm"), "client");
    EXPECT_EQ(about(tracer, accepted.child), "");
    tracer.stop();
}

// The client writes more than the server's buffer takes, and the server reads nothing; another one's does.
TEST_F(StuckTest, ZeroWindowAndWhoDoesNotRead)
{
    set_sysctl("ipv4/tcp_rmem", "4096 4096 4096");
    Tracer tracer = trace_stuck({"zero-window=1", "unread=1"});
    Actor server("deaf");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection read = connect(client, server, listener);
    constexpr std::size_t bytes = 20'000;
    client.send(c.client, bytes);
    client.send(read.client, bytes);
    server.receive(read.child, bytes);
    ASSERT_TRUE(tracer.wait_until([&] { return !about(tracer, c.client).empty() && !about(tracer, c.child).empty(); },
                                  std::chrono::seconds(20)));
    ASSERT_EQ(about(tracer, c.client), "zero-window");
    const TraceEvent blocked = of(tracer, c.client).at(0);
    SCOPED_TRACE(blocked.json().dump());
    EXPECT_EQ(blocked.text("severity"), "alarm");
    EXPECT_EQ(blocked.text("other_comm"), "deaf");
    ASSERT_EQ(about(tracer, c.child), "unread");
    const TraceEvent unread = of(tracer, c.child).at(0);
    EXPECT_EQ(blocked.number("queued") + unread.number("queued"), bytes);
    EXPECT_EQ(unread.number("pid"), static_cast<std::uint64_t>(server.pid()));
    EXPECT_EQ(about(tracer, read.client), "");
    EXPECT_EQ(about(tracer, read.child), "");
    tracer.stop();
}

TEST_F(StuckTest, ProbesUnansweredBeforeTheKernelGivesUp)
{
    set_sysctl("ipv4/tcp_keepalive_time", "1");
    set_sysctl("ipv4/tcp_keepalive_intvl", "1");
    set_sysctl("ipv4/tcp_keepalive_probes", "8"); // time enough for a look that comes late
    Tracer tracer = trace_stuck({});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection answered = connect(client, server, listener);
    PacketDrop drop("tcp sport " + port_of(listener) + " tcp dport " + port_of(c.client));
    client.set_keepalive(c.client);
    client.set_keepalive(answered.client);
    ASSERT_TRUE(wait_for(tracer, c.client, "probes-unanswered")) << about(tracer, c.client);
    const TraceEvent verdict = of(tracer, c.client).at(0);
    EXPECT_GE(verdict.number("times_sent"), 3U);
    EXPECT_EQ(verdict.text("other_state"), "ESTABLISHED");
    ASSERT_TRUE(wait_for(tracer, c.client, "probes-unanswered keepalive-timed-out")) << about(tracer, c.client);
    EXPECT_EQ(about(tracer, answered.client), "");
    tracer.stop();
}

// What is recorded is judged like what is seen.
TEST_F(StuckTest, IsFoundInARecordingToo)
{
    const std::string path = testing::TempDir() + "/stuck." + std::to_string(getpid()) + ".tfl";
    Tracer tracer =
        trace({"--sweep", "0.2", "--threshold", "close-wait=1", "-w", path, "--force", "--print", "--format", "json"});
    Actor server("leaky");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    ASSERT_TRUE(wait_for(tracer, c.child, "close-wait-held")) << about(tracer, c.child);
    const TraceEvent live = of(tracer, c.child).at(0);
    tracer.stop();

    auto replay = [&](const std::string &threshold) {
        std::vector<TraceEvent> verdicts;
        const Finished done = run_tcpflight({"-r", path, "--format", "json", "--threshold", "close-wait=" + threshold});
        EXPECT_EQ(done.status, exited(0)) << done.err;
        for (std::size_t at = 0; at < done.out.size();) {
            const std::size_t end = done.out.find('\n', at);
            const TraceEvent event(nlohmann::json::parse(done.out.substr(at, end - at)));
            if (event.is("verdict") && event.number("netns") == netns())
                verdicts.push_back(event);
            at = end + 1;
        }
        return verdicts;
    };
    const auto again = replay("1");
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].json(), live.json());
    EXPECT_TRUE(replay("60").empty()) << "by other thresholds there is nothing to say";
    unlink(path.c_str());
}

} // namespace
} // namespace tcpflight::test

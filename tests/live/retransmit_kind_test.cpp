// Why segments went again, how long nothing came back, and when the kernel gives up.
#include "live/live_test.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace tcpflight::test {
namespace {

class RetransmitKinds : public LiveTest {
protected:
    static std::vector<TraceEvent> of_kind(const Tracer &tracer, const char *event)
    {
        std::vector<TraceEvent> found;
        std::copy_if(tracer.events().begin(), tracer.events().end(), std::back_inserter(found),
                     [&](const TraceEvent &candidate) { return candidate.is(event); });
        return found;
    }

    static bool any(const Tracer &tracer, const char *kind)
    {
        const auto events = of_kind(tracer, "retransmit");
        return std::any_of(events.begin(), events.end(),
                           [&](const TraceEvent &event) { return event.text("kind") == kind; });
    }

    // Timers expire late, but never early; by up to an eighth (kernel/time/timer.c), and when the machine is busy.
    static void expect_end_as_told(const std::vector<TraceEvent> &retransmits, const TraceEvent &end)
    {
        EXPECT_EQ(end.text("error"), "ETIMEDOUT");
        std::size_t told = 0;
        for (const TraceEvent &event : retransmits) {
            if (event.is_null("gives_up_us"))
                continue;
            ++told;
            const auto promised = static_cast<double>(event.number("gives_up_us")) / 1e6;
            const double took = static_cast<double>(end.wall_ns() - event.wall_ns()) / 1e9;
            EXPECT_LT(std::abs(took - promised), 0.15 * promised + 0.3) << event.json().dump();
        }
        EXPECT_GE(told, 1U);
    }
};

// A tail loss probe first, and then time-outs that count.
TEST_F(RetransmitKinds, ProbeThenTimeouts)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.send(c.client, 100);
    server.receive(c.child, 100);
    PacketDrop drop("tcp dport " + std::to_string(listener.local.port()));
    client.send(c.client, 200);
    ASSERT_TRUE(tracer.wait_until([&] { return of_kind(tracer, "retransmit").size() >= 4; }));
    drop.lift();
    server.receive(c.child, 200);
    tracer.stop();

    const auto events = of_kind(tracer, "retransmit");
    EXPECT_EQ(events[0].text("kind"), "probe");
    EXPECT_TRUE(events[0].is_null("gives_up_us"));
    EXPECT_EQ(events[0].number("timeouts"), 0U);
    double silent = 0;
    for (std::size_t i = 1; i < 4; ++i) {
        SCOPED_TRACE(events[i].json().dump());
        EXPECT_EQ(events[i].text("kind"), "timeout");
        EXPECT_EQ(events[i].number("timeouts"), i);
        EXPECT_EQ(events[i].number("backoff"), i - 1);
        // The time that passed between two lines is the silence that was added.
        const double grown = static_cast<double>(events[i].number("silent_us")) - silent;
        const double between = static_cast<double>(events[i].wall_ns() - events[i - 1].wall_ns()) / 1000;
        if (i > 1) {
            EXPECT_NEAR(grown, between, 2000);
        }
        silent = static_cast<double>(events[i].number("silent_us"));
        // net.ipv4.tcp_retries2 is 15: 924.6 s at the least (Documentation/networking/ip-sysctl.rst).
        EXPECT_GT(events[i].number("gives_up_us"), 900'000'000U);
        EXPECT_LT(events[i].number("gives_up_us"), 1'200'000'000U);
    }
}

// One segment is lost and those behind it are not.
TEST_F(RetransmitKinds, Fast)
{
    Tracer tracer = trace({"-v"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    // One packet in so many: those that follow it tell of it.
    PacketDrop drop("tcp dport " + std::to_string(listener.local.port()) + " numgen inc mod 30 == 29");
    // As much at a time as fits into the buffers.
    constexpr std::int64_t piece = 256 << 10;
    for (int i = 0; i < 32 && !any(tracer, "fast"); ++i) {
        client.send(c.client, piece);
        ASSERT_EQ(server.receive(c.child, piece).result, piece);
        tracer.wait_until([&] { return any(tracer, "fast"); }, std::chrono::milliseconds(50));
    }
    drop.lift();
    ASSERT_TRUE(tracer.wait_until([&] { return any(tracer, "fast"); }));
    tracer.stop();
    for (const TraceEvent &event : of_kind(tracer, "retransmit")) {
        EXPECT_EQ(event.is_null("gives_up_us"), event.text("kind") != "timeout") << event.json().dump();
        EXPECT_TRUE(event.is_null("send_error"));
    }
    // With -v the change of mind is told, and stands before what follows from it.
    const auto changes = of_kind(tracer, "congestion");
    ASSERT_FALSE(changes.empty());
    std::string state = "Open";
    for (const TraceEvent &event : changes) {
        EXPECT_EQ(event.text("old_congestion"), state) << event.json().dump();
        state = event.text("new_congestion");
        EXPECT_EQ(event.text("state"), "ESTABLISHED");
    }
    EXPECT_TRUE(std::any_of(changes.begin(), changes.end(),
                            [](const TraceEvent &event) { return event.text("new_congestion") == "Recovery"; }));
}

TEST_F(RetransmitKinds, ConnectGivesUpWhenItSaysSo)
{
    set_sysctl("ipv4/tcp_syn_linear_timeouts", "1");
    set_sysctl("ipv4/tcp_syn_retries", "1");
    Tracer tracer = trace();
    Actor client("client");
    PacketDrop drop("tcp dport 7");
    EXPECT_EQ(client.connect(SocketAddress::v4("127.0.0.1", 7)).step.error, ETIMEDOUT);
    tracer.wait_until(
        [&] { return !tracer.events().empty() && tracer.events().back().is_change("SYN_SENT", "CLOSE"); });
    tracer.stop();
    expect_end_as_told(of_kind(tracer, "retransmit"), tracer.events().back());
}

TEST_F(RetransmitKinds, OrphanGivesUpWhenItSaysSo)
{
    set_sysctl("ipv4/tcp_orphan_retries", "3");
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port()));
    server.close(c.child);
    ASSERT_TRUE(tracer.wait_until(
        [&] { return !tracer.events().empty() && tracer.events().back().is_change("FIN_WAIT1", "CLOSE"); }));
    tracer.stop();
    expect_end_as_told(of_kind(tracer, "retransmit"), tracer.events().back());
}

// A rule on the way out: nothing was sent again, and nothing says so.
TEST_F(RetransmitKinds, WhatCannotBeSentIsNoRetransmission)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    // It must have gone once: what never left is not sent again, but still to be sent.
    const std::string match = "tcp dport " + std::to_string(listener.local.port());
    PacketDrop lost(match);
    client.send(c.client, 100);
    PacketDrop refused(match, PacketDrop::Where::Leaving);
    if (!tracer.wait_until([&] { return !of_kind(tracer, "send_failed").empty(); }, std::chrono::seconds(3)))
        GTEST_SKIP() << "this kernel does not tell (before Linux 6.17)";
    tracer.stop();
    for (const TraceEvent &event : of_kind(tracer, "send_failed")) {
        EXPECT_EQ(event.text("send_error"), "EPERM") << event.json().dump();
        EXPECT_EQ(event.number("attempt"), 0U);
    }
    EXPECT_TRUE(of_kind(tracer, "retransmit").empty());
}

} // namespace
} // namespace tcpflight::test

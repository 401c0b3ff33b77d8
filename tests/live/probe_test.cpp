// What a socket sends to an end that says nothing. Seen where programs can hang on functions.
#include "live/live_test.h"
#include "live/precision.h"

#include <algorithm>
#include <cerrno>

namespace tcpflight::test {
namespace {

// A jiffy at HZ=100, to which the kernel's own times go.
constexpr std::uint64_t jiffy_us = 10'000;
constexpr std::uint64_t second_us = 1'000'000;

class Probes : public LiveTest {
protected:
    static std::vector<TraceEvent> of_kind(const Tracer &tracer, const char *kind)
    {
        std::vector<TraceEvent> probes;
        std::copy_if(tracer.events().begin(), tracer.events().end(), std::back_inserter(probes),
                     [kind](const TraceEvent &event) { return event.is("probe") && event.text("kind") == kind; });
        return probes;
    }

    static void expect_owner(const TraceEvent &event, const Actor &owner, const ActorSocket &socket)
    {
        EXPECT_EQ(event.number("pid"), static_cast<std::uint64_t>(owner.pid())) << event.json();
        EXPECT_EQ(event.text("comm"), owner.name());
        EXPECT_EQ(event.number("local_port"), socket.local.port());
        EXPECT_EQ(event.number("remote_port"), socket.remote.port());
        EXPECT_EQ(event.text("state"), "ESTABLISHED");
    }
};

// After a second of silence, one a second, three in all; then it ends with ETIMEDOUT.
TEST_F(Probes, OfKeepaliveUntilTheKernelGivesUp)
{
    ASSERT_TRUE(set_sysctl("ipv4/tcp_keepalive_time", "1"));
    ASSERT_TRUE(set_sysctl("ipv4/tcp_keepalive_intvl", "1"));
    ASSERT_TRUE(set_sysctl("ipv4/tcp_keepalive_probes", "3"));
    Tracer tracer = trace({"-v"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + std::to_string(c.client.local.port()));
    client.set_keepalive(c.client);
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(), [](const TraceEvent &event) {
            return event.is_change("ESTABLISHED", "CLOSE") && event.text("error") == "ETIMEDOUT";
        });
    }));
    const auto end = *std::find_if(tracer.events().begin(), tracer.events().end(),
                                   [](const TraceEvent &event) { return event.is_change("ESTABLISHED", "CLOSE"); });
    tracer.stop();
    const auto probes = of_kind(tracer, "keepalive");
    if (!tracer.hangs_on_functions()) {
        less_precise("no probes");
        EXPECT_TRUE(probes.empty());
        return;
    }
    ASSERT_EQ(probes.size(), 3U);
    for (std::size_t i = 0; i < probes.size(); ++i) {
        SCOPED_TRACE(probes[i].json().dump());
        expect_owner(probes[i], client, c.client);
        EXPECT_EQ(probes[i].number("attempt"), i + 1);
        EXPECT_EQ(probes[i].number("limit"), 3U);
        EXPECT_EQ(probes[i].number("next_us"), 1'000'000U);
        EXPECT_EQ(probes[i].number("waiting"), 0U);
        EXPECT_TRUE(probes[i].is_null("closed_us"));
        // The time that passed between two lines is the silence that was added.
        const double grown =
            static_cast<double>(probes[i].number("silent_us")) - static_cast<double>(probes[0].number("silent_us"));
        const double between = static_cast<double>(probes[i].wall_ns() - probes[0].wall_ns()) / 1000;
        EXPECT_NEAR(grown, between, 2 * jiffy_us);
        EXPECT_GE(probes[i].number("silent_us") + jiffy_us, (i + 1) * second_us);
        // It ends when it was said that it would.
        const double left_us = static_cast<double>(end.wall_ns() - probes[i].wall_ns()) / 1000;
        EXPECT_NEAR(static_cast<double>(probes[i].number("gives_up_us")), left_us, left_us / 5);
    }
}

// Routine is not news: without -v the first probe of a silence is not told, and here there is no second one.
TEST_F(Probes, OfKeepaliveThatAreAnsweredAreSilent)
{
    ASSERT_TRUE(set_sysctl("ipv4/tcp_keepalive_time", "1"));
    ASSERT_TRUE(set_sysctl("ipv4/tcp_keepalive_intvl", "1"));
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.set_keepalive(c.client);
    EXPECT_FALSE(tracer.wait_until([&] { return !of_kind(tracer, "keepalive").empty(); }, std::chrono::seconds(3)));
    tracer.stop();
}

// The other end does not read. It answers, though, so that nothing is unanswered for long and it lasts.
TEST_F(Probes, OfAWindowThatIsClosed)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const auto is_closed = [&] { return client.fill(c.client).result == 0; };
    while (!is_closed() || !is_closed())
        ;
    // Until nothing found room between two of them.
    const auto came = tracer.wait_until(
        [&] {
            const auto probes = of_kind(tracer, "window");
            return !probes.empty() && !probes.back().is_null("closed_us");
        },
        tracer.hangs_on_functions() ? Process::default_timeout : std::chrono::seconds(1));
    tracer.stop();
    const auto probes = of_kind(tracer, "window");
    if (!tracer.hangs_on_functions()) {
        less_precise("no probes");
        EXPECT_TRUE(probes.empty());
        return;
    }
    ASSERT_TRUE(came);
    for (const TraceEvent &probe : probes) {
        SCOPED_TRACE(probe.json().dump());
        expect_owner(probe, client, c.client);
        EXPECT_LE(probe.number("attempt"), 2U) << "answers come late at most";
        EXPECT_EQ(probe.number("limit"), 15U);
        EXPECT_GT(probe.number("waiting"), 0U);
    }
    const auto last = std::find_if(probes.begin(), probes.end(), [](const auto &e) { return !e.is_null("closed_us"); });
    ASSERT_NE(last, probes.begin());
    const TraceEvent &first = *(last - 1);
    const double between_us = static_cast<double>(last->wall_ns() - first.wall_ns()) / 1000;
    EXPECT_NEAR(static_cast<double>(first.number("next_us")), between_us, between_us / 4);
    EXPECT_NEAR(static_cast<double>(last->number("closed_us")), between_us, between_us / 4);
}

} // namespace
} // namespace tcpflight::test

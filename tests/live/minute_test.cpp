// What takes a minute that no setting shortens: a whole TIME_WAIT, and until an alarm is raised again.
#include "live/judging_test.h"

#include <algorithm>

namespace tcpflight::test {
namespace {

using namespace std::chrono_literals;

class Minute : public JudgingTest {};

// A connection that is cut off twice: each time that is said, and that it is over.
TEST_F(Minute, LaterASecondOutageIsSaidToo)
{
    Tracer tracer = trace({"--sweep", "0.5"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    std::string said;
    for (int outage = 1; outage <= 2; outage++) {
        if (outage == 2) {
            EXPECT_FALSE(tracer.wait_until([&] { return about(tracer, c.client) != said; }, 62s)) << "no news";
        }
        PacketDrop drop("tcp sport " + port_of(c.client));
        client.send(c.client, 10);
        said += outage == 1 ? "half-open" : " half-open";
        ASSERT_TRUE(tracer.wait_until([&] { return about(tracer, c.client) == said; }, 90s)) << about(tracer, c.client);
        drop.lift();
        said += " half-open";
        ASSERT_TRUE(tracer.wait_until([&] { return about(tracer, c.client) == said; }, 90s)) << about(tracer, c.client);
    }
    std::vector<bool> over;
    for (const TraceEvent &verdict : of(tracer, c.client))
        over.push_back(verdict.json().at("over"));
    EXPECT_EQ(over, (std::vector<bool>{false, true, false, true}));
    EXPECT_EQ(about(tracer, c.child), "");
    tracer.stop();
}

TEST_F(Minute, IsWhatTimeWaitLasts)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    close_in_order(client, c.client, server, c.child);
    const auto end = [&] {
        return std::find_if(tracer.events().begin(), tracer.events().end(),
                            [](const TraceEvent &event) { return event.is_change("TIME_WAIT", "CLOSE"); });
    };
    // Timers of a minute expire up to an eighth late, and then it has to be looked for.
    ASSERT_TRUE(tracer.wait_until([&] { return end() != tracer.events().end(); }, 90s));
    const TraceEvent &event = *end();
    EXPECT_EQ(event.number("local_port"), c.client.local.port());
    EXPECT_EQ(event.text("comm"), "client");
    EXPECT_EQ(event.text("ended_by"), "timer");
    constexpr std::uint64_t minute_us = 60'000'000;
    constexpr std::uint64_t jiffy_us = 10'000;
    constexpr std::uint64_t latest_us = minute_us + minute_us / 8;
    constexpr std::uint64_t between_looks_us = 10'000'000;
    if (event.is_null("duration_us")) {
        EXPECT_GE(event.number("at_least_us"), minute_us - jiffy_us);
        EXPECT_LE(event.number("at_least_us"), latest_us);
        EXPECT_LE(event.number("at_most_us"), latest_us + between_looks_us);
    } else {
        EXPECT_GE(event.number("duration_us"), minute_us - jiffy_us);
        EXPECT_LE(event.number("duration_us"), latest_us);
    }
    tracer.stop();
}

} // namespace
} // namespace tcpflight::test

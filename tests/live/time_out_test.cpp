// What timed out, told by the socket's last change alone: in the lowest layer, where no probe is seen.
#include "live/judging_test.h"

#include <cstdio>
#include <fstream>
#include <string>
#include <unistd.h>

namespace tcpflight::test {
namespace {

class TimeOut : public JudgingTest {
protected:
    void SetUp() override
    {
        JudgingTest::SetUp();
        if (IsSkipped())
            return;
        set_sysctl("ipv4/tcp_keepalive_time", "1");
        set_sysctl("ipv4/tcp_keepalive_intvl", "1");
        set_sysctl("ipv4/tcp_keepalive_probes", "2");
        set_sysctl("ipv4/tcp_retries2", "3");
        set_sysctl("ipv4/tcp_orphan_retries", "3");
    }

    // Jiffies of a hundredth of a second until the next probe of a closed window: none: it waits for something else
    // (proc(5), /proc/net/tcp: in "tr tm->when", tr is 4).
    static std::optional<unsigned> next_probe(const ActorSocket &socket)
    {
        std::ifstream sockets("/proc/self/net/tcp");
        std::string line;
        std::getline(sockets, line);
        while (std::getline(sockets, line)) {
            unsigned port = 0;
            unsigned timer = 0;
            unsigned when = 0;
            const int found = std::sscanf(line.c_str(), " %*u: %*x:%x %*x:%*x %*x %*x:%*x %x:%x", &port, &timer, &when);
            if (found == 3 && port == socket.local.port() && timer == 4)
                return when;
        }
        return std::nullopt;
    }

    // Until two probes in a row found no room: the first can, when the other end puts together what it has.
    static void close_window(Actor &client, const ActorSocket &socket)
    {
        unsigned before = 0;
        for (int probes = 0; probes < 3;) {
            const bool found_room = client.fill(socket).result != 0;
            const auto next = next_probe(socket);
            if (found_room || !next)
                probes = 0;
            else if (*next > before)
                probes++;
            before = next.value_or(0);
            usleep(1000);
        }
    }

    static std::optional<TraceEvent> end_of(const Tracer &tracer, const ActorSocket &socket)
    {
        for (const TraceEvent &event : tracer.events()) {
            if (event.is("state") && event.text("new_state") == "CLOSE" &&
                event.number("local_port") == socket.local.port() && !event.is_null("error"))
                return event;
        }
        return std::nullopt;
    }

    // `user_timeout` as JSON has it.
    static void expect_end(const Tracer &tracer, const ActorSocket &socket, const std::string &state,
                           const std::string &what, const nlohmann::json &user_timeout, const std::string &verdict)
    {
        SCOPED_TRACE(what);
        const auto end = end_of(tracer, socket);
        ASSERT_TRUE(end) << "it goes on";
        SCOPED_TRACE(end->json().dump());
        EXPECT_EQ(end->text("error"), "ETIMEDOUT");
        EXPECT_EQ(end->text("old_state"), state);
        EXPECT_EQ(end->text("timed_out"), what);
        EXPECT_EQ(end->json().at("user_timeout"), user_timeout);
        const auto last = of(tracer, socket);
        ASSERT_FALSE(last.empty());
        EXPECT_EQ(last.back().text("verdict"), verdict);
    }
};

// All at once, and next to each other: each is what the others are not. No packet reaches a client any more.
TEST_F(TimeOut, IsOfWhatWasWaitedFor)
{
    Tracer tracer = trace({"--layer", "core", "--verdicts", "all"});
    Actor server("server");
    Actor client("client");
    Actor closer("closer");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection idle = connect(client, server, listener);
    const Connection idle_limited = connect(client, server, listener);
    const Connection busy = connect(client, server, listener);
    const Connection busy_limited = connect(client, server, listener);
    const Connection shut = connect(client, server, listener);
    const Connection full = connect(client, server, listener);
    const Connection orphan = connect(closer, server, listener);
    const Connection healthy = connect(client, server, listener);
    client.set_keepalive(busy.client); // and yet it is the data
    client.set_keepalive(full.client);
    client.set_user_timeout(busy_limited.client, std::chrono::milliseconds(1000));
    client.set_user_timeout(idle_limited.client, std::chrono::milliseconds(1500));
    close_window(client, full.client);
    std::string ports = port_of(orphan.client);
    for (const Connection *c : {&idle, &idle_limited, &busy, &busy_limited, &shut, &full})
        ports += ", " + port_of(c->client);
    PacketDrop drop("tcp dport { " + ports + " }");
    client.set_keepalive(idle.client);
    client.set_keepalive(idle_limited.client);
    client.set_keepalive(healthy.client);
    EXPECT_EQ(client.send(busy.client, 100).result, 100);
    EXPECT_EQ(client.send(busy_limited.client, 100).result, 100);
    client.shut_down_writing(shut.client);
    EXPECT_EQ(closer.send(orphan.client, 100).result, 100);
    closer.close(orphan.client);
    ASSERT_TRUE(tracer.wait_until(
        [&] {
            for (const Connection *c : {&idle, &idle_limited, &busy, &busy_limited, &shut, &full, &orphan}) {
                if (!end_of(tracer, c->client) || of(tracer, c->client).empty() ||
                    of(tracer, c->client).back().json().at("ended") != true)
                    return false;
            }
            return true;
        },
        std::chrono::seconds(30)));
    tracer.stop();

    expect_end(tracer, idle.client, "ESTABLISHED", "keepalive", false, "keepalive-timed-out");
    expect_end(tracer, idle_limited.client, "ESTABLISHED", "keepalive", true, "keepalive-timed-out");
    expect_end(tracer, busy.client, "ESTABLISHED", "data", false, "data-timed-out");
    expect_end(tracer, busy_limited.client, "ESTABLISHED", "data", true, "user-timed-out");
    expect_end(tracer, shut.client, "FIN_WAIT1", "fin", false, "fin-timed-out");
    expect_end(tracer, full.client, "ESTABLISHED", "window_probe", false, "window-timed-out");
    expect_end(tracer, orphan.client, "FIN_WAIT1", "data", false, "data-timed-out");
    EXPECT_FALSE(end_of(tracer, healthy.client));
    for (const TraceEvent &event : tracer.events())
        EXPECT_FALSE(event.is("probe")) << event.json() << ": the core layer sees none";
}

// An error that is none of these says nothing of the kind, nor does an end without one.
TEST_F(TimeOut, IsNotOfWhatEndsOtherwise)
{
    Tracer tracer = trace({"--layer", "core"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection reset = connect(client, server, listener);
    const Connection orderly = connect(client, server, listener);
    client.set_user_timeout(reset.client, std::chrono::milliseconds(1000));
    server.set_linger_0(reset.child);
    server.close(reset.child);
    close_in_order(client, orderly.client, server, orderly.child);
    ASSERT_TRUE(tracer.wait_until([&] { return end_of(tracer, reset.client).has_value(); }));
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::any_of(tracer.events().begin(), tracer.events().end(),
                           [](const TraceEvent &event) { return event.is_change("LAST_ACK", "CLOSE"); });
    }));
    tracer.stop();
    EXPECT_EQ(end_of(tracer, reset.client)->text("error"), "ECONNRESET");
    EXPECT_EQ(end_of(tracer, reset.client)->number("errno"), 104U);
    for (const TraceEvent &event : tracer.events())
        EXPECT_FALSE(event.json().contains("timed_out")) << event.json();
}

} // namespace
} // namespace tcpflight::test

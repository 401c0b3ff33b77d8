// Sockets that were there before tcpflight.
#include "live/live_test.h"
#include "model/clock.h"
#include "tcpflight/looker.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

namespace tcpflight::test {
namespace {

// The kernel's own stamps are jiffies, and it counts them in steps: three of the longest kind.
constexpr std::uint64_t jiffies_ns = 30'000'000;

class Found : public LiveTest {
protected:
    // The tracer with --found, and what was there when it began: by local port.
    struct Start {
        Tracer tracer;
        std::uint64_t begin_ns;
        std::uint64_t end_ns;
    };
    [[nodiscard]] Start start(std::vector<std::string> arguments = {}) const
    {
        arguments.emplace_back("--found");
        const std::uint64_t begin_ns = boot_now_ns();
        Tracer tracer = trace(arguments);
        return {std::move(tracer), begin_ns, boot_now_ns()};
    }

    static std::vector<TraceEvent> of_port(const Tracer &tracer, std::uint16_t port)
    {
        std::vector<TraceEvent> some;
        std::copy_if(
            tracer.events().begin(), tracer.events().end(), std::back_inserter(some),
            [port](const TraceEvent &e) { return !e.is_null("local_port") && e.number("local_port") == port; });
        return some;
    }

    static void expect_owner(const TraceEvent &event, const Actor &owner, const char *source)
    {
        EXPECT_EQ(event.text("comm") + "[" + std::to_string(event.number("pid")) + "] by " + event.text("owner"),
                  owner.name() + "[" + std::to_string(owner.pid()) + "] by " + source);
    }

    // An age is the time between the kernel's own stamp of a step and some moment of the start.
    static void expect_age(const TraceEvent &event, const char *key, const Step &since, const Start &start)
    {
        ASSERT_FALSE(event.is_null(key)) << event.json();
        const std::uint64_t age_ns = event.number(key) * 1000;
        EXPECT_GE(age_ns + jiffies_ns, start.begin_ns - since.end_ns) << event.json();
        EXPECT_LE(age_ns, start.end_ns - since.begin_ns + jiffies_ns) << event.json();
    }
};

TEST_F(Found, HaveTheirTupleOwnerAndAge)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    Start start = this->start();
    ASSERT_TRUE(start.tracer.wait_for_events(3));
    const Step client_close = client.close(c.client);
    server.receive(c.child);
    server.close(c.child);
    server.close(listener);
    ASSERT_TRUE(start.tracer.wait_for_events(10));
    EXPECT_EQ(start.tracer.stop().status, exited(0));

    const auto groups = by_connection(start.tracer.events());
    ASSERT_EQ(groups.size(), 3U);
    for (const std::vector<TraceEvent> &events : groups) {
        SCOPED_TRACE(events.front().json().dump());
        const TraceEvent &first = events.front();
        ASSERT_TRUE(first.is("found"));
        EXPECT_EQ(first.number("uid"), 0U);
        EXPECT_FALSE(first.is_null("inode"));
        EXPECT_EQ(first.text("timer"), "none");
        EXPECT_EQ(first.json().at("incomplete"), false);
        EXPECT_EQ(first.number("local_port"), events.back().number("local_port"));
        if (first.text("state") == "LISTEN") {
            expect_owner(first, server, "snapshot");
            EXPECT_EQ(first.number("local_port"), listener.local.port());
            ASSERT_EQ(events.size(), 2U);
            EXPECT_TRUE(events[1].is_change("LISTEN", "CLOSE"));
            EXPECT_TRUE(events[1].is_null("duration_us")) << "the kernel does not know since when it listens";
            EXPECT_GE((events[1].number("at_least_us") + 1) * 1000, events[1].wall_ns() - first.wall_ns());
            continue;
        }
        const bool is_client = first.number("local_port") == c.client.local.port();
        expect_owner(first, is_client ? client : server, "snapshot");
        EXPECT_EQ(first.text("state"), "ESTABLISHED");
        expect_age(first, "in_state_us", c.client.step, start);
        expect_age(first, "established_us", c.client.step, start);
        ASSERT_EQ(events.size(), is_client ? 4U : 4U);
        EXPECT_EQ(events[1].text("old_state"), "ESTABLISHED");
        EXPECT_TRUE(events[1].is_null("at_least_us"));
        const std::uint64_t lasted_ns = events[1].number("duration_us") * 1000;
        EXPECT_GE(lasted_ns + jiffies_ns, client_close.begin_ns - c.client.step.end_ns);
        EXPECT_LE(lasted_ns, client_close.end_ns - c.client.step.begin_ns + jiffies_ns);
        for (const TraceEvent &event : events) {
            expect_owner(event, is_client ? client : server, "snapshot");
            EXPECT_EQ(event.number("remote_port"), (is_client ? c.client : c.child).remote.port());
        }
        EXPECT_TRUE(events.back().text("new_state") == "CLOSE" || events.back().json().at("time_wait_socket") == true);
    }
}

// They are not events: without --found nothing is shown until something happens.
TEST_F(Found, AreNotShownUnlessAskedFor)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    Tracer tracer = trace();
    client.close(c.client);
    server.receive(c.child);
    server.close(c.child);
    ASSERT_TRUE(tracer.wait_for_events(6));
    const Totals totals = tracer.stop();
    EXPECT_EQ(tracer.events().size(), 6U);
    EXPECT_EQ(
        std::count_if(tracer.events().begin(), tracer.events().end(), [](const auto &e) { return e.is("found"); }), 0);
}

// What a server's listener began before tcpflight did goes on: its new connections are the server's.
TEST_F(Found, ListenersHandTheirOwnerDown)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor worker = server.fork("worker"); // has it open too, but began later
    Tracer tracer = trace({"--pid", std::to_string(server.pid())});
    connect(client, worker, listener);
    ASSERT_TRUE(tracer.wait_until([&] { return !tracer.events().empty() && tracer.events().back().is("accept"); }));
    EXPECT_EQ(tracer.stop().status, exited(0));
    std::vector<TraceEvent> events = tracer.events();
    std::erase_if(events, [](const TraceEvent &event) { return event.is("handshake"); }); // where SYNs are seen
    ASSERT_EQ(events.size(), 3U) << "not the client's";
    EXPECT_TRUE(events[0].is_change("LISTEN", "SYN_RECV"));
    expect_owner(events[0], server, "inherited");
    expect_owner(events[1], server, "inherited");
    EXPECT_TRUE(events[2].is("accept"));
    expect_owner(events[2], worker, "accept");
}

// Also where no process of this namespace, and no other event, would tell whose they are.
TEST_F(Found, OwnersAnswerTheFilter)
{
    Actor server("server");
    Actor client("client");
    Actor other("other");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const Connection not_wanted = connect(other, server, listener);
    Tracer tracer = trace({"--comm", "client", "--found"});
    server.close(not_wanted.child);
    server.close(c.child);
    ASSERT_TRUE(tracer.wait_for_events(2));
    EXPECT_EQ(tracer.stop().status, exited(0));
    ASSERT_EQ(tracer.events().size(), 2U);
    EXPECT_TRUE(tracer.events()[0].is("found"));
    EXPECT_TRUE(tracer.events()[1].is_change("ESTABLISHED", "CLOSE_WAIT"));
    for (const TraceEvent &event : tracer.events())
        expect_owner(event, client, "snapshot");
}

TEST_F(Found, InOtherNamespaces)
{
    Actor server("server");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const std::uint32_t theirs = netns();
    ASSERT_NE(enter_new_netns(), theirs);
    Tracer tracer(theirs, {"--found"});
    ASSERT_TRUE(tracer.wait_for_events(1));
    EXPECT_EQ(tracer.stop().status, exited(0));
    ASSERT_EQ(tracer.events().size(), 1U);
    EXPECT_EQ(tracer.events()[0].text("state"), "LISTEN");
    EXPECT_EQ(tracer.events()[0].number("local_port"), listener.local.port());
    expect_owner(tracer.events()[0], server, "snapshot");
}

TEST_F(Found, InEveryStateWithTimersAndQueues)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection waiting = connect(client, server, listener); // TIME_WAIT
    const Step waits_since = client.close(waiting.client);
    server.receive(waiting.child);
    server.close(waiting.child);
    const Connection half = connect(client, server, listener); // FIN_WAIT2, CLOSE_WAIT
    client.shut_down_writing(half.client);
    server.receive(half.child);
    const Connection full = connect(client, server, listener); // not read
    client.send(full.client, 1000);
    const Connection lossy = connect(client, server, listener); // not acknowledged
    ActorSocket connecting = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp dport " + std::to_string(lossy.child.local.port()) + " tcp sport " +
                    std::to_string(lossy.client.local.port()));
    client.send(lossy.client, 100);
    while (drop.dropped() < 4) // the next one is so late that it does not come before the look
        usleep(1000);
    PacketDrop unanswered("tcp dport 9");
    const std::uint64_t connect_ns = boot_now_ns();
    client.begin_connect(connecting, SocketAddress::v4("127.0.0.1", 9));
    while (unanswered.dropped() == 0)
        usleep(1000);
    Start start = this->start();
    ASSERT_TRUE(start.tracer.wait_for_events(9));
    EXPECT_EQ(start.tracer.stop().status, exited(0));

    const auto only = [&](const ActorSocket &socket) {
        for (const TraceEvent &event : start.tracer.events()) {
            if (event.is("found") && !event.is_null("remote_port") &&
                event.number("local_port") == socket.local.port() &&
                event.number("remote_port") == socket.remote.port())
                return event;
        }
        ADD_FAILURE() << "not found: " << socket.local.port() << " > " << socket.remote.port();
        return start.tracer.events().front();
    };
    const TraceEvent tw = only(waiting.client);
    EXPECT_EQ(tw.text("state"), "TIME_WAIT");
    EXPECT_EQ(tw.json().at("time_wait_socket"), true);
    EXPECT_TRUE(tw.is_null("pid"));
    EXPECT_EQ(tw.text("timer"), "timewait");
    EXPECT_NEAR(static_cast<double>(tw.number("timer_left_us") + tw.number("in_state_us")), 60e6, 1);
    expect_age(tw, "in_state_us", waits_since, start);

    EXPECT_EQ(only(half.client).text("state"), "FIN_WAIT2");
    EXPECT_EQ(only(half.client).json().at("shut_write"), true);
    EXPECT_TRUE(only(half.client).is_null("in_state_us"));
    expect_age(only(half.client), "established_us", half.client.step, start);
    EXPECT_EQ(only(half.child).text("state"), "CLOSE_WAIT");
    EXPECT_EQ(only(half.child).json().at("shut_read"), true);

    EXPECT_EQ(only(full.child).number("recv_queue"), 1000U);
    EXPECT_EQ(only(full.client).number("send_queue"), 0U);
    expect_age(only(full.client), "established_us", full.client.step, start); // nothing came back

    EXPECT_EQ(only(lossy.client).number("send_queue"), 100U);
    EXPECT_EQ(only(lossy.client).text("timer"), "retransmit");

    connecting.remote = SocketAddress::v4("127.0.0.1", 9);
    const TraceEvent syn = only(connecting);
    EXPECT_EQ(syn.text("state"), "SYN_SENT");
    EXPECT_EQ(syn.text("timer"), "retransmit");
    EXPECT_LE(syn.number("timer_left_us"), 1'000'000U);
    Step connect_step;
    connect_step.begin_ns = connect_ns;
    connect_step.end_ns = start.begin_ns;
    expect_age(syn, "in_state_us", connect_step, start);
}

// A handshake that is not over is found as what it is.
TEST_F(Found, HalfOpenRequests)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    ActorSocket connecting = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port())); // SYN-ACKs
    client.begin_connect(connecting, listener.local);
    while (drop.dropped() == 0)
        usleep(1000);
    Start start = this->start();
    ASSERT_TRUE(start.tracer.wait_for_events(3));
    EXPECT_EQ(start.tracer.stop().status, exited(0));
    std::optional<TraceEvent> request;
    for (const TraceEvent &event : of_port(start.tracer, listener.local.port())) {
        if (event.is("found") && event.text("state") == "NEW_SYN_RECV")
            request = event;
    }
    ASSERT_TRUE(request);
    EXPECT_EQ(request->number("remote_port"), connecting.local.port());
    EXPECT_EQ(request->text("timer"), "retransmit");
    EXPECT_FALSE(request->is_null("in_state_us"));
}

// The legal successors of a state as the tracer tells them, and nothing in between left out or told twice: each
// connection is found at most once, and begins with that or with its first event.
void expect_whole(const std::vector<TraceEvent> &events)
{
    if (events.front().is_null("conn"))
        return; // a reset that belongs to none
    SCOPED_TRACE(events.front().json().dump());
    std::string state;
    for (std::size_t i = 0; i < events.size(); i++) {
        const TraceEvent &event = events[i];
        if (event.is("found")) {
            EXPECT_EQ(i, 0U) << "found after its first event: " << event.json();
            // The child that a handshake becomes leaves LISTEN.
            state = event.text("state") == "NEW_SYN_RECV" ? "LISTEN" : event.text("state");
        } else if (event.is("state")) {
            if (state == "CLOSE" && event.json().at("time_wait_socket") == true)
                continue; // what took its place went on
            EXPECT_TRUE(state.empty() || state == event.text("old_state"))
                << "was in " << state << ": " << event.json();
            state = event.json().at("time_wait_socket") == true ? "CLOSE" : event.text("new_state");
        }
    }
    EXPECT_EQ(state, "CLOSE") << "stayed: " << events.back().json();
}

// Attach first, look second: what happens in between is neither lost nor doubled, however much there is of it. One pair
// of processes makes connections all the time, another one closes old ones.
TEST_F(Found, MeetTheEventsWithoutGapOrOverlap)
{
    Actor server("server");
    Actor client("client");
    Actor old_server("old-server");
    Actor old_client("old-client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket old_listener = old_server.listen(SocketAddress::v4("127.0.0.1"));
    std::size_t found_first = 0;
    std::size_t event_first = 0;
    for (int round = 0; round < 3; round++) {
        constexpr std::size_t churned = 4000;
        std::vector<Connection> old(400);
        for (Connection &connection : old)
            connection = connect(old_client, old_server, old_listener);
        server.begin_serve(listener, churned);
        client.begin_churn(listener.local, churned);
        std::atomic<bool> listening{false};
        std::thread closing([&] {
            for (std::size_t i = 0; i < old.size(); i++) {
                old_client.close(old[i].client);
                old_server.close(old[i].child);
                // Spread over the whole start: dense where it takes a tenth of a second, and still at it after eight.
                if (!listening)
                    usleep(static_cast<useconds_t>(4000 + 100 * i));
            }
        });
        Tracer tracer = trace({"--found"});
        listening = true;
        closing.join();
        client.finish();
        server.finish();
        ASSERT_TRUE(wait_until_settled());
        EXPECT_EQ(tracer.stop().lost, 0U);
        for (const std::vector<TraceEvent> &events : by_connection(tracer.events())) {
            const TraceEvent &first = events.front();
            if (first.is("reset")) // of no connection
                continue;
            if (first.is("found") && (first.text("state") == "LISTEN" || first.json().at("time_wait_socket") == true))
                continue;
            expect_whole(events);
            found_first += first.is("found") ? 1U : 0U;
            event_first += first.is_change("ESTABLISHED", "FIN_WAIT1") ? 1U : 0U;
        }
    }
    EXPECT_GT(found_first, 0U);
    EXPECT_GT(event_first, 0U) << "no event came between attaching and looking: nothing was tried";
}

// Who looks at sockets locks them, and packets are worked off under that lock. By its name it is known not to own any.
TEST_F(Found, AreNotOwnedByWhoLooksAtThem)
{
    Actor looker(TF_LOOKER_NAME);
    Actor other("tcpflight-loo");
    Tracer tracer = trace();
    looker.connect(SocketAddress::v4("127.0.0.1", 1));
    other.connect(SocketAddress::v4("127.0.0.1", 1));
    ASSERT_TRUE(tracer.wait_until([&] {
        return std::count_if(tracer.events().begin(), tracer.events().end(),
                             [](const TraceEvent &e) { return e.is_change("SYN_SENT", "CLOSE"); }) == 2;
    }));
    EXPECT_EQ(tracer.stop().status, exited(0));
    std::size_t unknown = 0;
    for (const TraceEvent &event : tracer.events()) {
        if (event.is("state") && event.text("owner") == "unknown")
            unknown++;
        else if (event.is("state"))
            expect_owner(event, other, "connect");
    }
    EXPECT_EQ(unknown, 2U);
}

} // namespace
} // namespace tcpflight::test

// Before the socket: SYN-ACKs that are sent again, handshakes of which nothing comes, and queues that are full.
#include "live/live_test.h"
#include "live/precision.h"

#include <algorithm>
#include <optional>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t second_us = 1'000'000;

std::string syn_acks_from(const ActorSocket &listener)
{
    return "tcp sport " + std::to_string(listener.local.port()) + " tcp flags & (syn | ack) == syn | ack";
}

bool is_step(const TraceEvent &event, const char *step)
{
    return event.is("handshake") && event.text("step") == step;
}

std::size_t count_steps(const Tracer &tracer, const char *step)
{
    return static_cast<std::size_t>(std::count_if(tracer.events().begin(), tracer.events().end(),
                                                  [&](const TraceEvent &event) { return is_step(event, step); }));
}

// The events of the socket that the listener has for this client, or is about to have.
std::vector<TraceEvent> events_for(const Tracer &tracer, const ActorSocket &listener, const ActorSocket &client)
{
    std::vector<TraceEvent> events;
    for (const TraceEvent &event : tracer.events()) {
        if (event.is_null("remote_port") || event.is_null("local_port"))
            continue;
        if (event.number("local_port") == listener.local.port() && event.number("remote_port") == client.local.port())
            events.push_back(event);
    }
    return events;
}

std::vector<TraceEvent> events_of_kind(const Tracer &tracer, const char *kind)
{
    std::vector<TraceEvent> events;
    std::copy_if(tracer.events().begin(), tracer.events().end(), std::back_inserter(events),
                 [&](const TraceEvent &event) { return event.is(kind); });
    return events;
}

class Handshake : public LiveTest {
protected:
    static void expect_owner(const TraceEvent &event, const Actor &owner, const char *source)
    {
        EXPECT_EQ(event.text("comm"), owner.name()) << event.json();
        EXPECT_EQ(event.number("pid"), static_cast<std::uint64_t>(owner.pid())) << event.json();
        EXPECT_EQ(event.text("owner"), source) << event.json();
    }

    // Of a child that was accepted: everything before it belongs to the same socket, and says how long it took.
    static void expect_whole(const std::vector<TraceEvent> &events, const Actor &server, std::size_t syn_acks)
    {
        std::vector<TraceEvent> rest = events;
        if (!rest.empty() && is_step(rest.front(), "syn_received"))
            rest.erase(rest.begin());
        ASSERT_EQ(rest.size(), syn_acks + 3) << "SYN-ACKs, SYN_RECV, ESTABLISHED, accepted";
        for (std::size_t i = 0; i < syn_acks; i++) {
            EXPECT_TRUE(is_step(rest[i], "syn_ack_retransmit")) << rest[i].json();
            EXPECT_EQ(rest[i].number("attempt"), i + 1);
            EXPECT_EQ(rest[i].json().at("acknowledged"), false);
            EXPECT_GE(rest[i].number("since_syn_us"), second_us / 2);
            EXPECT_GE(rest[i].number("rto_us"), second_us);
            EXPECT_GE(rest[i].number("gives_up_us"), rest[i].number("rto_us"));
            EXPECT_TRUE(rest[i].is_null("reason"));
        }
        EXPECT_TRUE(rest[syn_acks].is_change("LISTEN", "SYN_RECV")) << rest[syn_acks].json();
        EXPECT_TRUE(rest[syn_acks].is_null("syn_queue_us"));
        EXPECT_TRUE(rest[syn_acks + 1].is_change("SYN_RECV", "ESTABLISHED")) << rest[syn_acks + 1].json();
        EXPECT_TRUE(rest[syn_acks + 2].is("accept"));
        for (const TraceEvent &event : events) {
            EXPECT_EQ(event.number("conn"), events.front().number("conn")) << event.json();
            EXPECT_EQ(event.json().at("incomplete"), false) << event.json();
            if (!event.is("accept"))
                expect_owner(event, server, "inherited");
        }
    }
};

TEST_F(Handshake, TellsItsTimeInTheSynQueue)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    std::vector<Connection> connections;
    for (int i = 0; i < 5; i++)
        connections.push_back(connect(client, server, listener));
    ASSERT_TRUE(tracer.wait_until([&] { return events_of_kind(tracer, "accept").size() == connections.size(); }));
    tracer.stop();

    std::size_t known = 0;
    for (const Connection &c : connections) {
        const std::vector<TraceEvent> events = events_for(tracer, listener, c.client);
        expect_whole(events, server, 0);
        const auto open = std::find_if(events.begin(), events.end(), [](const TraceEvent &event) {
            return event.is_change("SYN_RECV", "ESTABLISHED");
        });
        ASSERT_NE(open, events.end());
        if (open->is_null("syn_queue_us"))
            continue;
        known++;
        const Step &step = c.client.step;
        EXPECT_LE(open->number("syn_queue_us"), (step.end_ns - step.begin_ns) / 1000 + 1000) << open->json();
    }
    // One in a thousand looks as if it came from time stamps, and is not told.
    EXPECT_GE(known, connections.size() - 1);
}

TEST_F(Handshake, IsJoinedToItsChild)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    ActorSocket socket = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop(syn_acks_from(listener));
    client.begin_connect(socket, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "syn_ack_retransmit") >= 2; }));
    drop.lift();
    EXPECT_EQ(client.finish().error, 0);
    server.accept(listener);
    ASSERT_TRUE(tracer.wait_until([&] { return events_of_kind(tracer, "accept").size() == 1; }));
    tracer.stop();

    const std::vector<TraceEvent> events = events_for(tracer, listener, socket);
    const std::size_t syn_acks = count_steps(tracer, "syn_ack_retransmit");
    ASSERT_GE(syn_acks, 2U);
    expect_whole(events, server, syn_acks);
    const TraceEvent &open = events[events.size() - 2];
    // From the first SYN-ACK, or just before, until the birth.
    const TraceEvent &birth = events[events.size() - 3];
    const TraceEvent &last = events[events.size() - 4];
    const std::uint64_t waited = last.number("since_syn_us") + (birth.wall_ns() - last.wall_ns()) / 1000;
    EXPECT_NEAR(static_cast<double>(open.number("syn_queue_us")), static_cast<double>(waited), 2);
    EXPECT_GE(waited, second_us);
}

TEST_F(Handshake, ThatIsNeverCompletedHasAnEnd)
{
    set_sysctl("ipv4/tcp_synack_retries", "1");
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    ActorSocket socket = client.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop(syn_acks_from(listener));
    client.begin_connect(socket, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "syn_ack_retransmit") >= 1; }));
    // No more SYNs: each one would keep the handshake alive.
    PacketDrop silence("tcp dport " + std::to_string(listener.local.port()));
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "not_completed") == 1; }));
    client.kill();
    tracer.stop();

    const std::vector<TraceEvent> events = events_for(tracer, listener, socket);
    ASSERT_GE(events.size(), 2U);
    const TraceEvent &over = events.back();
    ASSERT_TRUE(is_step(over, "not_completed")) << over.json();
    EXPECT_EQ(over.number("attempt"), count_steps(tracer, "syn_ack_retransmit"));
    EXPECT_EQ(over.json().at("acknowledged"), false);
    // 1 s and 2 s; timers are late, and where only a look tells of the end, that is later still.
    EXPECT_GE(over.number("since_syn_us"), 2 * second_us);
    EXPECT_LE(over.number("since_syn_us"), 20 * second_us);
    EXPECT_TRUE(over.text("reason") == "unknown" || over.text("reason") == "timed_out") << over.json();
    for (const TraceEvent &event : events) {
        EXPECT_TRUE(event.is("handshake")) << "no socket came of it: " << event.json();
        EXPECT_EQ(event.number("conn"), over.number("conn"));
        expect_owner(event, server, "inherited");
    }
}

TEST_F(Handshake, IsFilteredLikeItsConnection)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket other = server.listen(SocketAddress::v4("127.0.0.1"));
    Tracer tracer = trace({"--port", std::to_string(listener.local.port())});
    Actor second("second");
    ActorSocket socket = client.bind(SocketAddress::v4("127.0.0.1"));
    ActorSocket unwanted = second.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop(syn_acks_from(listener));
    PacketDrop drop_others(syn_acks_from(other));
    second.begin_connect(unwanted, other.local);
    client.begin_connect(socket, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "syn_ack_retransmit") >= 2; }));
    client.kill();
    second.kill();
    tracer.stop();
    EXPECT_TRUE(events_for(tracer, other, unwanted).empty());
    EXPECT_GE(events_for(tracer, listener, socket).size(), 2U);
}

// Both queues are as long as the shorter of listen(2)'s and this.
class FullQueue : public Handshake {
protected:
    void SetUp() override
    {
        Handshake::SetUp();
        if (!IsSkipped())
            set_sysctl("core/somaxconn", "1");
    }

    // A kprobe looks before the kernel has decided on the SYN, and at accepts nothing looks then.
    static bool looks_too_early(const Tracer &tracer)
    {
        if (tracer.listening_line().find("kprobe") == std::string::npos)
            return false;
        less_precise("not what the last SYN came to");
        return true;
    }

    static std::optional<TraceEvent> queue_event(const Tracer &tracer)
    {
        auto events = events_of_kind(tracer, "listen_queue");
        return events.empty() ? std::nullopt : std::optional(events.front());
    }
};

// A limit of 1 admits two, in the SYN queue on newer kernels only.
TEST_F(FullQueue, OfConnectionsToAccept)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    Actor third("third");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    EXPECT_EQ(client.connect(listener.local).step.error, 0);
    EXPECT_EQ(client.connect(listener.local).step.error, 0);
    ActorSocket late = third.bind(SocketAddress::v4("127.0.0.1"));
    third.begin_connect(late, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return !events_of_kind(tracer, "retransmit").empty(); }));
    for (int i = 0; i < 3; i++)
        EXPECT_GE(server.accept(listener).fd, 0);
    EXPECT_EQ(third.finish().error, 0);
    ASSERT_TRUE(tracer.wait_until([&] { return events_of_kind(tracer, "accept").size() == 3; }));
    tracer.stop();

    std::uint64_t dropped = 0;
    for (const TraceEvent &event : events_of_kind(tracer, "listen_queue")) {
        EXPECT_EQ(event.number("accept_queue"), 2U) << event.json();
        EXPECT_EQ(event.number("limit"), 1U);
        EXPECT_EQ(event.number("syn_queue"), 0U);
        EXPECT_EQ(event.json().at("syn_cookies"), false);
        EXPECT_EQ(event.number("local_port"), listener.local.port());
        EXPECT_TRUE(event.is_null("remote_port"));
        expect_owner(event, server, "listen");
        dropped += event.number("dropped");
        EXPECT_EQ(event.number("dropped_in_all"), dropped);
    }
    // The SYN, and each time that it was sent again while nobody accepted.
    EXPECT_GE(dropped, looks_too_early(tracer) ? 1U : 2U);
    EXPECT_LE(dropped, 1 + events_of_kind(tracer, "retransmit").size());
}

TEST_F(FullQueue, OfHandshakes)
{
    set_sysctl("ipv4/tcp_syncookies", "0");
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    Actor second("second");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor third("third");
    ActorSocket one = client.bind(SocketAddress::v4("127.0.0.1"));
    ActorSocket two = second.bind(SocketAddress::v4("127.0.0.1"));
    ActorSocket three = third.bind(SocketAddress::v4("127.0.0.1"));
    const auto to = [&](const ActorSocket &socket) {
        return syn_acks_from(listener) + " tcp dport " + std::to_string(socket.local.port());
    };
    PacketDrop drop_one(to(one));
    PacketDrop drop_two(to(two));
    PacketDrop drop_three(to(three));
    client.begin_connect(one, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "syn_ack_retransmit") >= 1; }));
    second.begin_connect(two, listener.local);
    // Two SYNs at once find room where there is for one: the kernel asks before it adds to the queue. Where a limit of
    // 1 admits one, the second has none already.
    const auto is_full = [&] { return queue_event(tracer).has_value(); };
    while (drop_two.dropped() == 0 && !tracer.wait_until(is_full, std::chrono::milliseconds(10))) {
    }
    third.begin_connect(three, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return queue_event(tracer).has_value(); }));
    client.kill();
    second.kill();
    third.kill();
    tracer.stop();

    // The last one had no room.
    EXPECT_TRUE(events_for(tracer, listener, three).empty());
    const TraceEvent event = *queue_event(tracer);
    EXPECT_EQ(event.number("accept_queue"), 0U) << event.json();
    EXPECT_GE(event.number("syn_queue"), 1U);
    EXPECT_LE(event.number("syn_queue"), 2U);
    EXPECT_EQ(event.number("limit"), 1U);
    EXPECT_GE(event.number("dropped"), 1U);
    EXPECT_EQ(event.json().at("syn_cookies"), false);
    expect_owner(event, server, "listen");
}

TEST_F(FullQueue, AnsweredWithSynCookies)
{
    set_sysctl("ipv4/tcp_syncookies", "1");
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    Actor second("second");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor third("third");
    ActorSocket one = client.bind(SocketAddress::v4("127.0.0.1"));
    ActorSocket two = second.bind(SocketAddress::v4("127.0.0.1"));
    ActorSocket three = third.bind(SocketAddress::v4("127.0.0.1"));
    PacketDrop drop(syn_acks_from(listener) + " tcp dport " + std::to_string(one.local.port()));
    PacketDrop drop_two(syn_acks_from(listener) + " tcp dport " + std::to_string(two.local.port()));
    client.begin_connect(one, listener.local);
    second.begin_connect(two, listener.local);
    ASSERT_TRUE(tracer.wait_until([&] { return count_steps(tracer, "syn_ack_retransmit") >= 1; }));
    third.begin_connect(three, listener.local);
    EXPECT_EQ(third.finish().error, 0);
    EXPECT_GE(server.accept(listener).fd, 0);
    auto cookies = [&] {
        auto events = events_of_kind(tracer, "listen_queue");
        return std::any_of(events.begin(), events.end(),
                           [](const TraceEvent &event) { return event.json().at("syn_cookies") == true; });
    };
    const bool untold = looks_too_early(tracer);
    ASSERT_TRUE(tracer.wait_until([&] { return (untold || cookies()) && !events_of_kind(tracer, "accept").empty(); }));
    client.kill();
    second.kill();
    tracer.stop();

    // Its handshake was in no queue.
    for (const TraceEvent &event : events_for(tracer, listener, three)) {
        EXPECT_FALSE(event.is("handshake")) << event.json();
        EXPECT_TRUE(!event.is("state") || event.is_null("syn_queue_us")) << event.json();
    }
}

} // namespace
} // namespace tcpflight::test

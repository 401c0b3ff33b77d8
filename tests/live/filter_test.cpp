// What is shown of a mix of connections, and that the rest is counted.
#include "live/live_test.h"
#include "live/precision.h"

#include <functional>
#include <map>
#include <ostream>

namespace tcpflight::test {
namespace {

constexpr std::uint16_t web = 7001;
constexpr std::uint16_t mail = 7002;
constexpr std::uint16_t nobody = 7003;

// A socket of the mix, and how many events it has.
struct Known {
    std::string family;
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0; // 0: a listener
    std::string owner;
    std::size_t events = 0;
    std::size_t more = 0; // where programs can hang on functions

    [[nodiscard]] bool is_stray() const { return owner.empty(); } // an answer to a segment of no connection
    [[nodiscard]] std::string key() const
    {
        return family + " " + std::to_string(local_port) + " > " + std::to_string(remote_port);
    }
};

// What it depends on is known only once the processes are there.
struct Mix {
    Actor server{"mix-server"};
    Actor first{"mix-first"};
    Actor second{"mix-second"};
    std::vector<Known> sockets;

    void serve(const SocketAddress &address, Actor &client);
    void refuse(Actor &client);
    void play();
};

// A listener, a connection that its client ends, and the listener's end.
void Mix::serve(const SocketAddress &address, Actor &client)
{
    const ActorSocket listener = server.listen(address);
    const Connection c = connect(client, server, listener);
    close_in_order(client, c.client, server, c.child);
    server.close(listener);
    const std::string family = address.family();
    sockets.push_back({family, address.port(), 0, server.name(), 2});
    sockets.push_back({family, c.client.local.port(), address.port(), client.name(), 5});
    sockets.push_back({family, address.port(), c.client.local.port(), server.name(), 6, 1}); // the SYN
}

void Mix::refuse(Actor &client)
{
    ActorSocket socket = client.bind(SocketAddress::v4("127.0.0.1"));
    const std::uint16_t port = socket.local.port();
    client.connect(socket, SocketAddress::v4("127.0.0.1", nobody));
    EXPECT_EQ(socket.step.error, ECONNREFUSED);
    sockets.push_back({"ipv4", port, nobody, client.name(), 3});
    sockets.push_back({"ipv4", nobody, port, "", 1}); // the RST
}

void Mix::play()
{
    serve(SocketAddress::v4("127.0.0.1", web), first);
    serve(SocketAddress::v4("127.0.0.1", mail), second);
    serve(SocketAddress::v6("::1", web), second);
    refuse(first);
}

struct FilterCase {
    const char *name;
    std::function<std::vector<std::string>(const Mix &)> arguments;
    std::function<bool(const Known &)> wanted;
    const char *described; // as the listening line has it, if that is the same every time
};

void PrintTo(const FilterCase &filter, std::ostream *out)
{
    *out << filter.name;
}

bool has_port(const Known &socket, std::uint16_t from, std::uint16_t to)
{
    const auto within = [&](std::uint16_t port) { return port >= from && port <= to; };
    return within(socket.local_port) || within(socket.remote_port);
}

std::function<std::vector<std::string>(const Mix &)> fixed(std::vector<std::string> arguments)
{
    return [arguments = std::move(arguments)](const Mix &) { return arguments; };
}

std::string pid(const Actor &actor)
{
    return std::to_string(actor.pid());
}

class Filtered : public LiveTest, public testing::WithParamInterface<FilterCase> {};

TEST_P(Filtered, ShowsTheseAndNoOthers)
{
    Mix mix;
    Tracer tracer = trace(GetParam().arguments(mix));
    if (GetParam().described) {
        EXPECT_NE(tracer.listening_line().find(std::string("filter: ") + GetParam().described + ","), std::string::npos)
            << tracer.listening_line();
    }
    mix.play();
    // The last ACK of a connection may still be on its way when close(2) has returned.
    ASSERT_TRUE(wait_until_settled());

    std::map<std::string, std::size_t> expected;
    std::size_t shown = 0;
    std::size_t hidden = 0;
    const bool on_functions = tracer.listening_line().find("fentry") != std::string::npos;
    for (const Known &socket : mix.sockets) {
        if (socket.is_stray() && lacks_strays())
            continue;
        const std::size_t events = socket.events + (on_functions ? socket.more : 0);
        if (GetParam().wanted(socket)) {
            expected[socket.key()] += events;
            shown += events;
        } else {
            hidden += events;
        }
    }
    ASSERT_GT(shown, 0U);
    ASSERT_GT(hidden, 0U);
    tracer.wait_for_events(shown);
    const Totals totals = tracer.stop();

    std::map<std::string, std::size_t> actual;
    for (const TraceEvent &event : tracer.events()) {
        const Known socket{event.text("family"),
                           static_cast<std::uint16_t>(event.number("local_port")),
                           event.is_null("remote_port") ? std::uint16_t{0}
                                                        : static_cast<std::uint16_t>(event.number("remote_port")),
                           event.is_null("comm") ? "" : event.text("comm"),
                           0,
                           0};
        EXPECT_TRUE(GetParam().wanted(socket)) << event.json().dump();
        ++actual[socket.key()];
    }
    EXPECT_EQ(actual, expected);
    EXPECT_EQ(totals.lost, 0U);
    // The rest of the host is counted too.
    EXPECT_GE(totals.shown, shown);
    EXPECT_GE(totals.filtered_out, hidden);
}

INSTANTIATE_TEST_SUITE_P(
    Live, Filtered,
    testing::Values(
        FilterCase{"Port", fixed({"--port", "7001"}), [](const Known &s) { return has_port(s, web, web); },
                   "port 7001"},
        FilterCase{"Ports", fixed({"--port", "7003,7001"}),
                   [](const Known &s) { return has_port(s, web, web) || has_port(s, nobody, nobody); }, nullptr},
        FilterCase{"PortRange", fixed({"--port", "7002-7003"}),
                   [](const Known &s) { return has_port(s, mail, nobody); }, "portrange 7002-7003"},
        FilterCase{"LocalPort", fixed({"--local-port", "7001"}), [](const Known &s) { return s.local_port == web; },
                   "local port 7001"},
        FilterCase{"RemotePort", fixed({"--remote-port", "7001,7003"}),
                   [](const Known &s) { return s.remote_port == web || s.remote_port == nobody; }, nullptr},
        FilterCase{"Pid",
                   [](const Mix &mix) {
                       return std::vector<std::string>{"--pid", pid(mix.first)};
                   },
                   [](const Known &s) { return s.owner == "mix-first"; }, nullptr},
        FilterCase{"Pids",
                   [](const Mix &mix) {
                       return std::vector<std::string>{"--pid", pid(mix.first) + "," + pid(mix.server)};
                   },
                   [](const Known &s) { return s.owner == "mix-first" || s.owner == "mix-server"; }, nullptr},
        FilterCase{"Comm", fixed({"--comm", "mix-second"}), [](const Known &s) { return s.owner == "mix-second"; },
                   "comm mix-second"},
        // Compared whole: "mix-f" would be a part of the name.
        FilterCase{"Comms", fixed({"--comm", "mix-f", "--comm", "mix-server"}),
                   [](const Known &s) { return s.owner == "mix-server"; }, nullptr},
        FilterCase{"IPv4", fixed({"-4"}), [](const Known &s) { return s.family == "ipv4"; }, "ip"},
        FilterCase{"IPv6", fixed({"-6"}), [](const Known &s) { return s.family == "ipv6"; }, "ip6"},
        FilterCase{"PortAndFamily", fixed({"--port", "7001", "-6"}),
                   [](const Known &s) { return s.family == "ipv6" && has_port(s, web, web); }, nullptr},
        FilterCase{
            "Expression", fixed({"port", "7001", "or", "7003", "and", "not", "ip6"}),
            [](const Known &s) { return s.family == "ipv4" && (has_port(s, web, web) || has_port(s, nobody, nobody)); },
            "(port 7001 or 7003) and not ip6"},
        FilterCase{"Net", fixed({"dst net 127.0.0.0/8 and not dst port 7002"}),
                   [](const Known &s) { return s.family == "ipv4" && s.remote_port != 0 && s.remote_port != mail; },
                   "remote net 127.0.0.0/8 and not remote port 7002"},
        FilterCase{"Glob", fixed({"comm mix-[fs]* and not comm *server"}),
                   [](const Known &s) { return s.owner == "mix-first" || s.owner == "mix-second"; }, nullptr},
        FilterCase{"Outgoing", fixed({"outgoing"}),
                   [](const Known &s) { return s.owner == "mix-first" || s.owner == "mix-second"; }, "outgoing"},
        FilterCase{"Incoming", fixed({"incoming and port 7001"}),
                   [](const Known &s) { return s.local_port == web && s.remote_port != 0; }, nullptr},
        FilterCase{"NotPid",
                   [](const Mix &mix) {
                       return std::vector<std::string>{"not", "pid", pid(mix.first), "and",
                                                       "not", "pid", pid(mix.server)};
                   },
                   [](const Known &s) { return s.owner == "mix-second" || s.owner.empty(); }, nullptr},
        FilterCase{"PidAndPort",
                   [](const Mix &mix) {
                       return std::vector<std::string>{"--pid", pid(mix.second), "--remote-port", "7002"};
                   },
                   [](const Known &s) { return s.owner == "mix-second" && s.remote_port == mail; }, nullptr}),
    [](const testing::TestParamInfo<FilterCase> &test) { return test.param.name; });

class Filter : public LiveTest {};

// A recording of `count` connections, of which nothing is wanted; nobody looks at the sockets. Removed with it.
class UnwantedChurn {
public:
    static constexpr std::size_t count = 200;

    explicit UnwantedChurn(const std::string &expression)
    {
        Process tracer = start_tcpflight({"-w", path_, "--sweep", "0", expression});
        Actor server("server");
        Actor client("client");
        const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
        server.begin_serve(listener, count);
        client.begin_churn(listener.local, count);
        client.finish();
        server.finish();
        tracer.signal(SIGINT);
        EXPECT_EQ(tracer.wait(), exited(0)) << tracer.err();
        said_ = tracer.err();
        contents_ = run_tcpflight({"info", path_}).out;
    }
    UnwantedChurn(const UnwantedChurn &) = delete;
    UnwantedChurn &operator=(const UnwantedChurn &) = delete;
    ~UnwantedChurn() { unlink(path_.c_str()); }

    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] const std::string &contents() const { return contents_; }
    [[nodiscard]] const std::string &said() const { return said_; }

private:
    std::string path_ = testing::TempDir() + "/unwanted." + std::to_string(getpid()) + ".tfr";
    std::string contents_;
    std::string said_;
};

// A connect is told before its port is chosen. When it is, user space hears that the filter does not want it.
TEST_F(Filter, ForgetsConnectsThatItTurnsOutNotToWant)
{
    ASSERT_TRUE(set_sysctl("ipv4/ip_local_port_range", "40001 50000"));
    ASSERT_TRUE(set_sysctl("ipv4/ip_local_reserved_ports", "45000"));
    const UnwantedChurn churn("port 45000 and netns " + std::to_string(netns()));
    const std::string count = std::to_string(UnwantedChurn::count);
    EXPECT_NE(churn.contents().find(" " + count + " changes of state, "), std::string::npos) << churn.contents();
    EXPECT_NE(churn.contents().find(", " + count + " connections that the filter does not want"), std::string::npos)
        << churn.contents();
    const Finished replayed = run_tcpflight({"-r", churn.path()});
    EXPECT_EQ(replayed.out, "");
    EXPECT_NE(replayed.err.find(std::to_string(2 * UnwantedChurn::count) + " events filtered out"), std::string::npos)
        << replayed.err;
}

// What the kernel will not choose is known before it chooses: then nothing is told at all.
TEST_F(Filter, RefusesAConnectAtOnceIfNoPortThatItCanGetIsWanted)
{
    ASSERT_TRUE(set_sysctl("ipv4/ip_local_port_range", "40001 50000"));
    for (const char *expression : {"port 39999", "port 50001", "src port 443 or dst port 443"}) {
        const UnwantedChurn churn(std::string(expression) + " and netns " + std::to_string(netns()));
        EXPECT_NE(churn.contents().find(" 0 changes of state, "), std::string::npos) << churn.contents();
        EXPECT_EQ(churn.contents().find("does not want"), std::string::npos) << churn.contents();
        EXPECT_NE(churn.said().find("\n0 events lost"), std::string::npos) << churn.said();
    }
}

TEST_F(Filter, KeepsAConnectWhateverPortItGets)
{
    ASSERT_TRUE(set_sysctl("ipv4/ip_local_port_range", "40000 40009"));
    struct Case {
        const char *expression;
        std::uint16_t bound; // 0: the kernel chooses
    };
    for (const Case &c : {Case{"src portrange 39000-40100", 0}, Case{"src portrange 40000-40009", 0},
                          Case{"src portrange 39000-40004 or src portrange 40005-41000", 0}, Case{"src port 700", 700},
                          Case{"not src port 443 and not src port 7001", 0}}) {
        SCOPED_TRACE(c.expression);
        Actor server("server");
        Actor client("client");
        Tracer tracer = trace({c.expression});
        const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
        ActorSocket socket = client.bind(SocketAddress::v4("127.0.0.1", c.bound));
        if (c.bound == 0)
            socket = client.connect(listener.local);
        else
            client.connect(socket, listener.local);
        ASSERT_EQ(socket.step.error, 0);
        const Connection connection{socket, server.accept(listener)};
        close_in_order(client, connection.client, server, connection.child);
        ASSERT_TRUE(wait_until_settled());
        tracer.wait_for_events(5);
        tracer.stop();
        ASSERT_GE(tracer.events().size(), 5U);
        EXPECT_TRUE(tracer.events()[0].is_change("CLOSE", "SYN_SENT")) << tracer.events()[0].json().dump();
        for (const TraceEvent &event : tracer.events())
            EXPECT_EQ(event.number("local_port"), socket.local.port()) << event.json().dump();
    }
}

// Nothing can be known of the connection at its first event; then it is shown from there.
TEST_F(Filter, ShowsAConnectionFromItsBeginOnceItHasRetransmitted)
{
    Actor server("server");
    Actor client("client");
    Tracer tracer = trace({"retransmits >= 2 and port 7001"});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
    const Connection healthy = connect(client, server, listener);
    client.close(healthy.client);
    server.receive(healthy.child);
    server.close(healthy.child);
    const Connection c = connect(client, server, listener);
    PacketDrop drop("tcp dport " + std::to_string(web));
    client.send(c.client, 100);
    tracer.wait_for_events(4);
    tracer.stop();
    const auto &events = tracer.events();
    ASSERT_GE(events.size(), 4U);
    EXPECT_TRUE(events[0].is_change("CLOSE", "SYN_SENT")) << events[0].json().dump();
    EXPECT_TRUE(events[1].is_change("SYN_SENT", "ESTABLISHED"));
    EXPECT_TRUE(events[2].is("retransmit"));
    EXPECT_TRUE(events[3].is("retransmit"));
    for (const TraceEvent &event : events)
        EXPECT_EQ(event.number("local_port"), c.client.local.port());
}

TEST_F(Filter, ShowsAConnectionThatHasGrownOldWithoutAnyEvent)
{
    Actor server("server");
    Actor client("client");
    Tracer tracer = trace({"duration > 1s and outgoing"});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
    const Connection brief = connect(client, server, listener);
    client.close(brief.client);
    const Connection c = connect(client, server, listener);
    tracer.wait_for_events(2);
    tracer.stop();
    ASSERT_EQ(tracer.events().size(), 2U);
    for (const TraceEvent &event : tracer.events())
        EXPECT_EQ(event.number("local_port"), c.client.local.port());
}

TEST_F(Filter, ShowsAConnectionFromItsBeginOnceItHasCarriedEnough)
{
    Actor server("server");
    Actor client("client");
    Tracer tracer = trace({"bytes > 64K and outgoing"});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
    const auto carry = [&](std::size_t bytes) {
        const Connection c = connect(client, server, listener);
        client.send(c.client, bytes);
        server.receive(c.child, bytes);
        client.close(c.client);
        server.receive(c.child);
        server.close(c.child);
        return c.client.local.port();
    };
    carry(60'000);
    const std::uint16_t large = carry(70'000);
    tracer.wait_for_events(4);
    tracer.stop();
    ASSERT_GE(tracer.events().size(), 4U);
    EXPECT_TRUE(tracer.events()[0].is_change("CLOSE", "SYN_SENT")) << tracer.events()[0].json().dump();
    for (const TraceEvent &event : tracer.events())
        EXPECT_EQ(event.number("local_port"), large) << event.json().dump();
}

// As many criteria as the kernel has room for are still verified, on every kernel.
TEST_F(Filter, TakesTheLongestListOfProcesses)
{
    Actor server("server");
    std::string pids = pid(server);
    for (int other = 4'194'304; other > 4'194'304 - 255; other--)
        pids += "," + std::to_string(other);
    std::string ports = "port 7001";
    for (int port = 20'000; port < 20'060; port++)
        ports += " or " + std::to_string(port);
    Tracer tracer = trace({"--pid", pids, ports});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
    server.close(listener);
    tracer.wait_for_events(2);
    tracer.stop();
    EXPECT_EQ(tracer.events().size(), 2U);
}

TEST_F(Filter, ShowsTheLinesThatWereAskedFor)
{
    Actor server("server");
    Actor client("client");
    Tracer tracer = trace({"event error or event reset"});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", web));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    ActorSocket refused = client.bind(SocketAddress::v4("127.0.0.1"));
    client.connect(refused, SocketAddress::v4("127.0.0.1", nobody));
    // Sent by nobody, received by the client, and what became of it.
    const std::size_t resets = lacks_strays() ? 1 : 2;
    tracer.wait_for_events(resets + 1);
    tracer.stop();
    ASSERT_EQ(tracer.events().size(), resets + 1);
    for (std::size_t i = 0; i < resets; i++)
        EXPECT_TRUE(tracer.events()[i].is("reset"));
    EXPECT_TRUE(tracer.events()[resets].is_change("SYN_SENT", "CLOSE"));
}

// The child's owner changes when its own process is first seen. A filter for the worker shows it from then on; one for
// the listener has shown it and goes on to do so, so that no timeline ends in the middle.
TEST_F(Filter, FollowsAnOwnerThatIsLearnedLate)
{
    Actor server("server");
    Actor client("client");
    Tracer of_server = trace({"--pid", pid(server)});
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor late = server.fork("late");
    Tracer of_late = trace({"--pid", pid(late)});
    const Connection c = connect(client, late, listener);
    client.close(c.client);
    late.receive(c.child);
    const Step close = late.close(c.child);

    expect_exactly(of_server, {
                                  Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                                  connected_child(c, server, late).to("CLOSE_WAIT").to("LAST_ACK", close).to("CLOSE"),
                              });
    of_late.wait_for_events(4);
    of_late.stop();
    ASSERT_EQ(of_late.events().size(), 4U);
    EXPECT_TRUE(of_late.events()[0].is("accept"));
    EXPECT_TRUE(of_late.events()[1].is_change("ESTABLISHED", "CLOSE_WAIT"));
    EXPECT_TRUE(of_late.events()[2].is_change("CLOSE_WAIT", "LAST_ACK"));
    EXPECT_TRUE(of_late.events()[3].is_change("LAST_ACK", "CLOSE"));
}

} // namespace
} // namespace tcpflight::test

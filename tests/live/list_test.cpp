// `tcpflight list` against `ss`: every socket, field by field.
#include "live/live_test.h"
#include "live/schema.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

namespace tcpflight::test {
namespace {

// What both tell of a socket; `timer_left_ms` is compared with a tolerance.
struct Shown {
    std::string state;
    std::uint64_t recv_queue = 0;
    std::uint64_t send_queue = 0;
    std::string local;
    std::string remote;
    std::set<std::string> processes; // "name pid fd"
    std::string timer;               // ss's word for it
    std::uint64_t retries = 0;
    std::uint64_t uid = 0;
    std::uint64_t inode = 0;

    auto operator<=>(const Shown &) const = default;
};

std::ostream &operator<<(std::ostream &stream, const Shown &s)
{
    stream << s.state << ' ' << s.recv_queue << ' ' << s.send_queue << ' ' << s.local << ' ' << s.remote << " timer "
           << s.timer << " retries " << s.retries << " uid " << s.uid << " inode " << s.inode;
    for (const std::string &process : s.processes)
        stream << " (" << process << ')';
    return stream;
}

struct Socket {
    Shown shown;
    std::uint64_t timer_left_ms = 0;
};
using Sockets = std::map<std::uint64_t, Socket>; // by cookie

// "[::ffff:127.0.0.1]:80" > "127.0.0.1 80"; "*:80", a socket of both families, > ":: 80".
std::string plain_end(std::string end)
{
    const auto colon = end.rfind(':');
    std::string port = end.substr(colon + 1);
    std::string address = end.substr(0, colon);
    if (address.starts_with('['))
        address = address.substr(1, address.size() - 2);
    if (address.starts_with("::ffff:"))
        address = address.substr(7);
    if (address == "*")
        address = "::";
    return address + ' ' + port;
}

// "1min2sec", "59sec", "1.204ms", "204ms": ss cuts what is less than it likes.
std::uint64_t milliseconds(const std::string &text)
{
    std::uint64_t total = 0;
    const char *at = text.c_str();
    while (*at != '\0') {
        char *end = nullptr;
        const auto number = std::strtoull(at, &end, 10);
        const std::string unit = end;
        if (unit.starts_with("min"))
            total += number * 60'000;
        else if (unit.starts_with("sec") || unit.starts_with("."))
            total += number * 1000;
        else
            total += number;
        at = end + (unit.starts_with("min") || unit.starts_with("sec") ? 3 : unit.starts_with(".") ? 1 : 2);
    }
    return total;
}

std::vector<std::string> split(const std::string &text, char separator)
{
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);)
        parts.push_back(part);
    return parts;
}

// users:(("server",pid=12,fd=5),("worker",pid=13,fd=5))
std::set<std::string> users(std::string text)
{
    std::set<std::string> all;
    for (std::size_t at = 0; (at = text.find("(\"", at)) != std::string::npos;) {
        const auto end = text.find(')', at);
        auto parts = split(text.substr(at + 1, end - at - 1), ',');
        all.insert(parts.at(0).substr(1, parts.at(0).size() - 2) + ' ' + parts.at(1).substr(4) + ' ' +
                   parts.at(2).substr(3));
        at = end;
    }
    return all;
}

void read_ss_word(const std::string &word, Socket &socket, std::uint64_t &cookie)
{
    const auto value = [&](std::string_view key) { return word.substr(key.size()); };
    if (word.starts_with("users:")) {
        socket.shown.processes = users(word);
    } else if (word.starts_with("timer:(")) {
        const auto parts = split(value("timer:("), ',');
        socket.shown.timer = parts.at(0);
        socket.timer_left_ms = milliseconds(parts.at(1));
        socket.shown.retries = std::stoull(parts.at(2));
    } else if (word.starts_with("uid:")) {
        socket.shown.uid = std::stoull(value("uid:"));
    } else if (word.starts_with("ino:")) {
        socket.shown.inode = std::stoull(value("ino:"));
    } else if (word.starts_with("sk:")) {
        cookie = std::stoull(value("sk:"), nullptr, 16);
    }
}

// Of the network namespace that `process` is in.
Sockets read_ss(pid_t process)
{
    const Finished finished =
        run({.argv = {"nsenter", "--net=/proc/" + std::to_string(process) + "/ns/net", "ss", "-tanpoeH"}});
    EXPECT_EQ(finished.status, exited(0)) << finished.err;
    static const std::map<std::string, std::string> states{{"ESTAB", "ESTABLISHED"},     {"SYN-SENT", "SYN_SENT"},
                                                           {"SYN-RECV", "SYN_RECV"},     {"FIN-WAIT-1", "FIN_WAIT1"},
                                                           {"FIN-WAIT-2", "FIN_WAIT2"},  {"TIME-WAIT", "TIME_WAIT"},
                                                           {"CLOSE-WAIT", "CLOSE_WAIT"}, {"LAST-ACK", "LAST_ACK"},
                                                           {"LISTEN", "LISTEN"},         {"CLOSING", "CLOSING"}};
    Sockets sockets;
    for (const std::string &line : split(finished.out, '\n')) {
        std::istringstream words(line);
        Socket socket;
        std::string state;
        std::string local;
        std::string remote;
        words >> state >> socket.shown.recv_queue >> socket.shown.send_queue >> local >> remote;
        socket.shown.state = states.at(state);
        socket.shown.local = plain_end(local);
        socket.shown.remote = socket.shown.state == "LISTEN" ? "*" : plain_end(remote);
        std::uint64_t cookie = 0;
        for (std::string word; words >> word;)
            read_ss_word(word, socket, cookie);
        sockets[cookie] = socket;
    }
    return sockets;
}

std::uint64_t number_or_zero(const nlohmann::json &object, const char *key)
{
    return object.at(key).is_null() ? 0 : object.at(key).get<std::uint64_t>();
}

Socket to_socket(const nlohmann::json &object)
{
    static const std::map<std::string, std::string> timers{
        {"none", ""}, {"retransmit", "on"}, {"keepalive", "keepalive"}, {"timewait", "timewait"}, {"probe", "persist"}};
    const auto end = [&](const char *address, const char *port) {
        return object.at(address).is_null()
                   ? std::string("*")
                   : object.at(address).get<std::string>() + ' ' + std::to_string(number_or_zero(object, port));
    };
    Socket socket;
    Shown &shown = socket.shown;
    shown.state = object.at("state");
    if (shown.state == "NEW_SYN_RECV")
        shown.state = "SYN_RECV";
    shown.recv_queue = object.at("recv_queue");
    shown.send_queue = object.at("send_queue");
    shown.local = end("local_addr", "local_port");
    shown.remote = end("remote_addr", "remote_port");
    for (const auto &p : object.at("processes"))
        shown.processes.insert(p.at("comm").get<std::string>() + ' ' + p.at("pid").dump() + ' ' + p.at("fd").dump());
    shown.timer = timers.at(object.at("timer"));
    shown.retries = object.at("retries");
    shown.uid = number_or_zero(object, "uid");
    shown.inode = number_or_zero(object, "inode");
    socket.timer_left_ms = number_or_zero(object, "timer_left_us") / 1000;
    return socket;
}

// By namespace. Every line is held against the schema.
std::map<std::uint32_t, Sockets> read_list(const std::vector<std::string> &arguments = {})
{
    std::vector<std::string> all_arguments{"list", "--format", "json"};
    all_arguments.insert(all_arguments.end(), arguments.begin(), arguments.end());
    const Finished finished = run_tcpflight(all_arguments);
    EXPECT_EQ(finished.status, exited(0)) << finished.err;
    EXPECT_EQ(finished.err, "");
    const Schema schema = documented_schema();
    std::map<std::uint32_t, Sockets> all;
    for (const std::string &line : split(finished.out, '\n')) {
        const auto object = nlohmann::json::parse(line);
        EXPECT_EQ(schema.objections(object), "") << line;
        all[object.at("netns")][object.at("conn")] = to_socket(object);
    }
    return all;
}

// ss was asked between the two lists: what both lists agree about it must see too, and what differs it must see as one.
void expect_agreement(const Sockets &before, const Sockets &ss, const Sockets &after)
{
    std::map<std::string, int> states;
    for (const auto &[cookie, theirs] : ss) {
        const auto first = before.find(cookie);
        const auto second = after.find(cookie);
        if (first == before.end() || second == after.end()) {
            ADD_FAILURE() << "only ss has: " << theirs.shown;
            continue;
        }
        states[theirs.shown.state]++;
        Shown ours = first->second.shown == theirs.shown ? first->second.shown : second->second.shown;
        // A slow look lets more than one retransmission pass from list to list.
        if (first->second.shown.retries <= theirs.shown.retries && theirs.shown.retries <= ours.retries)
            ours.retries = theirs.shown.retries;
        EXPECT_EQ(ours, theirs.shown) << "cookie " << cookie;
        // A timer that ran from list to list was between the two in ss; which cuts minutes, seconds and less.
        const auto ms = theirs.timer_left_ms;
        const std::uint64_t cut = ms >= 600'000 ? 60'000 : ms >= 10'000 ? 1000 : 10;
        if (first->second.shown == second->second.shown &&
            first->second.timer_left_ms >= second->second.timer_left_ms) {
            EXPECT_LE(ms, first->second.timer_left_ms + 10) << theirs.shown;
            EXPECT_GE(ms + cut, second->second.timer_left_ms) << theirs.shown;
        }
    }
    for (const auto &[cookie, ours] : before)
        EXPECT_TRUE(ss.contains(cookie)) << "only the list has: " << ours.shown;
    for (const auto &[state, count] : states)
        testing::Test::RecordProperty(state, count);
}

class List : public LiveTest {
protected:
    // Some of every sort that stays as it is without a packet filter.
    static void make_sockets(Actor &server, Actor &client, std::vector<Connection> &kept)
    {
        const ActorSocket v4 = server.listen(SocketAddress::v4("127.0.0.1"));
        const ActorSocket both = server.listen(SocketAddress::v6("::"));
        server.begin_serve(v4, 1500);
        client.begin_churn(v4.local, 1500);
        client.finish();
        server.finish();
        // A FIN that meets its peer on the way into TIME_WAIT goes unanswered until it is sent again.
        ASSERT_TRUE(wait_until_settled());
        for (int i = 0; i < 60; i++) {
            kept.push_back(connect(client, server, v4));
            kept.push_back(connect(client, server, both, SocketAddress::v6("::1", both.local.port())));
            kept.push_back(connect(client, server, both, SocketAddress::v4("127.0.0.1", both.local.port())));
            const Connection &c = kept.back();
            if (i % 3 == 0)
                client.send(c.client, 1000);
            if (i % 4 == 0)
                server.send(c.child, 77);
            if (i % 5 == 0)
                client.shut_down_writing(c.client);
        }
        client.connect(v4.local); // not accepted
        client.connect(v4.local);
    }
};

TEST_F(List, AgreesWithSsOnEverySocket)
{
    std::vector<Connection> kept;
    const std::uint32_t first_netns = netns();
    Actor first_server("first-server");
    Actor first_client("first-client");
    make_sockets(first_server, first_client, kept);
    Actor worker = first_server.fork("worker"); // has all of them open too

    const std::uint32_t second_netns = enter_new_netns();
    Actor server("server");
    Actor client("client");
    make_sockets(server, client, kept);
    // What only a packet filter makes: CLOSING, SYN_SENT, SYN_RECV, FIN_WAIT1, LAST_ACK, unacknowledged data.
    const ActorSocket one_way_listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection crossing = connect(client, server, one_way_listener);
    PacketDrop one_way("tcp dport " + std::to_string(one_way_listener.local.port()));
    client.shut_down_writing(crossing.client);
    server.shut_down_writing(crossing.child); // its FIN arrives, and no acknowledgement does: CLOSING
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    std::vector<Connection> cut;
    for (int i = 0; i < 8; i++)
        cut.push_back(connect(client, server, listener));
    client.shut_down_writing(cut[0].client);
    server.receive(cut[0].child);
    PacketDrop drop("tcp sport " + std::to_string(listener.local.port()));
    PacketDrop drop_too("tcp dport " + std::to_string(listener.local.port()));
    server.close(cut[0].child);  // LAST_ACK
    client.close(cut[1].client); // FIN_WAIT1
    server.close(cut[2].child);
    client.send(cut[3].client, 5000);
    client.shut_down_writing(cut[4].client);
    Actor stranger("stranger");
    const ActorSocket connecting = stranger.bind(SocketAddress::v4("127.0.0.1"));
    stranger.begin_connect(connecting, listener.local); // SYN_SENT
    const ActorSocket half_open_listener = server.listen(SocketAddress::v4("127.0.0.1"));
    PacketDrop syn_acks("tcp sport " + std::to_string(half_open_listener.local.port()));
    Actor other("other");
    const ActorSocket half_open = other.bind(SocketAddress::v4("127.0.0.1"));
    other.begin_connect(half_open, half_open_listener.local); // SYN_RECV
    while (syn_acks.dropped() == 0)
        usleep(1000);

    const auto before = read_list();
    const Sockets first_ss = read_ss(first_server.pid());
    const Sockets second_ss = read_ss(server.pid());
    const auto after = read_list();
    EXPECT_GT(first_ss.size(), 1500U);
    EXPECT_GT(second_ss.size(), 1500U);
    expect_agreement(before.at(first_netns), first_ss, after.at(first_netns));
    expect_agreement(before.at(second_netns), second_ss, after.at(second_netns));

    std::set<std::string> states;
    for (const auto &[cookie, socket] : second_ss)
        states.insert(socket.shown.state);
    for (const char *state : {"ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
                              "CLOSE_WAIT", "LAST_ACK", "CLOSING", "LISTEN"})
        EXPECT_TRUE(states.contains(state)) << state << " was not tried";
}

TEST_F(List, ShowsWhatTheFilterAsksFor)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    connect(client, server, listener);
    Actor worker = server.fork("worker");
    const auto count = [&](const std::vector<std::string> &arguments) {
        const auto all = read_list(arguments);
        const auto ours = all.find(netns());
        return ours == all.end() ? 0 : ours->second.size();
    };
    EXPECT_EQ(count({}), 3U);
    EXPECT_EQ(count({"--comm", "client"}), 1U);
    EXPECT_EQ(count({"--pid", std::to_string(server.pid())}), 2U);
    EXPECT_EQ(count({"--pid", std::to_string(worker.pid())}), 2U) << "not the owner, but it has them open";
    EXPECT_EQ(count({"--remote-port", std::to_string(listener.local.port())}), 1U);
    EXPECT_EQ(count({"-6"}), 0U);
}

// For people: a heading, listeners first, and never wider than asked for.
TEST_F(List, IsATable)
{
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    connect(client, server, listener);
    const std::string port = std::to_string(listener.local.port());
    const Finished finished = run_tcpflight({"list", "--port", port});
    EXPECT_EQ(finished.status, exited(0));
    EXPECT_EQ(finished.err, "");
    const auto lines = split(finished.out, '\n');
    ASSERT_EQ(lines.size(), 4U) << finished.out;
    EXPECT_TRUE(lines[0].starts_with("STATE ")) << lines[0];
    EXPECT_TRUE(lines[1].starts_with("LISTEN ")) << lines[1];
    EXPECT_NE(lines[1].find(" 127.0.0.1." + port), std::string::npos) << lines[1];
    EXPECT_NE(lines[1].find(" server[" + std::to_string(server.pid()) + "] "), std::string::npos) << lines[1];
    EXPECT_TRUE(lines[2].starts_with("ESTABLISHED ")) << lines[2];
    EXPECT_TRUE(lines[3].starts_with("ESTABLISHED ")) << lines[3];
}

} // namespace
} // namespace tcpflight::test

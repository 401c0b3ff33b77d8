// What the kernel keeps in the place of a closed socket: that it goes on and ends, how long it lasted, and by what.
// Where programs hang on functions the kernel tells; elsewhere it follows from other events, or is found by looking.
#include "live/live_test.h"
#include "live/precision.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <set>
#include <system_error>
#include <thread>

namespace tcpflight::test {
namespace {

using namespace std::chrono_literals;

class TimeWait : public LiveTest {
protected:
    // Looks often, so that a test need not wait.
    [[nodiscard]] Tracer look_often(std::vector<std::string> arguments = {}) const
    {
        arguments.insert(arguments.end(), {"--sweep", "0.2"});
        return trace(arguments);
    }

    // The events of this socket up to the last `from` -> `to`, once there is one.
    static std::vector<TraceEvent> wait_for_change(Tracer &tracer, const ActorSocket &socket, const char *from,
                                                   const char *to, Process::Duration timeout = Process::default_timeout)
    {
        std::vector<TraceEvent> own;
        const bool came = tracer.wait_until(
            [&] {
                own = events_of(tracer, socket);
                while (!own.empty() && !own.back().is_change(from, to))
                    own.pop_back();
                return !own.empty();
            },
            timeout);
        EXPECT_TRUE(came) << "no " << from << " -> " << to << " of port " << socket.local.port();
        return own;
    }

    // Of the first socket that had these ends.
    static std::vector<TraceEvent> events_of(const Tracer &tracer, const ActorSocket &socket)
    {
        std::vector<TraceEvent> own;
        for (const TraceEvent &event : tracer.events()) {
            if (event.is_null("local_port") || event.is_null("remote_port") || event.is_null("conn") ||
                event.number("local_port") != socket.local.port() ||
                event.number("remote_port") != socket.remote.port())
                continue;
            if (own.empty() || own.front().number("conn") == event.number("conn"))
                own.push_back(event);
        }
        return own;
    }

    // All there is to say of an end, and that its limits hold.
    static void expect_end(const std::vector<TraceEvent> &events, const std::string &from, const Actor &owner,
                           const std::set<std::string> &sources, const std::string &reason)
    {
        ASSERT_GE(events.size(), 2U);
        const TraceEvent &end = events.back();
        const TraceEvent &begin = events[events.size() - 2];
        EXPECT_TRUE(end.is_change(from, "CLOSE")) << end.json();
        EXPECT_EQ(begin.text("new_state"), from) << begin.json();
        EXPECT_EQ(end.json().at("time_wait_socket"), true);
        EXPECT_EQ(end.json().at("ended_by"), reason.empty() ? nlohmann::json() : nlohmann::json(reason)) << end.json();
        EXPECT_EQ(end.text("comm"), owner.name());
        EXPECT_EQ(end.number("pid"), static_cast<std::uint64_t>(owner.pid()));
        EXPECT_EQ(sources.count(end.text("owner")), 1U) << end.json();
        for (const char *key : {"conn", "family", "local_addr", "local_port", "remote_addr", "remote_port", "tid",
                                "uid", "netns", "cgroup"})
            EXPECT_EQ(end.json().at(key), begin.json().at(key)) << key;
        EXPECT_EQ(end.json().at("incomplete"), false);
        EXPECT_TRUE(end.is_null("error"));

        const std::uint64_t since_us = (end.wall_ns() - begin.wall_ns()) / 1000;
        if (!end.is_null("duration_us")) {
            EXPECT_NEAR(static_cast<double>(end.number("duration_us")), static_cast<double>(since_us), 1.0);
            EXPECT_TRUE(end.is_null("at_least_us"));
            EXPECT_TRUE(end.is_null("at_most_us"));
            return;
        }
        ASSERT_FALSE(end.is_null("at_most_us")) << end.json();
        EXPECT_LE(end.number("at_most_us"), since_us + 1);
        if (!end.is_null("at_least_us")) {
            EXPECT_LE(end.number("at_least_us"), end.number("at_most_us"));
        }
    }

    // At least so long.
    static void expect_at_least(const TraceEvent &end, std::uint64_t microseconds)
    {
        const char *key = end.is_null("duration_us") ? "at_least_us" : "duration_us";
        ASSERT_FALSE(end.is_null(key)) << end.json();
        EXPECT_GE(end.number(key), microseconds) << end.json();
    }
};

// A jiffy at HZ=100, which is how exactly the kernel's own timers go.
constexpr std::uint64_t jiffy_us = 10'000;
constexpr std::uint64_t second_us = 1'000'000;

TEST_F(TimeWait, OfAnOrphanEndsByItsTimer)
{
    ASSERT_TRUE(set_sysctl("ipv4/tcp_fin_timeout", "1"));
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "FIN_WAIT2");
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.client, "FIN_WAIT2", "CLOSE");
    expect_end(events, "FIN_WAIT2", client, {"connect", "syscall"}, "timer");
    expect_at_least(events.back(), second_us - jiffy_us);
    EXPECT_TRUE(events_of(tracer, c.child).back().is_change("ESTABLISHED", "CLOSE_WAIT"));
    tracer.stop();
}

TEST_F(TimeWait, OfAnOrphanFollowsItsFinWait2)
{
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v6("::1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "FIN_WAIT2");
    server.close(c.child);
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.client, "FIN_WAIT2", "TIME_WAIT");
    ASSERT_GE(events.size(), 2U);
    EXPECT_EQ(events.back().json().at("time_wait_socket"), true);
    EXPECT_EQ(events.back().text("comm"), "client");
    EXPECT_FALSE(events.back().is_null("duration_us"));
    // The other end's FIN brought it there.
    const std::vector<TraceEvent> others = wait_for_change(tracer, c.child, "LAST_ACK", "CLOSE");
    const auto began = static_cast<double>(events.back().wall_ns());
    EXPECT_NEAR(began, static_cast<double>(others.back().wall_ns()), 5 * jiffy_us * 1000.0);
    tracer.stop();
}

TEST_F(TimeWait, EndsWithTheResetThatItSends)
{
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "FIN_WAIT2");
    server.send(c.child, 100);
    std::vector<TraceEvent> events;
    ASSERT_TRUE(tracer.wait_until([&] {
        events = events_of(tracer, c.client);
        return std::any_of(events.begin(), events.end(),
                           [](const TraceEvent &event) { return event.is_change("FIN_WAIT2", "CLOSE"); });
    }));
    events.erase(
        std::remove_if(events.begin(), events.end(), [](const TraceEvent &event) { return event.is("reset"); }),
        events.end());
    // Before Linux 6.10 only a program on a function sees that.
    const bool told = tracer.hangs_on_functions();
    if (!told && lacks(Precision::Reasons, "what ended FIN_WAIT2")) {
        expect_end(events, "FIN_WAIT2", client, {"connect", "syscall"}, "");
        return;
    }
    expect_end(events, "FIN_WAIT2", client, {"connect", "syscall"}, "reset");
    EXPECT_FALSE(events.back().is_null("duration_us")) << "its time is that of the reset";
    tracer.stop();
}

// RFC 9293 section 3.10.7.4: a SYN with a later sequence number opens the connection anew.
TEST_F(TimeWait, EndsWhereASynBeginsANewConnection)
{
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    server.shut_down_writing(c.child);
    client.receive(c.client);
    client.close(c.client);
    server.receive(c.child);
    const std::vector<TraceEvent> begin = wait_for_change(tracer, c.child, "FIN_WAIT2", "TIME_WAIT");
    ActorSocket again = client.bind(c.client.local);
    client.connect(again, listener.local);
    ASSERT_EQ(again.step.error, 0);
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.child, "TIME_WAIT", "CLOSE");
    expect_end(events, "TIME_WAIT", server, {"accept", "syscall"}, "syn");
    // Told before the child of the same ends is.
    const auto &all = tracer.events();
    const auto position = [&](auto predicate) { return std::find_if(all.begin(), all.end(), predicate) - all.begin(); };
    const std::uint64_t old = begin.front().number("conn");
    EXPECT_LT(position([&](const TraceEvent &e) { return e.is_change("TIME_WAIT", "CLOSE"); }),
              position([&](const TraceEvent &e) {
                  return e.is_change("LISTEN", "SYN_RECV") && e.number("conn") != old &&
                         e.number("remote_port") == c.client.local.port();
              }));
    tracer.stop();
}

// With one port to choose from, connect(2) fails until the kernel lets it take that of a TIME_WAIT: a second, if both
// ends stamp their segments.
TEST_F(TimeWait, EndsWhereAConnectTakesItsPort)
{
    ASSERT_TRUE(set_sysctl("ipv4/ip_local_port_range", "40000 40000"));
    ASSERT_TRUE(set_sysctl("ipv4/tcp_tw_reuse", "1"));
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 8080));
    const Connection c = connect(client, server, listener);
    close_in_order(client, c.client, server, c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "TIME_WAIT");
    std::ptrdiff_t failed = -1; // the last try does not
    Step step{.result = -1, .error = EADDRNOTAVAIL};
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (step.error == EADDRNOTAVAIL && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(50ms);
        step = client.connect(listener.local).step;
        failed++;
    }
    ASSERT_EQ(step.error, 0);
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.client, "TIME_WAIT", "CLOSE");
    expect_end(events, "TIME_WAIT", client, {"connect", "syscall"}, "connect");
    EXPECT_EQ(std::count_if(tracer.events().begin(), tracer.events().end(),
                            [](const TraceEvent &e) { return e.is_change("SYN_SENT", "CLOSE"); }),
              failed);
    tracer.stop();
}

TEST_F(TimeWait, EndsWhereItIsKilled)
{
    if (!are_installed("ss"))
        GTEST_SKIP() << "needs ss";
    Tracer tracer = look_often();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    close_in_order(client, c.client, server, c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "TIME_WAIT");
    const Finished killed =
        run({.argv = {"ss", "-KtnH", "state", "time-wait", "sport", "=", std::to_string(c.client.local.port())}});
    ASSERT_EQ(killed.status, exited(0)) << killed.err;
    ASSERT_NE(killed.out, "") << "this kernel was built without CONFIG_INET_DIAG_DESTROY";
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.client, "TIME_WAIT", "CLOSE");
    const bool told = tracer.hangs_on_functions();
    expect_end(events, "TIME_WAIT", client, {"connect", "syscall"}, told ? "killed" : "");
    tracer.stop();
}

TEST_F(TimeWait, EndsWithItsNetworkNamespace)
{
    const int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const std::uint32_t other = enter_new_netns();
    const int away = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(setns(home, CLONE_NEWNET), 0);
    Tracer tracer(other, {"--sweep", "0.2"});
    ASSERT_EQ(setns(away, CLONE_NEWNET), 0);
    close(away);
    Connection c;
    pid_t pid = 0;
    {
        Actor server("server");
        Actor client("client");
        pid = client.pid();
        const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
        c = connect(client, server, listener);
        close_in_order(client, c.client, server, c.child);
        wait_for_change(tracer, c.client, "FIN_WAIT2", "TIME_WAIT");
    }
    ASSERT_EQ(setns(home, CLONE_NEWNET), 0);
    close(home);
    // A look goes through every namespace of the host, where other tests run too, and then rests for 99 times what that
    // took of a CPU; and it takes more than one.
    const std::vector<TraceEvent> events = wait_for_change(tracer, c.client, "TIME_WAIT", "CLOSE", 60s);
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().text("ended_by"), "netns");
    EXPECT_EQ(events.back().number("pid"), static_cast<std::uint64_t>(pid));
    tracer.stop();
}

// The tracer has given up its privileges by then; who looks has not.
TEST_F(TimeWait, IsLookedForWithoutPrivileges)
{
    ASSERT_TRUE(set_sysctl("ipv4/tcp_fin_timeout", "1"));
    Tracer tracer = look_often({"-Z", "nobody", "--layer", "core"});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "FIN_WAIT2");
    expect_end(wait_for_change(tracer, c.client, "FIN_WAIT2", "CLOSE"), "FIN_WAIT2", client, {"connect", "syscall"},
               "timer");
    const Totals totals = tracer.stop();
    EXPECT_EQ(totals.status, exited(0));
    EXPECT_EQ(totals.err.find("not looked for"), std::string::npos) << totals.err;
}

TEST_F(TimeWait, IsReplayedAsItWasFound)
{
    ASSERT_TRUE(set_sysctl("ipv4/tcp_fin_timeout", "1"));
    const std::string file = testing::TempDir() + "time_wait_" + std::to_string(getpid()) + ".tcpf";
    Tracer tracer = trace({"-w", file, "--print", "--force", "--sweep", "0.2", "netns", std::to_string(netns())});
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    client.close(c.client);
    server.receive(c.child);
    wait_for_change(tracer, c.client, "FIN_WAIT2", "FIN_WAIT2");
    wait_for_change(tracer, c.client, "FIN_WAIT2", "CLOSE");
    tracer.stop();
    const Finished replayed = run_tcpflight({"-r", file, "--format", "json"});
    unlink(file.c_str());
    EXPECT_EQ(replayed.out, tracer.process().out());
}

class Looker : public TimeWait {
protected:
    static std::string children(const Tracer &tracer)
    {
        const std::string pid = std::to_string(const_cast<Tracer &>(tracer).process().pid());
        std::ifstream file("/proc/" + pid + "/task/" + pid + "/children");
        std::string text;
        std::getline(file, text);
        return text;
    }

    // "S": it sleeps; empty: there is no such process.
    static std::string state_of(const std::string &pid)
    {
        std::ifstream file("/proc/" + pid + "/stat");
        std::string number;
        std::string comm;
        std::string state;
        file >> number >> comm >> state;
        return state;
    }

    static bool is_there(const std::string &pid)
    {
        const std::string state = state_of(pid);
        return !state.empty() && state != "Z";
    }

    static std::string switches(const std::string &pid)
    {
        std::ifstream file("/proc/" + pid + "/status");
        for (std::string line; std::getline(file, line);) {
            if (line.starts_with("voluntary_ctxt_switches"))
                return line;
        }
        return {};
    }
};

// A host on which nothing is connected costs nothing. The connection shows that it looks again when there is something.
TEST_F(Looker, RestsWhileThereAreOnlyListeners)
{
    Actor server("server");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Tracer tracer = trace({"--verdicts", "all", "--sweep", "0.05", "netns", std::to_string(netns())});
    const std::string pid = std::to_string(tracer.process().pid());
    const auto comes_to_rest = [&](bool wanted) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        bool rests = !wanted;
        while (rests != wanted && std::chrono::steady_clock::now() < deadline) {
            const std::string before = switches(pid);
            std::this_thread::sleep_for(500ms); // ten looks, if it looks
            rests = switches(pid) == before;
        }
        return rests == wanted;
    };
    EXPECT_TRUE(comes_to_rest(true));
    Actor client("client");
    connect(client, server, listener);
    EXPECT_TRUE(comes_to_rest(false));
    tracer.stop();
}

TEST_F(Looker, IsGoneIfItIsNotWanted)
{
    Tracer tracer = trace({"--sweep", "0"});
    EXPECT_EQ(children(tracer), "");
    tracer.stop();
}

TEST_F(Looker, EndsWithItsTracer)
{
    for (const char *user : {"root", "nobody"}) {
        Tracer tracer = trace({"-Z", user});
        std::string looker = children(tracer);
        looker.erase(looker.find_last_not_of(' ') + 1);
        ASSERT_TRUE(is_there(looker)) << "'" << looker << "'";
        tracer.process().signal(SIGKILL);
        EXPECT_TRUE(tracer.process().wait());
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (is_there(looker) && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(10ms);
        EXPECT_FALSE(is_there(looker)) << user;
    }
}

// There is no connection in this namespace, and nothing of the rest of the host is in the table.
TEST_F(Looker, SleepsWhileNothingWaitsForIt)
{
    Tracer tracer = trace({"--sweep", "0.05", "netns", std::to_string(netns())});
    std::string looker = children(tracer);
    looker.erase(looker.find_last_not_of(' ') + 1);
    // It has answered, and may still be on its way to bed.
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (state_of(looker) != "S" && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(10ms);
    const std::string before = switches(looker);
    ASSERT_NE(before, "");
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(switches(looker), before);
    tracer.stop();
}

} // namespace
} // namespace tcpflight::test

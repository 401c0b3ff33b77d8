// How tracing begins and ends, and what is printed for people.
#include "live/live_test.h"

#include <algorithm>
#include <functional>
#include <regex>
#include <sstream>

namespace tcpflight::test {
namespace {

class Ending : public LiveTest {
protected:
    // A connection from its beginning to its end, with its listener: 13 events, without its SYN, which not every kernel
    // lets be seen.
    static constexpr std::size_t events_of_a_connection = 13;

    static void make_connection(std::uint16_t port = 0)
    {
        Actor server("server");
        Actor client("client");
        const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", port));
        const Connection c = connect(client, server, listener);
        client.close(c.client);
        server.receive(c.child);
        server.close(c.child);
        server.close(listener);
    }

    // For text, which does not tell the namespace: a port that is no other test's.
    static std::uint16_t own_port() { return static_cast<std::uint16_t>(10'000 + getpid() % 20'000); }
};

class Signals : public Ending, public testing::WithParamInterface<int> {};

TEST_P(Signals, EndsWithTotals)
{
    Tracer tracer = trace();
    make_connection();
    ASSERT_TRUE(tracer.wait_for_events(events_of_a_connection));
    const Totals totals = tracer.stop(GetParam());
    EXPECT_EQ(totals.status, exited(0));
    EXPECT_GE(totals.shown, events_of_a_connection);
    EXPECT_EQ(totals.filtered_out, 0U);
    EXPECT_EQ(totals.lost, 0U);
}

INSTANTIATE_TEST_SUITE_P(Live, Signals, testing::Values(SIGINT, SIGTERM), [](const testing::TestParamInfo<int> &test) {
    return std::string(test.param == SIGINT ? "SIGINT" : "SIGTERM");
});

// What was traced before the signal is printed, all of it, however soon the signal comes.
TEST_F(Ending, LosesNothingThatWasTraced)
{
    Tracer tracer = trace();
    make_connection();
    const Totals totals = tracer.stop();
    EXPECT_EQ(std::ranges::count_if(tracer.events(), std::not_fn(is_syn_received)), events_of_a_connection);
    EXPECT_GE(totals.shown, events_of_a_connection);
}

TEST_F(Ending, AfterCount)
{
    const std::string port = std::to_string(own_port());
    Tracer tracer = trace({"-c", "5", "--port", port});
    make_connection(own_port());
    const Totals totals = tracer.stop(0);
    EXPECT_EQ(totals.status, exited(0));
    EXPECT_EQ(totals.shown, 5U);
    EXPECT_EQ(tracer.events().size(), 5U);
}

TEST_F(Ending, WhenNobodyReads)
{
    Tracer tracer = trace();
    make_connection();
    ASSERT_TRUE(tracer.wait_for_events(events_of_a_connection));
    tracer.process().close_out();
    make_connection();
    const std::optional<ExitStatus> status = tracer.process().wait();
    EXPECT_EQ(status, exited(0)) << tracer.process().err();
    const Totals totals = parse_totals(exited(0), tracer.process().err());
    EXPECT_GE(totals.shown, events_of_a_connection);
}

// `tcpflight | head -1` on a quiet host must not wait for the next connection, which may never come.
TEST_F(Ending, WhenNobodyReadsAndNothingHappens)
{
    Tracer tracer = trace({"--port", std::to_string(own_port())});
    tracer.process().close_out();
    EXPECT_EQ(tracer.process().wait(), exited(0)) << tracer.process().err();
}

TEST_F(Ending, WhenTheDiskIsFull)
{
    Tracer tracer(netns(), {}, Output::file("/dev/full"));
    make_connection();
    EXPECT_EQ(tracer.process().wait(), exited(1));
    const std::string &err = tracer.process().err();
    EXPECT_NE(err.find("tcpflight: "), std::string::npos);
    EXPECT_NE(err.find("No space left on device"), std::string::npos) << err;
}

TEST_F(Ending, TwoTracersSeeTheSame)
{
    Tracer one = trace();
    Tracer two = trace();
    make_connection();
    ASSERT_TRUE(one.wait_for_events(events_of_a_connection));
    ASSERT_TRUE(two.wait_for_events(events_of_a_connection));
    one.stop();
    two.stop();
    const auto told = [](const Tracer &tracer) {
        std::string text;
        for (const TraceEvent &event : tracer.events())
            text += std::to_string(event.number("conn")) + " " + summary(event);
        return text;
    };
    EXPECT_EQ(told(one), told(two));
}

TEST_F(Ending, ListeningLine)
{
    const std::string hooks = R"(hooks: tp_btf(\+fentry|\+kprobe)?(\+tracepoint)?)";
    Process open = start_tcpflight({});
    EXPECT_TRUE(std::regex_match(
        open.err(), std::regex("tcpflight: listening on all TCP sockets, filter: none, " + hooks + ", buffer 4 MiB\n")))
        << open.err();
    Tracer filtered = trace({"--port", "443", "--pid", "12", "-B", "1024"});
    EXPECT_TRUE(std::regex_match(filtered.listening_line(),
                                 std::regex("tcpflight: listening on all TCP sockets, filter: port 443 and pid 12, " +
                                            hooks + ", buffer 1 MiB")))
        << filtered.listening_line();
}

// A layer that the kernel refuses is silently the one below, down to the tracepoints, which every kernel has.
TEST_F(Ending, EveryLayerListens)
{
    for (const char *layer : {"core", "kprobe", "fentry"}) {
        Tracer tracer = trace({"--layer", layer});
        const std::string line = tracer.listening_line();
        EXPECT_NE(line.find(", hooks: tp_btf"), std::string::npos) << line;
        EXPECT_EQ(line.find("fentry") == std::string::npos || std::string(layer) == "fentry", true) << line;
        EXPECT_EQ(line.find("kprobe") == std::string::npos || std::string(layer) != "core", true) << line;
        make_connection(own_port());
        EXPECT_TRUE(tracer.wait_for_events(7)) << layer;
        EXPECT_EQ(tracer.stop().status, exited(0));
    }
}

TEST_F(Ending, TextForPeople)
{
    const std::string port = std::to_string(own_port());
    Process tcpflight = start_tcpflight({"--port", port});
    make_connection(own_port());
    const auto lines = [&] {
        const bool has_syn = tcpflight.out().find(": SYN received, ") != std::string::npos;
        return static_cast<std::size_t>(std::count(tcpflight.out().begin(), tcpflight.out().end(), '\n')) -
               (has_syn ? 1 : 0);
    };
    ASSERT_TRUE(tcpflight.read_until([&] { return lines() >= events_of_a_connection; }));
    tcpflight.signal(SIGINT);
    EXPECT_EQ(tcpflight.wait(), exited(0));
    EXPECT_EQ(lines(), events_of_a_connection) << tcpflight.out();
    const std::regex shape(
        R"(\d\d:\d\d:\d\d\.\d{6} IP 127\.0\.0\.1\.\d+ > (127\.0\.0\.1\.\d+|\*): )"
        R"(([A-Z_12]+ -> [A-Z_12]+( \(orphan\))?( after [0-9.]+(us|ms|s))?)"
        R"((, [0-9.]+(us|ms|s) in the SYN queue)?|)"
        R"(SYN received|accepted after [0-9.]+(us|ms|s) in the accept queue), (server|client)\[\d+\])");
    std::istringstream out(tcpflight.out());
    for (std::string line; std::getline(out, line);)
        EXPECT_TRUE(std::regex_match(line, shape)) << line;
    EXPECT_EQ(tcpflight.out().find(".0 "), std::string::npos) << "a port of 0";
}

TEST_F(Ending, MetricsWithVerbose)
{
    Tracer tracer = trace({"-v"});
    make_connection();
    ASSERT_TRUE(tracer.wait_for_events(events_of_a_connection));
    tracer.stop();
    for (const TraceEvent &event : tracer.events()) {
        SCOPED_TRACE(event.json().dump());
        if (!event.is("state"))
            continue;
        for (const char *key :
             {"rtt_us", "rttvar_us", "rto_us", "cwnd", "ssthresh", "send_queue", "recv_queue", "in_flight"})
            EXPECT_TRUE(event.json().contains(key)) << key;
        if (event.text("old_state") == "ESTABLISHED") {
            EXPECT_GT(event.number("rtt_us"), 0U);
            EXPECT_LT(event.number("rtt_us"), 1'000'000U);
            EXPECT_GE(event.number("cwnd"), 1U);
            EXPECT_GE(event.number("rto_us"), 200'000U);
        }
    }
}

TEST_F(Ending, NanosecondsOnRequest)
{
    Tracer tracer = trace({"--time-precision", "nano"});
    make_connection();
    ASSERT_TRUE(tracer.wait_for_events(events_of_a_connection));
    tracer.stop();
    const std::regex nano(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)");
    for (const std::vector<TraceEvent> &events : by_connection(tracer.events())) {
        const TraceEvent *change = nullptr;
        for (const TraceEvent &event : events) {
            SCOPED_TRACE(event.json().dump());
            EXPECT_TRUE(std::regex_match(event.text("time"), nano));
            if (is_syn_received(event))
                continue;
            const char *duration = event.is("state") ? "duration_us" : "queued_us";
            if (!event.is_null(duration)) {
                ASSERT_NE(change, nullptr);
                // Nothing is cut: the duration is the difference of the times to the nanosecond.
                const double told = event.json().at(duration).get<double>() * 1000;
                EXPECT_NEAR(told, static_cast<double>(event.wall_ns() - change->wall_ns()), 0.5);
            }
            if (event.is("state"))
                change = &event;
        }
    }
}

} // namespace
} // namespace tcpflight::test

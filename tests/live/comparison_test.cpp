// Ten thousand connections, event for event as libbpf-tools' tcpstates sees them.
#include "live/bulk.h"
#include "live/live_test.h"
#include "live/other_tools.h"

#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

namespace tcpflight::test {
namespace {

// Local port, remote port, old state, new state. Neither tool need know what the other calls the connection.
//
// Two ports are left out of the comparison, as 0, where the other tool cannot know them: at CLOSE > SYN_SENT the kernel
// has not chosen the local one, which tcpflight takes from the next event; a listener has no remote one.
using Key = std::tuple<unsigned, unsigned, std::string, std::string>;
using Counts = std::map<Key, int>;

Key key(unsigned local, unsigned remote, const std::string &from, const std::string &to)
{
    return {to == "SYN_SENT" ? 0 : local, remote, from, to};
}

struct Comparison {
    std::size_t connections = 0;
    std::size_t refused_every = 0;
    std::chrono::microseconds pause{};
    // Changes of state. Listener: 1. Connection: 5 at each end. Refused: 2.
    [[nodiscard]] std::size_t events() const { return 1 + 10 * (connections - refused()) + 2 * refused(); }
    [[nodiscard]] std::size_t refused() const { return connections / refused_every; }
};

// Lines with `needle` that were not looked at yet are parsed:
// SKADDR PID COMM IP LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS
class TcpstatesReader {
public:
    explicit TcpstatesReader(std::string needle) : needle_(std::move(needle)) {}

    void read(const std::string &out)
    {
        for (std::size_t end; (end = out.find('\n', taken_)) != std::string::npos; taken_ = end + 1)
            read_line(out.substr(taken_, end - taken_));
    }

    Counts counts;
    std::size_t events = 0;

private:
    void read_line(const std::string &line)
    {
        std::istringstream words(line);
        std::string socket;
        std::string pid;
        std::string comm;
        std::string family;
        std::string local;
        std::string remote;
        std::string from;
        std::string arrow;
        std::string to;
        unsigned local_port = 0;
        unsigned remote_port = 0;
        words >> socket >> pid >> comm >> family >> local >> local_port >> remote >> remote_port >> from >> arrow >> to;
        if (!words || (local != needle_ && remote != needle_))
            return;
        ++counts[key(local_port, remote_port, from, to)];
        ++events;
    }

    std::string needle_;
    std::size_t taken_ = 0;
};

class ComparedWithTcpstates : public LiveTest {
protected:
    // `doubt` says why nothing can be concluded; empty if it can.
    void compare(const Comparison &what, std::string &doubt) const
    {
        const std::string address = own_address();
        Actor server("server");
        Actor client("client");
        // Line-buffered, so that its header tells that it is attached.
        Process tcpstates({.argv = {"stdbuf", "-oL", "tcpstates", "-w"}});
        ASSERT_TRUE(tcpstates.read_until([&] { return tcpstates.out().find("OLDSTATE") != std::string::npos; }))
            << tcpstates.err();
        BulkTracer tcpflight(netns(), {});

        const ActorSocket listener = server.listen(SocketAddress::v4(address.c_str()));
        server.begin_serve(listener, what.connections - what.refused());
        client.begin_churn(listener.local, what.connections, what.pause, what.refused_every);
        TcpstatesReader reader(address);
        const auto complete = [&] {
            reader.read(tcpstates.out());
            return reader.events >= what.events();
        };
        tcpstates.read_until([&] { return complete() || client.is_done(); }, std::chrono::seconds(40));
        ASSERT_EQ(client.finish().result, static_cast<std::int64_t>(what.connections - what.refused()));
        server.finish();
        ASSERT_TRUE(wait_until_settled());
        tcpstates.read_until(complete, std::chrono::seconds(2));
        tcpstates.signal(SIGINT);
        tcpstates.wait();
        const Totals totals = tcpflight.tracer().stop();

        // Where a program interrupts itself the kernel keeps the event from it. tcpflight tells; tcpstates does not,
        // but then its events are too few.
        if (!complete())
            doubt = "tcpstates has " + std::to_string(reader.events) + " events of " + std::to_string(what.events());
        else if (totals.err.find("program interrupted by itself") != std::string::npos)
            doubt = "tcpflight says: " + totals.err;
        if (!doubt.empty())
            return;
        EXPECT_EQ(totals.lost, 0U);

        Counts ours;
        std::size_t events = 0;
        std::map<std::uint64_t, std::uint64_t> port_of; // connection > its local port
        std::set<std::uint64_t> left;                   // connections that go on without a socket
        tcpflight.for_each([&](const TraceEvent &event) {
            if (!event.is("state"))
                return; // a FIN sent again, resets: the other tool does not show them
            const auto local = static_cast<unsigned>(event.number("local_port"));
            const auto remote = event.is_null("remote_port") ? 0U : static_cast<unsigned>(event.number("remote_port"));
            // What the kernel leaves in a socket's place, and what becomes of that, the other tool does not know of.
            const bool leaves = event.json().at("time_wait_socket") == true;
            if (leaves && !left.insert(event.number("conn")).second)
                return;
            ++ours[key(local, remote, event.text("old_state"), leaves ? "CLOSE" : event.text("new_state"))];
            ++events;
            // What the other tool cannot say of SYN_SENT holds of tcpflight by itself.
            auto [known, is_new] = port_of.try_emplace(event.number("conn"), local);
            EXPECT_EQ(known->second, local) << event.json().dump();
            EXPECT_NE(local, 0U);
        });
        EXPECT_EQ(events, what.events());
        expect_equal(ours, reader.counts);
    }

private:
    static void expect_equal(const Counts &ours, const Counts &theirs)
    {
        std::string differences;
        std::size_t shown = 0;
        const auto look = [&](const Counts &one, const Counts &other, const char *sign) {
            for (const auto &[key, count] : one) {
                const auto found = other.find(key);
                const int surplus = count - (found == other.end() ? 0 : found->second);
                if (surplus <= 0 || ++shown > 20)
                    continue;
                const auto &[local, remote, from, to] = key;
                differences += sign + std::to_string(surplus) + ": " + std::to_string(local) + " > " +
                               std::to_string(remote) + " " + from + " -> " + to + "\n";
            }
        };
        look(ours, theirs, "only tcpflight ");
        look(theirs, ours, "only tcpstates ");
        EXPECT_EQ(differences, "");
    }
};

TEST_F(ComparedWithTcpstates, TenThousandConnections)
{
    if (!are_installed("tcpstates stdbuf"))
        GTEST_SKIP() << "needs tcpstates (package libbpf-tools) and stdbuf";
    if (!have_tracefs())
        GTEST_SKIP() << "needs a tracefs for tcpstates";
    std::string doubt;
    for (int pause_us : {50, 100, 200, 400}) {
        doubt.clear();
        ASSERT_NO_FATAL_FAILURE(compare({10'000, 10, std::chrono::microseconds(pause_us)}, doubt));
        if (doubt.empty())
            return;
    }
    GTEST_SKIP() << "events were lost at every pace; " << doubt;
}

} // namespace
} // namespace tcpflight::test

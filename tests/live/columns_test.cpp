// --format tcplife and --format tcpstates, beside the tools whose columns they have.
#include "live/live_test.h"
#include "live/other_tools.h"
#include "support/lines.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace tcpflight::test {
namespace {

std::vector<std::string> words_of(const std::string &line)
{
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

// From these columns on.
std::string from_word(const std::string &line, std::size_t number, std::size_t count)
{
    const auto words = words_of(line);
    std::string rest;
    for (std::size_t i = number; i < std::min(number + count, words.size()); i++)
        rest += words[i] + " ";
    return rest;
}

class ColumnsTest : public LiveTest {
protected:
    void SetUp() override
    {
        LiveTest::SetUp();
        if (IsSkipped())
            return;
        if (!are_installed("tcplife tcpstates stdbuf"))
            GTEST_SKIP() << "needs tcplife and tcpstates (package libbpf-tools) and stdbuf";
        if (!have_tracefs())
            GTEST_SKIP() << "needs a tracefs for libbpf-tools";
    }

    // Both, until they have shown `count` lines with `needle`.
    struct Pair {
        Process theirs;
        Process ours;
    };
    [[nodiscard]] Pair start(const std::string &tool) const
    {
        // Line-buffered, so that its header tells that it is attached.
        Process theirs({.argv = {"stdbuf", "-oL", tool}});
        EXPECT_TRUE(theirs.read_until([&] { return theirs.out().find('\n') != std::string::npos; })) << theirs.err();
        return {std::move(theirs), start_tcpflight({"--format", tool, "netns", std::to_string(netns())})};
    }
    static std::vector<std::string> with(const std::string &out, const std::string &needle)
    {
        std::vector<std::string> found;
        for (const auto &line : lines_of(out)) {
            if (line.find(" " + needle + " ") != std::string::npos)
                found.push_back(line);
        }
        return found;
    }
    static void read(Process &process, const std::string &needle, std::size_t count)
    {
        EXPECT_TRUE(process.read_until([&] { return with(process.out(), needle).size() >= count; })) << process.out();
    }
    static void stop(Process &process)
    {
        process.signal(SIGINT);
        EXPECT_EQ(process.wait(), exited(0)) << process.err();
    }
};

TEST_F(ColumnsTest, TcplifeFieldForField)
{
    const std::string address = own_address();
    auto [theirs, ours] = start("tcplife");
    Actor server("a server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4(address.c_str()));
    // Its client closes first, with bytes in both directions, of which 128 more are half of a hundredth of a KiB.
    const Connection first = connect(client, server, listener);
    client.send(first.client, 5000);
    server.receive(first.child, 5000);
    server.send(first.child, 1024 * 1024 + 128);
    client.receive(first.client, 1024 * 1024 + 128);
    close_in_order(client, first.client, server, first.child);
    // Its server closes first.
    const Connection second = connect(client, server, listener);
    close_in_order(server, second.child, client, second.client);
    // It is cut off.
    const Connection third = connect(client, server, listener);
    server.set_linger_0(third.child);
    server.close(third.child);
    client.close(third.client);
    // Nobody listens.
    const ActorSocket refused = client.connect(SocketAddress::v4(address.c_str(), 1));
    EXPECT_EQ(refused.step.error, ECONNREFUSED);
    client.close(refused);
    server.close(listener);
    constexpr std::size_t ends = 7;
    read(ours, address, ends);
    read(theirs, address, ends);
    stop(ours);
    stop(theirs);

    ASSERT_FALSE(lines_of(ours.out()).empty());
    EXPECT_EQ(lines_of(ours.out()).front(), lines_of(theirs.out()).front());
    std::map<std::string, std::string> by_ends; // their lines
    for (const auto &line : with(theirs.out(), address))
        by_ends[from_word(line, words_of(line).size() - 7, 4)] = line;
    const auto shown = with(ours.out(), address);
    EXPECT_EQ(shown.size(), ends) << "a listener has no line";
    for (const auto &line : shown) {
        SCOPED_TRACE(line);
        const auto words = words_of(line);
        ASSERT_EQ(words.size(), 9U);
        const auto known = by_ends.find(from_word(line, 2, 4));
        ASSERT_NE(known, by_ends.end()) << theirs.out();
        SCOPED_TRACE(known->second);
        // All but who it is and how long it took, to the column.
        const auto begin = std::string_view("PID     COMM             ").size();
        EXPECT_EQ(line.substr(begin, line.rfind(' ') - begin),
                  known->second.substr(begin, known->second.rfind(' ') - begin));
        // Both take the times in the same event, one program after the other.
        EXPECT_NEAR(std::stod(words.back()), std::stod(words_of(known->second).back()), 50.0 * patience());
        // Theirs is whoever was on the CPU, where the other end made it close.
        const bool is_server = words[3] == std::to_string(listener.local.port());
        EXPECT_EQ(words[0], std::to_string(is_server ? server.pid() : client.pid()));
        EXPECT_EQ(words[1], is_server ? "a\\x20server" : "client");
    }
}

TEST_F(ColumnsTest, TcpstatesFieldForField)
{
    const std::string address = own_address();
    auto [theirs, ours] = start("tcpstates");
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4(address.c_str()));
    const Connection c = connect(client, server, listener);
    close_in_order(client, c.client, server, c.child);
    server.close(listener);
    // Listener: 2. Connection: 5 at each end.
    constexpr std::size_t changes = 12;
    read(ours, address, changes);
    read(theirs, address, changes);
    stop(ours);
    stop(theirs);

    EXPECT_EQ(lines_of(ours.out()).front(), lines_of(theirs.out()).front());
    const auto shown = with(ours.out(), address);
    const auto expected = with(theirs.out(), address);
    ASSERT_EQ(shown.size(), changes) << ours.out();
    ASSERT_EQ(expected.size(), changes) << theirs.out();
    const auto begin = shown.front().find(address);
    EXPECT_EQ(begin, expected.front().find(address));
    // Neither tool promises an order between sockets.
    const auto columns = [&](const std::vector<std::string> &lines) {
        std::vector<std::string> rest;
        for (const auto &line : lines) {
            auto text = line.substr(begin, line.rfind(' ') - begin);
            // Theirs does not know the port yet, nor TIME_WAIT.
            const auto port = text.find(' ' + std::to_string(c.client.local.port()) + ' ');
            if (text.find("CLOSE       -> SYN_SENT") != std::string::npos && port != std::string::npos)
                text.replace(port, 7, " 0     ");
            if (const auto state = text.find("-> TIME_WAIT"); state != std::string::npos)
                text.replace(state, 12, "-> CLOSE    ");
            rest.push_back(text);
        }
        std::sort(rest.begin(), rest.end());
        return rest;
    };
    EXPECT_EQ(columns(shown), columns(expected));
    for (const auto &line : shown) {
        const auto words = words_of(line);
        ASSERT_EQ(words.size(), 11U) << line;
        const bool is_server = words[4] == std::to_string(listener.local.port());
        EXPECT_EQ(words[1], std::to_string(is_server ? server.pid() : client.pid())) << line;
        EXPECT_EQ(words[2], is_server ? "server" : "client") << line;
    }
}

} // namespace
} // namespace tcpflight::test

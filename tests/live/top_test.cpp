// `tcpflight top` in a real terminal: tmux's.
#include "live/live_test.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

namespace tcpflight::test {
namespace {

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

// A shell in a terminal of its own, which ends with this.
class Shell {
public:
    Shell(int columns, int lines) : name_(unique_name())
    {
        tmux({"new-session", "-d", "-s", "s", "-x", std::to_string(columns), "-y", std::to_string(lines),
              "env PS1='$ ' bash --norc --noprofile"});
        tmux({"set-option", "-g", "escape-time", "0"});
    }
    Shell(const Shell &) = delete;
    Shell &operator=(const Shell &) = delete;
    ~Shell() { tmux({"kill-server"}); }

    void type(const std::string &text) { tmux({"send-keys", "-l", "-t", "s", text}); }
    // As tmux names it: "Enter", "Escape", "C-z".
    void press(const std::string &key) { tmux({"send-keys", "-t", "s", key}); }
    void run_line(const std::string &line)
    {
        type(line);
        press("Enter");
    }
    void resize(int columns, int lines)
    {
        tmux({"resize-window", "-t", "s", "-x", std::to_string(columns), "-y", std::to_string(lines)});
    }
    std::vector<std::string> lines()
    {
        std::vector<std::string> lines;
        std::istringstream stream(screen());
        for (std::string line; std::getline(stream, line);)
            lines.push_back(line);
        return lines;
    }
    std::string screen() { return tmux({"capture-pane", "-p", "-t", "s"}); }
    // The process that it runs now; -1: none.
    pid_t child()
    {
        const auto shell = tmux({"display-message", "-p", "-t", "s", "#{pane_pid}"});
        const auto pid = shell.substr(0, shell.find('\n'));
        std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
        pid_t child = -1;
        children >> child;
        return children ? child : -1;
    }
    bool shows_alternate_screen() { return tmux({"display-message", "-p", "-t", "s", "#{alternate_on}"}) == "1\n"; }

    AssertionResult comes_to(const std::function<bool()> &condition)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20) * patience();
        while (std::chrono::steady_clock::now() < deadline) {
            if (condition())
                return AssertionSuccess();
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return AssertionFailure() << "the screen is:\n" << screen();
    }
    AssertionResult comes_to_show(const std::string &text)
    {
        return comes_to([&] { return screen().find(text) != std::string::npos; });
    }

private:
    // A server that ends takes a moment, in which nobody is to come to it.
    static std::string unique_name()
    {
        static int count = 0;
        return "tcpflight-test-" + std::to_string(getpid()) + "-" + std::to_string(count++);
    }
    std::string tmux(const std::vector<std::string> &arguments)
    {
        Spawn spawn{.argv = {"tmux", "-L", name_, "-f", "/dev/null"}};
        spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
        return run(spawn).out;
    }

    std::string name_;
};

class TopTest : public LiveTest {
protected:
    void SetUp() override
    {
        LiveTest::SetUp();
        if (!IsSkipped() && !are_installed("tmux stty"))
            GTEST_SKIP() << "needs tmux and stty";
    }

    // Of this namespace, since the rest of the host goes on meanwhile.
    [[nodiscard]] std::string top(const std::string &arguments = {}) const
    {
        std::string line = TCPFLIGHT_BINARY " top -d 0.2 " + arguments + " netns " + std::to_string(netns());
        if (const char *layer = std::getenv("TCPFLIGHT_TEST_LAYER"))
            line += std::string(" --layer ") + layer;
        return line;
    }
    static std::string port(const ActorSocket &socket) { return std::to_string(socket.local.port()); }

    // The rows: what stands below the headings.
    static std::vector<std::string> rows(Shell &shell)
    {
        std::vector<std::string> rows;
        bool below = false;
        for (const auto &line : shell.lines()) {
            if (below && line.empty())
                break;
            if (below)
                rows.push_back(line);
            below |= line.starts_with("STATE ");
        }
        return rows;
    }
    // In which row this is; -1: in none.
    static int row_of(Shell &shell, const std::string &text)
    {
        const auto all = rows(shell);
        for (std::size_t i = 0; i < all.size(); i++) {
            if (all[i].find(text) != std::string::npos)
                return static_cast<int>(i);
        }
        return -1;
    }
};

TEST_F(TopTest, PutsABrokenConnectionFirstAndShowsItsTimeline)
{
    Shell shell(120, 30);
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 12345));
    const Connection healthy = connect(client, server, listener);
    const Connection broken = connect(client, server, listener);
    shell.run_line(top());
    const std::string ends = "127.0.0.1.12345 127.0.0.1." + port(broken.client);
    ASSERT_TRUE(shell.comes_to([&] { return row_of(shell, ends) >= 0; })) << "what was there is shown";
    EXPECT_TRUE(shell.comes_to_show("alarms 0  lost 0"));

    PacketDrop drop("tcp dport " + port(broken.client));
    server.close(broken.child);
    ASSERT_TRUE(shell.comes_to([&] {
        const auto all = rows(shell);
        return !all.empty() && all[0].starts_with("FIN_WAIT1 ") && all[0].find(ends) != std::string::npos &&
               all[0].find("half-open") != std::string::npos;
    }));
    EXPECT_TRUE(shell.comes_to_show("alarms 1  lost 0"));
    EXPECT_GE(row_of(shell, "127.0.0.1.12345 127.0.0.1." + port(healthy.client)), 1);

    shell.press("Enter");
    ASSERT_TRUE(shell.comes_to_show("verdict: half-open: FIN sent "));
    const std::string timeline = shell.screen();
    EXPECT_NE(timeline.find("127.0.0.1.12345 > 127.0.0.1." + port(broken.client)), std::string::npos) << timeline;
    EXPECT_NE(timeline.find("ESTABLISHED -> FIN_WAIT1"), std::string::npos) << timeline;
    EXPECT_NE(timeline.find("retransmit FIN"), std::string::npos) << timeline;
    EXPECT_NE(timeline.find("not ended: in FIN_WAIT1"), std::string::npos) << timeline;
    shell.press("Escape");
    EXPECT_TRUE(shell.comes_to_show("events/s"));
}

TEST_F(TopTest, SortsAndFilters)
{
    Shell shell(100, 24);
    Actor server("server");
    Actor client("client");
    const ActorSocket first = server.listen(SocketAddress::v4("127.0.0.1", 12345));
    const ActorSocket second = server.listen(SocketAddress::v4("127.0.0.1", 12346));
    connect(client, server, first);
    connect(client, server, second);
    shell.run_line(top("--sort local"));
    ASSERT_TRUE(shell.comes_to([&] { return rows(shell).size() == 6; }));
    const auto order = [&] { return std::pair(row_of(shell, ".12345 *"), row_of(shell, ".12346 *")); };
    EXPECT_LT(order().first, order().second);
    shell.type("r");
    EXPECT_TRUE(shell.comes_to([&] { return order().first > order().second; }));
    EXPECT_TRUE(shell.comes_to_show("by local, reversed"));
    shell.type("S");
    EXPECT_TRUE(shell.comes_to([&] { return rows(shell).at(0).starts_with("ESTABLISHED"); }));

    shell.type("/");
    ASSERT_TRUE(shell.comes_to_show("filter:"));
    shell.run_line("port 12345 andd state LISTEN");
    ASSERT_TRUE(shell.comes_to_show("'andd' is no keyword: did you mean 'and'?"));
    EXPECT_TRUE(shell.comes_to_show("               ^~~~"));
    shell.press("C-u");
    shell.run_line("port 12345 and state LISTEN");
    EXPECT_TRUE(shell.comes_to([&] { return rows(shell).size() == 1 && row_of(shell, ".12345 *") == 0; }));
    EXPECT_TRUE(shell.comes_to_show("(1 of 6)"));
}

TEST_F(TopTest, FollowsTheSizeOfTheTerminal)
{
    Shell shell(120, 40);
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1", 12345));
    for (int i = 0; i < 10; i++)
        connect(client, server, listener);
    shell.run_line(top());
    ASSERT_TRUE(shell.comes_to([&] { return rows(shell).size() == 21; }));
    EXPECT_TRUE(shell.comes_to_show(" AGE "));
    const std::vector<std::pair<int, int>> sizes{{80, 24}, {40, 10}, {100, 30}};
    for (const auto &size : sizes) {
        const auto columns = static_cast<std::size_t>(size.first);
        const auto lines = static_cast<std::size_t>(size.second);
        SCOPED_TRACE(std::to_string(columns) + "x" + std::to_string(lines));
        shell.resize(size.first, size.second);
        ASSERT_TRUE(shell.comes_to([&] {
            const auto shown = shell.lines();
            return shown.size() == lines && shown.back().starts_with("q quit") && shown[0].starts_with("tcpflight top");
        }));
        EXPECT_TRUE(shell.comes_to_show("alarms 0  lost 0"));
        EXPECT_TRUE(shell.comes_to_show("ESTABLISHED"));
        for (const auto &line : shell.lines())
            EXPECT_LE(line.size(), columns) << line;
    }
}

// However it ends, and while it is stopped.
TEST_F(TopTest, LeavesTheTerminalAsItWas)
{
    const auto folder = std::filesystem::temp_directory_path() / ("tcpflight-top-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const auto contents = [&](const std::string &name) {
        std::ifstream file(folder / name);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const auto stty = [&](const std::string &name) { return "stty -a > " + (folder / name).string(); };
    Shell shell(80, 24);
    shell.run_line(stty("before") + "; echo rea''dy");
    ASSERT_TRUE(shell.comes_to_show("ready"));
    const auto is_as_before = [&](const std::string &name) {
        shell.run_line(stty(name) + "; echo don''e " + name);
        EXPECT_TRUE(shell.comes_to_show("done " + name));
        EXPECT_FALSE(shell.shows_alternate_screen());
        EXPECT_NE(shell.screen().find("marker"), std::string::npos) << shell.screen();
        EXPECT_FALSE(contents("before").empty());
        EXPECT_EQ(contents(name), contents("before"));
    };
    const auto begin = [&] {
        shell.run_line("clear; echo mar''ker; " + top());
        EXPECT_TRUE(shell.comes_to_show("events/s"));
        EXPECT_TRUE(shell.shows_alternate_screen());
    };
    const auto ends = [&] { return shell.comes_to([&] { return !shell.shows_alternate_screen(); }); };

    begin();
    shell.type("q");
    ASSERT_TRUE(ends());
    is_as_before("quit");

    begin();
    shell.press("C-z");
    ASSERT_TRUE(ends());
    is_as_before("stopped");
    shell.run_line("fg");
    ASSERT_TRUE(shell.comes_to_show("events/s"));
    shell.press("C-c");
    ASSERT_TRUE(ends());
    is_as_before("interrupted");

    for (const int number : {SIGTERM, SIGSEGV}) {
        begin();
        ASSERT_NE(shell.child(), -1);
        kill(shell.child(), number);
        ASSERT_TRUE(ends());
        is_as_before("signal" + std::to_string(number));
    }
    std::filesystem::remove_all(folder);
}

TEST_F(TopTest, EndsAfterSomePicturesAndLeavesTheLastOne)
{
    Shell shell(80, 24);
    Actor server("server");
    server.listen(SocketAddress::v4("127.0.0.1", 12345));
    shell.run_line(top("-n 2 --color never") + "; echo stat''us $?");
    ASSERT_TRUE(shell.comes_to_show("status 0"));
    EXPECT_FALSE(shell.shows_alternate_screen());
    EXPECT_EQ(row_of(shell, ".12345 *"), 0) << shell.screen();
}

TEST_F(TopTest, SaysWhatToDoWithoutATerminal)
{
    const Finished piped = run_tcpflight({"top"});
    EXPECT_EQ(piped.status, exited(1));
    EXPECT_EQ(piped.err, "tcpflight: top: standard output is not a terminal: tcpflight list shows the connections of "
                         "now, and tcpflight -g all that happens\n");
    Shell shell(80, 24);
    shell.run_line("TERM=dumb " + top() + "; echo stat''us $?");
    ASSERT_TRUE(shell.comes_to_show("status 1"));
    EXPECT_NE(shell.screen().find("this terminal (TERM='dumb') has no cursor to move"), std::string::npos);
}

} // namespace
} // namespace tcpflight::test

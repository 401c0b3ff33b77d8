#include "list/socket_table.h"

#include "unit/list/snapshot_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t listening = 10;
constexpr std::uint8_t new_syn_recv = 12;

std::string table(const SnapshotBuilder &snapshot, const OutputStyle &style = {}, bool wide = false)
{
    auto list = snapshot.list();
    std::string text;
    put_socket_table(list.sockets(), style, wide, text);
    return text;
}

SnapshotBuilder some()
{
    tf_socket waiting{};
    waiting.recv_queue = 41;
    waiting.send_queue = 5000;
    waiting.timer = TF_TIMER_RETRANSMIT;
    waiting.timer_left_us = 204'000;
    waiting.retries = 3;
    waiting.since_ns = 1;
    waiting.inode = 77;
    SnapshotBuilder snapshot;
    snapshot.add(1, listening, 80, 0, 10, "nginx").add(2, established, 80, 40000, 10, "nginx", waiting);
    snapshot.hold(1, 10, 6, "nginx").hold(1, 11, 6, "nginx").hold(1, 11, 7, "nginx").hold(2, 10, 8, "nginx");
    return snapshot;
}

TEST(SocketTable, IsAsWideAsItsContents)
{
    EXPECT_EQ(table(some()),
              "STATE       RECV-Q SEND-Q LOCAL        REMOTE          PROCESS      TIMER               AGE\n"
              "LISTEN           0      0 127.0.0.1.80 *               nginx[10] +1 -                     -\n"
              "ESTABLISHED     41   5000 127.0.0.1.80 127.0.0.2.40000 nginx[10]    retransmit 204ms #3  0s\n");
}

TEST(SocketTable, LeavesTheLastColumnsOutWhereTheTerminalIsNarrow)
{
    OutputStyle style;
    style.columns = 80;
    EXPECT_EQ(table(some(), style), "STATE       RECV-Q SEND-Q LOCAL        REMOTE          PROCESS\n"
                                    "LISTEN           0      0 127.0.0.1.80 *               nginx[10] +1\n"
                                    "ESTABLISHED     41   5000 127.0.0.1.80 127.0.0.2.40000 nginx[10]\n");
    style.columns = 60;
    EXPECT_EQ(table(some(), style), "STATE       RECV-Q SEND-Q LOCAL        REMOTE\n"
                                    "    PROCESS\n"
                                    "LISTEN           0      0 127.0.0.1.80 *\n"
                                    "    nginx[10] +1\n"
                                    "ESTABLISHED     41   5000 127.0.0.1.80 127.0.0.2.40000\n"
                                    "    nginx[10]\n");
}

TEST(SocketTable, ShowsEverythingIfWide)
{
    OutputStyle style;
    style.columns = 80;
    const auto text = table(some(), style, true);
    EXPECT_NE(text.find(" CONTAINER PROCESSES\n"), std::string::npos) << text;
    EXPECT_NE(text.find(" nginx[10]:6,nginx[11]:6,nginx[11]:7\n"), std::string::npos) << text;
    EXPECT_NE(text.find(" 77 -         nginx[10]:8\n"), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(SocketTable, HasAHeadingAlsoWhereThereIsNothing)
{
    EXPECT_EQ(table({}), "STATE RECV-Q SEND-Q LOCAL REMOTE PROCESS TIMER AGE\n");
}

TEST(SocketTable, CallsAHandshakeThatIsNotOverSynRecv)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, new_syn_recv, 80, 40000);
    EXPECT_NE(table(snapshot).find("\nSYN_RECV "), std::string::npos);
}

TEST(SocketTable, EscapesNames)
{
    SnapshotBuilder snapshot;
    snapshot.add(1, established, 80, 40000, 10, "a\x1b[2J");
    EXPECT_NE(table(snapshot).find(" a\\x1b[2J[10] "), std::string::npos) << table(snapshot);
}

TEST(SocketTable, ColorsTheStateAndNothingElse)
{
    OutputStyle style;
    style.color = true;
    auto text = table(some(), style);
    EXPECT_NE(text.find("\x1b[32mESTABLISHED\x1b[0m     41"), std::string::npos) << text;
    for (std::size_t at = 0; (at = text.find('\x1b')) != std::string::npos;)
        text.erase(at, text.find('m', at) + 1 - at);
    EXPECT_EQ(text, table(some()));
}

} // namespace
} // namespace tcpflight::test

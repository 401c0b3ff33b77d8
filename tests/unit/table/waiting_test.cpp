// Which sockets of a look are told of: those that wait, and are known.
#include "table/waiting.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <span>
#include <vector>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t close_wait = 8;
constexpr std::uint64_t us_per_s = 1'000'000;
constexpr std::uint64_t ns_per_s = 1'000'000'000;

class WaitingTest : public testing::Test {
protected:
    WaitingTest()
    {
        look_.begin_ns = 20 * ns_per_s;
        look_.end_ns = 21 * ns_per_s;
    }

    void open(std::uint64_t cookie, std::uint64_t second = 10)
    {
        Record record{};
        const auto bytes =
            RecordBuilder::state(cookie, second * us_per_s, syn_recv, established).identity(40000, 80).bytes();
        ASSERT_EQ(decode(bytes, record), DecodeError::None);
        table_.observe(record);
    }
    void sees(std::uint64_t cookie, std::uint8_t state, const tf_socket &socket)
    {
        const auto bytes = RecordBuilder::found(cookie, 20 * us_per_s, state, socket).identity(40000, 80).bytes();
        look_.records.insert(look_.records.end(), bytes.begin(), bytes.end());
    }
    // The records that come of it, decoded.
    std::vector<Record> found()
    {
        std::vector<Record> records;
        const auto bytes = waiting_.find(table_, look_, 22 * ns_per_s, meanwhile_);
        for (auto rest = std::span<const std::byte>(bytes); !rest.empty();) {
            tf_header header{};
            std::memcpy(&header, rest.data(), sizeof(header));
            Record record{};
            EXPECT_EQ(decode(rest.first(encoded_size(header)), record), DecodeError::None);
            records.push_back(record);
            rest = rest.subspan(encoded_size(header));
        }
        return records;
    }

    static tf_socket open_file()
    {
        tf_socket socket{};
        socket.inode = 77;
        return socket;
    }

    Table table_;
    Look look_;
    Meanwhile meanwhile_;
    Waiting waiting_;
};

TEST_F(WaitingTest, TellsOfWhatWaitsAndOfNothingElse)
{
    for (std::uint64_t cookie = 1; cookie <= 6; cookie++)
        open(cookie);
    auto unread = open_file();
    unread.recv_queue = 1;
    auto closed_window = open_file();
    closed_window.timer = TF_TIMER_PROBE;
    auto keepalive = open_file();
    keepalive.timer = TF_TIMER_KEEPALIVE;
    auto unanswered = keepalive;
    unanswered.retries = 1;
    sees(1, established, open_file());
    sees(2, established, unread);
    sees(3, established, closed_window);
    sees(4, established, keepalive);
    sees(5, established, unanswered);
    sees(6, established, tf_socket{}); // not accepted
    sees(7, established, unread);      // nobody knows it
    const auto records = found();
    std::vector<std::uint64_t> cookies;
    for (const auto &record : records) {
        cookies.push_back(record.header.cookie);
        EXPECT_EQ(record.header.time_ns, 22 * ns_per_s);
        EXPECT_NE(record.socket.bits & TF_SOCKET_WAITS, 0);
    }
    EXPECT_EQ(cookies, (std::vector<std::uint64_t>{2, 3, 5, 6}));
}

// What was sent and is not acknowledged: told until it is.
TEST_F(WaitingTest, TellsOfWhatIsSilent)
{
    for (std::uint64_t cookie = 1; cookie <= 2; cookie++)
        open(cookie);
    auto silent = open_file();
    silent.timer = TF_TIMER_RETRANSMIT;
    silent.retries = 2;
    auto once = silent;
    once.retries = 1; // an ordinary loss
    sees(1, established, silent);
    sees(2, established, once);
    const auto told = found();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].header.cookie, 1U);
    look_.records.clear();
    sees(1, established, open_file());
    const auto over = found();
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].socket.timer, TF_TIMER_NONE);
}

// Both ends on this host, and one is gone: told at two looks.
TEST_F(WaitingTest, TellsOfWhatIsDeserted)
{
    for (std::uint64_t cookie = 1; cookie <= 3; cookie++)
        open(cookie);
    const auto sees_end = [&](std::uint64_t cookie, std::uint16_t local, std::uint16_t remote) {
        tf_identity identity{}; // both ends have the same address
        identity.local_port = local;
        identity.remote_port = remote;
        identity.family = AF_INET6;
        const auto bytes =
            RecordBuilder::found(cookie, 20 * us_per_s, established, open_file()).identity(identity).bytes();
        look_.records.insert(look_.records.end(), bytes.begin(), bytes.end());
    };
    const auto cookies = [&] {
        std::vector<std::uint64_t> told;
        for (const auto &record : found())
            told.push_back(record.header.cookie);
        return told;
    };
    sees_end(1, 40'000, 80);
    sees_end(2, 80, 40'000);
    sees_end(3, 40'001, 80); // nobody is at its other end
    const auto all = look_.records;
    EXPECT_EQ(cookies(), std::vector<std::uint64_t>{3});
    EXPECT_EQ(cookies(), std::vector<std::uint64_t>{3});
    EXPECT_TRUE(cookies().empty()) << "behind a translation of addresses it would never end";
    look_.records.clear();
    sees_end(1, 40'000, 80);
    EXPECT_EQ(cookies(), std::vector<std::uint64_t>{1}) << "the other has gone";
}

TEST_F(WaitingTest, TellsThatItIsOver)
{
    open(1);
    auto unread = open_file();
    unread.recv_queue = 1;
    sees(1, established, unread);
    EXPECT_EQ(found().size(), 1U);
    look_.records.clear();
    sees(1, established, open_file());
    const auto over = found();
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over[0].socket.recv_queue, 0U);
    EXPECT_TRUE(found().empty()) << "once";
}

TEST_F(WaitingTest, LeavesOutWhatMoved)
{
    open(1, 20);
    open(2);
    auto unread = open_file();
    unread.recv_queue = 1;
    sees(1, established, unread);     // it had an event while it was looked for
    sees(2, close_wait, open_file()); // its event was lost
    EXPECT_TRUE(found().empty());
}

TEST_F(WaitingTest, IsAnEventOfTheConnection)
{
    open(1);
    auto unread = open_file();
    unread.recv_queue = 5;
    sees(1, established, unread);
    const auto record = found().at(0);
    const auto event = table_.observe(record);
    ASSERT_TRUE(event);
    EXPECT_TRUE(std::get<Found>(event->what).waits);
    EXPECT_EQ(std::get<Found>(event->what).status.recv_queue, 5U);
    ASSERT_NE(event->identity, nullptr);
    EXPECT_EQ(event->identity->local.port, 40000);
    EXPECT_EQ(table_.slot(), table_.slot_of(1));
    Table other;
    EXPECT_FALSE(other.observe(record)) << "it is not news of a connection that nobody knows";
    EXPECT_EQ(other.size(), 0U);
}

} // namespace
} // namespace tcpflight::test

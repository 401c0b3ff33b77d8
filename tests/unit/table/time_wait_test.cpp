// Where a socket ends and its connection does not.
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t fin_wait2 = 5;
constexpr std::uint8_t time_wait = 6;

std::optional<Event> observe(Table &table, const RecordBuilder &builder)
{
    Record record{};
    EXPECT_EQ(decode(builder.bytes(), record), DecodeError::None);
    return table.observe(record);
}

TEST(TableTimeWait, EndsTheSocket)
{
    for (const auto left : {time_wait, fin_wait2}) {
        Table table;
        observe(table, RecordBuilder::state(1, 10, fin_wait1, fin_wait2).identity(40000, 80));
        auto event = observe(table, RecordBuilder::state(1, 50, fin_wait2, left).left());
        const auto &change = std::get<StateChange>(event->what);
        EXPECT_EQ(change.to, TcpState{left});
        EXPECT_TRUE(change.time_wait_socket);
        EXPECT_EQ(change.duration_ns, 40'000U);
        EXPECT_EQ(event->identity->remote.port, 80);
        EXPECT_EQ(table.size(), 0U);
    }
}

// Its rest can still answer a segment. The owner is the one that the socket had.
TEST(TableTimeWait, CanStillSendAReset)
{
    Table table;
    observe(table, RecordBuilder::state(1, 10, fin_wait1, fin_wait2).identity(40000, 80, 42, "curl"));
    observe(table, RecordBuilder::state(1, 50, fin_wait2, time_wait).left());
    auto event = observe(table, RecordBuilder::reset(1, 60, time_wait, TF_RESET_SENT, TF_RESET_TIME_WAIT)
                                    .identity(40000, 80, 0, "", TF_OWNER_UNKNOWN));
    EXPECT_EQ(std::get<Reset>(event->what).state, TcpState::TimeWait);
    EXPECT_EQ(event->identity->owner.comm_view(), "curl");
    EXPECT_EQ(table.size(), 0U);
}

} // namespace
} // namespace tcpflight::test

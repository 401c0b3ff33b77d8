// When the kernel gives up: held against what kernels did.
#include "table/give_up.h"

#include "model/tcp_state.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;

tf_retransmission limits(std::uint8_t max_retries, std::uint8_t rto_count, std::uint32_t retrying_ms)
{
    tf_retransmission record{};
    record.rto_max_ms = 120'000;
    record.max_retries = max_retries;
    record.rto_count = rto_count;
    record.retrying_ms = retrying_ms;
    return record;
}

// Seconds until the end, which is right if it is within a few percent: real timers expire late.
double seconds(const tf_retransmission &record, TcpState state, std::uint32_t rto_ms)
{
    const auto ns = time_until_give_up_ns(record, static_cast<std::uint8_t>(state), rto_ms * 1000);
    return ns ? static_cast<double>(*ns / ns_per_ms) / 1000 : -1;
}

// tcp_orphan_retries 0, which stands for 8. Seen on 6.18: FIN_WAIT1 at 33.83 s, time-outs from 34.24 to 88.70 s, end at
// 141.94 s.
TEST(GiveUp, OfAnOrphan)
{
    auto first = limits(0, 1, 0);
    first.orphan = 1;
    EXPECT_NEAR(seconds(first, TcpState::FinWait1, 204), 107.7, 5);
    auto last = limits(0, 8, 54'456);
    last.orphan = 1;
    EXPECT_NEAR(seconds(last, TcpState::FinWait1, 26'112), 53.2, 2);
}

// tcp_retries2 is 15: 924.6 s at the least, and the time-outs that it takes to get there.
TEST(GiveUp, OfDataThatIsNotAcknowledged)
{
    EXPECT_NEAR(seconds(limits(15, 1, 0), TcpState::Established, 200), 945, 30);
    EXPECT_NEAR(seconds(limits(15, 3, 1200), TcpState::Established, 800), 944, 30);
    EXPECT_NEAR(seconds(limits(3, 1, 0), TcpState::Established, 204), 6.12, 0.4);
    EXPECT_NEAR(seconds(limits(0, 1, 0), TcpState::Established, 204), 0.408, 0.02);
}

// Seen on 6.18 with tcp_syn_retries 3 and four linear time-outs: 1.0, 2.0, 3.1, 4.1, 5.1, 7.1, 11.4 s, end at 19.6 s.
TEST(GiveUp, OfAConnectWithLinearTimeouts)
{
    auto first = limits(3, 1, 1'000);
    first.syn_linear = 4;
    EXPECT_NEAR(seconds(first, TcpState::SynSent, 1'000), 18.6, 1);
    auto last = limits(3, 7, 11'400);
    last.syn_linear = 4;
    EXPECT_NEAR(seconds(last, TcpState::SynSent, 4'000), 8.2, 0.4);
}

// Seen on 6.1: 1.0, 3.0, 7.2 s, end at 15.4 s.
TEST(GiveUp, OfAConnectWithoutLinearTimeouts)
{
    EXPECT_NEAR(seconds(limits(3, 1, 1'000), TcpState::SynSent, 1'000), 14.4, 0.8);
    EXPECT_NEAR(seconds(limits(3, 3, 7'200), TcpState::SynSent, 4'000), 8.2, 0.4);
}

// It takes the place of the number of retries, and cuts the last time-out short.
TEST(GiveUp, AfterTcpUserTimeout)
{
    auto record = limits(15, 1, 0);
    record.user_timeout_ms = 5'000;
    EXPECT_NEAR(seconds(record, TcpState::Established, 204), 5, 0.3);
    record.retrying_ms = 6'000; // it was set when the time was over already
    EXPECT_LT(seconds(record, TcpState::Established, 204), 0.01);
}

TEST(GiveUp, IsNotKnownWithoutTimes)
{
    EXPECT_FALSE(time_until_give_up_ns(limits(15, 1, 0), 1, 0));
    auto record = limits(15, 1, 0);
    record.rto_max_ms = 0;
    EXPECT_FALSE(time_until_give_up_ns(record, 1, 204'000));
}

// Whatever a damaged record says, it comes to an end.
TEST(GiveUp, WithExtremeValues)
{
    auto record = limits(255, 255, 0);
    record.syn_linear = 255;
    EXPECT_TRUE(time_until_give_up_ns(record, 2, 1));
    record.rto_max_ms = 0xffffffff;
    EXPECT_TRUE(time_until_give_up_ns(record, 1, 0xffffffff));
    record.rto_max_ms = 1;
    record.rto_count = 0;
    time_until_give_up_ns(record, 1, 1);
}

} // namespace
} // namespace tcpflight

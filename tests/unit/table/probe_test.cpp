// Probes: how many may go, when the next one goes and when the kernel gives up.
#include "table/give_up.h"
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint64_t ns_per_ms = 1'000'000;

tf_probe window(std::uint8_t unanswered, std::uint8_t backoff)
{
    tf_probe probe{};
    probe.kind = TF_PROBE_WINDOW;
    probe.interval_ms = 200;
    probe.interval_max_ms = 120'000;
    probe.unanswered = unanswered;
    probe.backoff = backoff;
    probe.max_unanswered = 15;
    probe.waiting = 4096;
    return probe;
}

tf_probe keepalive(std::uint8_t unanswered)
{
    tf_probe probe{};
    probe.kind = TF_PROBE_KEEPALIVE;
    probe.interval_ms = 75'000;
    probe.unanswered = unanswered;
    probe.max_unanswered = 9;
    return probe;
}

double seconds(const std::optional<std::uint64_t> &ns)
{
    return ns ? static_cast<double>(*ns / ns_per_ms) / 1000 : -1;
}

// Nine probes, 75 s apart, and 75 s more after the last (tcp(7): TCP_KEEPINTVL, TCP_KEEPCNT).
TEST(ProbeTimes, OfKeepalive)
{
    EXPECT_NEAR(seconds(probe_times(keepalive(0)).gives_up_ns), 9 * 75, 25);
    EXPECT_NEAR(seconds(probe_times(keepalive(8)).gives_up_ns), 75, 3);
    EXPECT_EQ(seconds(probe_times(keepalive(3)).next_ns), 75);
}

// Then the time counts, from when anything came last, and it is looked at when the next probe is due.
TEST(ProbeTimes, OfKeepaliveWithATimeout)
{
    auto probe = keepalive(0);
    probe.user_timeout_ms = 100'000;
    probe.silent_ms = 10'000;
    EXPECT_NEAR(seconds(probe_times(probe).gives_up_ns), 150, 5);
    probe.unanswered = 20;
    probe.silent_ms = 99'000;
    EXPECT_NEAR(seconds(probe_times(probe).gives_up_ns), 75, 3);
}

// 0.4 + 0.8 + ... + 102.4 s, and 120 s for each of the rest: after the 15th probe one more time-out.
TEST(ProbeTimes, OfAWindow)
{
    EXPECT_EQ(seconds(probe_times(window(0, 0)).next_ns), 0.4);
    EXPECT_NEAR(seconds(probe_times(window(0, 0)).gives_up_ns), 204.4 + 6 * 120, 30);
    EXPECT_EQ(seconds(probe_times(window(14, 14)).next_ns), 120);
    EXPECT_NEAR(seconds(probe_times(window(14, 14)).gives_up_ns), 120, 4);
    // An answer begins the count anew, and leaves the back-off.
    EXPECT_NEAR(seconds(probe_times(window(0, 14)).gives_up_ns), 15 * 120, 60);
}

TEST(ProbeTimes, OfAWindowWithATimeout)
{
    auto probe = window(2, 2);
    probe.user_timeout_ms = 5'000;
    probe.closed_ms = 4'000;
    EXPECT_EQ(seconds(probe_times(probe).next_ns), 1);
    EXPECT_NEAR(seconds(probe_times(probe).gives_up_ns), 1, 0.05);
}

// tcp_orphan_retries 0 stands for 8.
TEST(ProbeTimes, OfAnOrphan)
{
    auto probe = window(7, 7);
    probe.orphan = 1;
    probe.max_unanswered = 0;
    EXPECT_EQ(probe_limit(probe), 8U);
    EXPECT_NEAR(seconds(probe_times(probe).gives_up_ns), 51.2, 2);
}

TEST(ProbeTimes, AreNotKnownWithoutTheClockRate)
{
    auto probe = keepalive(0);
    probe.interval_ms = 0;
    EXPECT_FALSE(probe_times(probe).next_ns);
    EXPECT_FALSE(probe_times(probe).gives_up_ns);
}

TEST(TableProbe, HappensInsideAState)
{
    auto raw = window(1, 1);
    raw.silent_ms = 200;
    raw.closed_ms = 600;
    Table table;
    Record record{};
    ASSERT_EQ(decode(RecordBuilder::probe(1, 10, established, raw).identity(1, 2).bytes(), record), DecodeError::None);
    auto event = table.observe(record);
    const auto &probe = std::get<Probe>(event->what);
    EXPECT_EQ(probe.state, TcpState::Established);
    EXPECT_EQ(probe.kind, ProbeKind::Window);
    EXPECT_EQ(probe.attempt, 2U);
    EXPECT_EQ(probe.limit, 15U);
    EXPECT_EQ(probe.waiting, 4096U);
    EXPECT_EQ(probe.silent_ns, 200 * ns_per_ms);
    EXPECT_EQ(probe.closed_ns, 600 * ns_per_ms);
    EXPECT_EQ(probe.next_ns, 800 * ns_per_ms);
    raw.closed_ms = 0;
    ASSERT_EQ(decode(RecordBuilder::probe(1, 20, established, raw).bytes(), record), DecodeError::None);
    EXPECT_FALSE(std::get<Probe>(table.observe(record)->what).closed_ns);
    raw.kind = TF_PROBE_KINDS;
    EXPECT_EQ(decode(RecordBuilder::probe(1, 20, established, raw).bytes(), record), DecodeError::BadValue);
}

} // namespace
} // namespace tcpflight::test

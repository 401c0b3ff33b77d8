// Connections that never come to be, or are cut off.
#include "live/live_test.h"

#include <cerrno>

namespace tcpflight::test {
namespace {

class Failure : public LiveTest {
protected:
    // The kernel has but one port to choose: so the test knows it even where the socket has lost it again.
    static SocketAddress only_port(const char *address)
    {
        set_sysctl("ipv4/ip_local_port_range", "40001 40001");
        return SocketAddress::v4(address, 40001);
    }
};

TEST_F(Failure, Refused)
{
    Tracer tracer = trace();
    Actor client("client");
    const SocketAddress local = only_port("127.0.0.1");
    ActorSocket socket = client.connect(SocketAddress::v4("127.0.0.1", 7));
    EXPECT_EQ(socket.step.error, ECONNREFUSED);
    socket.local = local;

    expect_exactly(tracer, {Timeline::of_client(socket)
                                .by(client, "connect")
                                .to("SYN_SENT", socket.step)
                                .receives_reset()
                                .to("CLOSE", socket.step)
                                .with_error("ECONNREFUSED"),
                            Timeline::of_stray_reset(socket.remote, socket.local, "CLOSE", "no_socket")});
}

TEST_F(Failure, RefusedTwiceOnOneSocket)
{
    Tracer tracer = trace();
    Actor client("client");
    const SocketAddress local = only_port("127.0.0.1");
    ActorSocket socket = client.connect(SocketAddress::v4("127.0.0.1", 7));
    ActorSocket again = socket;
    client.connect(again, SocketAddress::v4("127.0.0.1", 9));
    EXPECT_EQ(again.step.error, ECONNREFUSED);
    socket.local = again.local = local;

    expect_exactly(tracer, {Timeline::of_client(socket)
                                .by(client, "connect")
                                .to("SYN_SENT", socket.step)
                                .receives_reset()
                                .to("CLOSE", socket.step)
                                .with_error("ECONNREFUSED")
                                .again_as(again)
                                .to("SYN_SENT", again.step)
                                .receives_reset()
                                .to("CLOSE", again.step)
                                .with_error("ECONNREFUSED"),
                            Timeline::of_stray_reset(socket.remote, local, "CLOSE", "no_socket"),
                            Timeline::of_stray_reset(again.remote, local, "CLOSE", "no_socket")});
}

TEST_F(Failure, RefusedOverIPv6)
{
    Tracer tracer = trace();
    Actor client("client");
    const SocketAddress local = SocketAddress::v6("::1", only_port("127.0.0.1").port());
    ActorSocket socket = client.connect(SocketAddress::v6("::1", 7));
    EXPECT_EQ(socket.step.error, ECONNREFUSED);
    socket.local = local;

    expect_exactly(tracer, {Timeline::of_client(socket)
                                .by(client, "connect")
                                .to("SYN_SENT", socket.step)
                                .receives_reset()
                                .to("CLOSE", socket.step)
                                .with_error("ECONNREFUSED"),
                            Timeline::of_stray_reset(socket.remote, socket.local, "CLOSE", "no_socket")});
}

TEST_F(Failure, SynTimesOut)
{
    Tracer tracer = trace();
    Actor client("client");
    const SocketAddress local = only_port("127.0.0.1");
    // Two repetitions: after 1 s and 2 s, or 1 s and 3 s before Linux 6.5, which has but the second setting.
    const bool has_linear = set_sysctl("ipv4/tcp_syn_linear_timeouts", "1");
    set_sysctl("ipv4/tcp_syn_retries", has_linear ? "1" : "2");
    PacketDrop drop("tcp dport 7");
    ActorSocket socket = client.connect(SocketAddress::v4("127.0.0.1", 7));
    EXPECT_EQ(socket.step.error, ETIMEDOUT);
    socket.local = local;

    const auto timeline = Timeline::of_client(socket)
                              .by(client, "connect")
                              .to("SYN_SENT", socket.step)
                              .retransmits("S", 2)
                              .to("CLOSE", socket.step)
                              .with_error("ETIMEDOUT");
    expect_exactly(tracer, {timeline});
    ASSERT_EQ(tracer.events().size(), 4U);
    const std::uint64_t took_us = (socket.step.end_ns - socket.step.begin_ns) / 1000;
    const std::uint64_t told_us = tracer.events().back().number("duration_us");
    EXPECT_LE(told_us, took_us);
    EXPECT_GT(told_us + 100'000, took_us) << "connect(2) does nothing else for so long";
    // The segment's own count and the kernel's are the same where there is only one segment.
    EXPECT_EQ(tracer.events()[1].number("total"), 1U);
    EXPECT_EQ(tracer.events()[2].number("total"), 2U);
    // RFC 6298 section 2.1: one second before anything was measured.
    EXPECT_GE(tracer.events()[1].number("rto_us"), 900'000U);
    EXPECT_LE(tracer.events()[1].number("rto_us"), 2'100'000U) << "doubled once";
    EXPECT_TRUE(tracer.events()[1].is_null("rtt_us"));
}

} // namespace
} // namespace tcpflight::test

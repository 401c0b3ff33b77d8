// Handshakes and the queues of listeners, as text and as JSON.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

constexpr std::uint64_t second = 1'000'000'000;
constexpr Handshake again{.step = HandshakeStep::SynAckRetransmit,
                          .end = HandshakeEnd::Unknown,
                          .acknowledged = false,
                          .syn_repeated = false,
                          .attempt = 2,
                          .rto_ns = 4 * second,
                          .gives_up_ns = 60 * second,
                          .since_syn_ns = 3 * second + 4'000};
constexpr Handshake over{.step = HandshakeStep::NotCompleted,
                         .end = HandshakeEnd::TimedOut,
                         .acknowledged = false,
                         .syn_repeated = false,
                         .attempt = 5,
                         .rto_ns = {},
                         .gives_up_ns = {},
                         .since_syn_ns = 63 * second};
constexpr ListenQueue full{
    .accept_queue = 2, .syn_queue = 1, .limit = 1, .dropped = 5, .dropped_in_all = 12, .syn_cookies = false};

EventBuilder child(const Handshake &handshake)
{
    return EventBuilder()
        .local("10.0.0.1", 80)
        .remote("10.0.0.2", 5000)
        .owner("nginx", 77, OwnerSource::Inherited)
        .shakes_hands(handshake);
}

EventBuilder listener(const ListenQueue &queue)
{
    return EventBuilder()
        .local("10.0.0.1", 80)
        .remote("0.0.0.0", 0)
        .owner("nginx", 77, OwnerSource::Listen)
        .crowds(queue);
}

std::string json_of(const EventBuilder &event)
{
    OutputStyle style;
    style.format = Format::Json;
    auto line = test::print(style, {event});
    return line.substr(line.find("\"incomplete\""));
}

TEST(TextHandshake, TellsEachStep)
{
    EXPECT_EQ(print_text(child({})), "IP 10.0.0.1.80 > 10.0.0.2.5000: SYN received, nginx[77]\n");
    EXPECT_EQ(print_text(child(again)), "IP 10.0.0.1.80 > 10.0.0.2.5000: retransmit SYN-ACK #2 (RTO), RTO 4s, SYN 3s "
                                        "ago, gives up in 60s, nginx[77]\n");
    EXPECT_EQ(print_text(child(over)),
              "IP 10.0.0.1.80 > 10.0.0.2.5000: handshake not completed: timed out after 63s, 6 "
              "SYN-ACKs sent, nginx[77]\n");
}

TEST(TextHandshake, TellsWhatIsSpecial)
{
    auto repeated = again;
    repeated.syn_repeated = repeated.acknowledged = true;
    repeated.rto_ns = repeated.gives_up_ns = repeated.since_syn_ns = {};
    EXPECT_EQ(print_text(child(repeated)),
              "IP 10.0.0.1.80 > 10.0.0.2.5000: retransmit SYN-ACK #2 (SYN again), acknowledged, nginx[77]\n");
    auto found_over = over;
    found_over.end = HandshakeEnd::Unknown;
    found_over.attempt = 0;
    EXPECT_EQ(print_text(child(found_over)),
              "IP 10.0.0.1.80 > 10.0.0.2.5000: handshake not completed within 63s, 1 SYN-ACK sent, nginx[77]\n");
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(child(over), quiet), "IP 10.0.0.1.80 > 10.0.0.2.5000: handshake not completed\n");
    EXPECT_EQ(print_text(child(again), quiet), "IP 10.0.0.1.80 > 10.0.0.2.5000: retransmit SYN-ACK #2\n");
}

TEST(TextHandshake, TimeInTheSynQueueStandsWithEstablished)
{
    EXPECT_EQ(print_text(EventBuilder().changes(TcpState::SynRecv, TcpState::Established, 6'000).queued_syn(1'200'000)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: SYN_RECV -> ESTABLISHED after 6us, 1.2ms in the SYN queue, "
              "telnet[2231]\n");
}

TEST(TextListenQueue, TellsWhichIsFull)
{
    EXPECT_EQ(print_text(listener(full)), "IP 10.0.0.1.80 > *: accept queue full (2 of 1), 5 dropped, nginx[77]\n");
    auto partly = full;
    partly.with_room = 3;
    EXPECT_EQ(print_text(listener(partly)),
              "IP 10.0.0.1.80 > *: accept queue full (2 of 1), 5 dropped (3 not known as overflow), nginx[77]\n");
    auto unknown = full;
    unknown.dropped = {};
    EXPECT_EQ(print_text(listener(unknown)),
              "IP 10.0.0.1.80 > *: accept queue full (2 of 1), 12 dropped so far, nginx[77]\n");
    auto syns = full;
    syns.accept_queue = 0;
    syns.dropped = 0;
    syns.syn_cookies = true;
    EXPECT_EQ(print_text(listener(syns)),
              "IP 10.0.0.1.80 > *: SYN queue full (1 of 1), answers with SYN cookies, nginx[77]\n");
    auto neither = full;
    neither.limit = 10;
    OutputStyle verbose;
    verbose.metrics = true;
    EXPECT_EQ(
        print_text(listener(neither), verbose),
        "IP 10.0.0.1.80 > *: accept queue (2 of 10), 5 dropped, nginx[77] (listen), SYN queue 1, dropped in all 12, "
        "netns 4026531840, uid 1000\n");
}

TEST(JsonHandshake, HasAllItsKeys)
{
    EXPECT_EQ(json_of(child(again)),
              R"("incomplete":false,"step":"syn_ack_retransmit","attempt":2,"syn_repeated":false,"acknowledged":false,)"
              R"("since_syn_us":3000004,"rto_us":4000000,"gives_up_us":60000000,"reason":null})"
              "\n");
    EXPECT_EQ(json_of(child(over)),
              R"("incomplete":false,"step":"not_completed","attempt":5,"syn_repeated":false,"acknowledged":false,)"
              R"("since_syn_us":63000000,"rto_us":null,"gives_up_us":null,"reason":"timed_out"})"
              "\n");
    EXPECT_EQ(
        json_of(listener(full)),
        R"("incomplete":false,"accept_queue":2,"syn_queue":1,"limit":1,"dropped":5,"dropped_otherwise":0,"dropped_in_all":12,)"
        R"("syn_cookies":false})"
        "\n");
}

} // namespace
} // namespace tcpflight

// The schema in docs/json.md holds for what the sink writes, and says no to what it must never write.
#include "live/schema.h"
#include "unit/sink/print.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <functional>
#include <limits>
#include <span>

namespace tcpflight {
namespace {

using nlohmann::json;
using test::EventBuilder;

// The validator compares integers as signed ones. What is beyond is tested without it.
constexpr std::uint64_t largest_integer = std::numeric_limits<std::int64_t>::max();

const test::Schema &schema()
{
    static const auto from_document = test::Schema::from_document(TCPFLIGHT_JSON_DOCUMENT);
    return from_document;
}

json object_of(const EventBuilder &event, TimePrecision precision = TimePrecision::Micro)
{
    OutputStyle style;
    style.format = Format::Json;
    style.precision = precision;
    return json::parse(test::print(style, {event}));
}

EventBuilder retransmission()
{
    Retransmit retransmit;
    retransmit.flags = tcp_flag::psh | tcp_flag::ack;
    retransmit.length = 1448;
    retransmit.attempt = 1;
    retransmit.total = 1;
    return EventBuilder().retransmits(retransmit);
}

Handshake syn_ack_again()
{
    Handshake handshake;
    handshake.step = HandshakeStep::SynAckRetransmit;
    handshake.attempt = 1;
    handshake.rto_ns = handshake.gives_up_ns = handshake.since_syn_ns = largest_integer;
    return handshake;
}

Handshake no_listener()
{
    Handshake handshake;
    handshake.step = HandshakeStep::NotCompleted;
    handshake.end = HandshakeEnd::NoListener;
    return handshake;
}

ListenQueue full_queue()
{
    ListenQueue queue;
    queue.syn_queue = queue.dropped = queue.with_room = queue.dropped_in_all = 1;
    queue.syn_cookies = true;
    return queue;
}

Found everything_found()
{
    constexpr auto largest = std::numeric_limits<std::uint32_t>::max();
    return {.state = TcpState::FinWait2,
            .time_wait_socket = true,
            .error = 524,
            .status = {.inode = largest_integer,
                       .in_state_ns = 0,
                       .established_ns = largest_integer,
                       .recv_queue = largest,
                       .send_queue = largest,
                       .timer_left_us = largest,
                       .drops = largest,
                       .mark = largest,
                       .timer = Timer::Probe,
                       .retries = 255,
                       .ipv6_only = true,
                       .shut_read = true,
                       .shut_write = true},
            .metrics = {},
            .holders = {}};
}

Verdict everything_judged()
{
    Verdict verdict;
    verdict.kind = VerdictKind::HalfOpen;
    verdict.ended = true;
    verdict.closed_first = Closer::Both;
    verdict.unanswered = Unanswered::Fin;
    verdict.over = verdict.by_somaxconn = true;
    verdict.keepalive = Keepalive::On;
    verdict.reason = ResetReason::NotAccepted;
    verdict.error = 524;
    verdict.times_sent = verdict.retransmits = std::numeric_limits<std::uint32_t>::max();
    verdict.lasted_ns = verdict.handshake_ns = verdict.open_ns = verdict.answer_ns = verdict.silent_ns =
        largest_integer;
    verdict.gives_up_ns = verdict.limit_ns = largest_integer;
    verdict.other = {.connection = largest_integer, .state = TcpState::Close, .pid = 1, .comm = {'\xff', '"'}};
    return verdict;
}

Probe everything_probed()
{
    constexpr auto largest = std::numeric_limits<std::uint32_t>::max();
    Probe probe;
    probe.kind = ProbeKind::Window;
    probe.attempt = probe.limit = probe.waiting = largest;
    probe.silent_ns = probe.closed_ns = probe.next_ns = probe.gives_up_ns = largest_integer;
    return probe;
}

constexpr std::span<const Holder> no_holders;
constexpr std::array<Holder, 2> two_holders{{{.pid = 1, .tid = 1, .fd = 0, .comm = {'n', 'c'}},
                                             {.pid = 4194304, .tid = 4194304, .fd = 1U << 31, .comm = {'\xff', '"'}}}};

Found found_with(std::span<const Holder> holders)
{
    Found found;
    found.holders = holders;
    return found;
}

TEST(Schema, HoldsForEveryKindOfEvent)
{
    Retransmit largest;
    largest.flags = 0xffff;
    largest.length = largest.offset = largest.attempt = largest.total = largest.unseen =
        std::numeric_limits<std::uint32_t>::max();
    largest.send_error = 524;
    largest.metrics = {.rtt_us = 1, .rttvar_us = 0, .rto_us = 1, .ssthresh = infinite_ssthresh};
    const std::vector<EventBuilder> events{
        EventBuilder(),
        EventBuilder().changes(TcpState::SynSent, TcpState::Close, 108'007, ECONNREFUSED),
        EventBuilder().changes(TcpState::SynSent, TcpState::Close, 0, 524),
        EventBuilder().times_out(TcpState::FinWait1, TimedOut::Fin, true),
        EventBuilder().times_out(TcpState::Established, TimedOut::WindowProbe, std::nullopt).carried(0, 0).took({}),
        EventBuilder().metrics({}),
        EventBuilder().changes(TcpState::LastAck, TcpState::Close).carried(0, largest_integer),
        EventBuilder().changes(TcpState::LastAck, TcpState::Close).carried(0, 0).took({}).metrics({}),
        EventBuilder()
            .changes(TcpState::LastAck, TcpState::Close)
            .carried(0, 0)
            .took({.bytes_retransmitted = largest_integer, .rtt_us = 1, .min_rtt_us = 1}),
        EventBuilder().metrics({.rtt_us = 1, .rttvar_us = 1, .rto_us = 1, .ssthresh = infinite_ssthresh}),
        EventBuilder().local("::", 80).remote("::", 0).changes(TcpState::Close, TcpState::Listen),
        EventBuilder().local("2001:db8:1111:2222:3333:4444:5555:6666", 0).remote("::1", 0),
        EventBuilder().local("255.255.255.255", 65535),
        EventBuilder().unknown_owner(),
        EventBuilder().unknown_identity(),
        EventBuilder().owner("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1, OwnerSource::Syscall),
        EventBuilder().connection(largest_integer).cgroup(1).after_gap(),
        EventBuilder().inner_pid(1).in_cgroup("/docker/" + std::string(64, 'a')),
        EventBuilder().in_cgroup("/\xff"),
        EventBuilder().uid(std::numeric_limits<std::uint32_t>::max()),
        retransmission(),
        retransmission().unknown_owner(),
        retransmission().unknown_identity(),
        EventBuilder().retransmits(largest),
        EventBuilder().leaves(TcpState::FinWait2, TcpState::FinWait2),
        EventBuilder().ends(TcpState::TimeWait, EndReason::Timer, 61'300'000'007),
        EventBuilder().ends(TcpState::FinWait2, EndReason::Unknown),
        EventBuilder().ends_between(TcpState::TimeWait, EndReason::Syn, {}, 1),
        EventBuilder().ends_between(TcpState::TimeWait, EndReason::Namespace, 1, 2),
        EventBuilder().goes({}),
        EventBuilder().changes_mind({}),
        EventBuilder().probes({}),
        EventBuilder().probes(everything_probed()),
        EventBuilder().accepted({}),
        EventBuilder().accepted({.state = TcpState::CloseWait, .queued_ns = 12'345}),
        EventBuilder().changes(TcpState::SynRecv, TcpState::Established).queued_syn(1'234'567),
        EventBuilder().shakes_hands({}),
        EventBuilder().shakes_hands(syn_ack_again()),
        EventBuilder().shakes_hands(no_listener()),
        EventBuilder().crowds({}),
        EventBuilder().crowds(full_queue()),
        EventBuilder().resets({}),
        EventBuilder().resets({.state = TcpState::Listen, .reason = ResetReason::Other, .kernel_reason = 31}),
        EventBuilder().resets({.direction = ResetDirection::Received}).connection(0).unknown_owner().uid(unknown_uid),
        EventBuilder().changes(TcpState::Established, TcpState::FinWait1).at_least(5'302'114'007),
        EventBuilder().finds({}),
        EventBuilder().finds({}).metrics({}),
        EventBuilder().finds(everything_found()),
        EventBuilder().finds(found_with(no_holders)),
        EventBuilder().finds(found_with(two_holders)),
        EventBuilder().loses(1, LossReason::RingFull, 0),
        EventBuilder().loses(largest_integer, LossReason::Nested, {}),
        EventBuilder().loses(1, LossReason::DiskFull, {}),
        EventBuilder().loses(1, LossReason::Damaged, {}),
        EventBuilder().judged({}),
        EventBuilder().judged(everything_judged()),
        EventBuilder().judged(everything_judged()).unknown_identity(),
    };
    for (const auto precision : {TimePrecision::Micro, TimePrecision::Nano}) {
        for (const auto &event : events) {
            const auto object = object_of(event, precision);
            EXPECT_EQ(schema().objections(object), "") << object;
        }
    }
}

TEST(Schema, HoldsForEveryStateAndOwner)
{
    for (int state = 1; state <= 12; state++) {
        const auto object =
            object_of(EventBuilder().changes(TcpState{static_cast<std::uint8_t>(state)}, TcpState::Close));
        EXPECT_EQ(schema().objections(object), "") << object;
    }
    for (const auto source : {OwnerSource::Inherited, OwnerSource::Listen, OwnerSource::Connect, OwnerSource::Syscall,
                              OwnerSource::Accept, OwnerSource::Snapshot})
        EXPECT_EQ(schema().objections(object_of(EventBuilder().owner("nc", 1, source))), "");
}

TEST(Schema, HoldsForEveryVerdict)
{
    for (std::size_t i = 0; i < verdict_kinds; i++) {
        Verdict verdict;
        verdict.kind = static_cast<VerdictKind>(i);
        const auto object = object_of(EventBuilder().judged(verdict));
        EXPECT_EQ(schema().objections(object), "") << object;
        EXPECT_EQ(find_verdict(object["verdict"].get<std::string>()), verdict.kind);
    }
}

TEST(Schema, HoldsForEveryTimeOut)
{
    for (const auto what :
         {TimedOut::Syn, TimedOut::SynAck, TimedOut::Data, TimedOut::Fin, TimedOut::WindowProbe, TimedOut::Keepalive}) {
        const auto object = object_of(EventBuilder().times_out(TcpState::Established, what));
        EXPECT_EQ(schema().objections(object), "") << object;
        EXPECT_EQ(object["timed_out"], name(what));
        EXPECT_EQ(object["user_timeout"], false);
        for (const auto *key : {"timed_out", "user_timeout"}) {
            auto part = object;
            part.erase(key);
            EXPECT_NE(schema().objections(part), "") << "without " << key;
        }
        auto other = object;
        other["error"] = "ECONNRESET";
        EXPECT_NE(schema().objections(other), "") << "another error has none";
    }
    EXPECT_FALSE(
        object_of(EventBuilder().changes(TcpState::Established, TcpState::Close, 1, ETIMEDOUT)).contains("timed_out"))
        << "of a recording that does not tell";
}

TEST(Schema, HoldsForEveryReasonOfAReset)
{
    for (std::uint8_t reason = 0; reason <= static_cast<std::uint8_t>(ResetReason::NotAccepted); reason++) {
        const auto object = object_of(EventBuilder().resets({.reason = ResetReason{reason}}));
        EXPECT_EQ(schema().objections(object), "") << object;
    }
}

// Each key alone is missed, in each kind of event.
TEST(Schema, MissesEveryKey)
{
    for (const auto &event : {EventBuilder(), EventBuilder().metrics({}), retransmission(), EventBuilder().resets({}),
                              EventBuilder().accepted({}), EventBuilder().shakes_hands({}), EventBuilder().crowds({}),
                              EventBuilder().changes_mind({}), EventBuilder().probes({}), EventBuilder().finds({}),
                              EventBuilder().finds({}).metrics({}), EventBuilder().judged({}), EventBuilder().goes({}),
                              EventBuilder().loses(1, LossReason::RingFull, 0)}) {
        const auto whole = object_of(event);
        ASSERT_EQ(schema().objections(whole), "");
        for (const auto &[key, value] : whole.items()) {
            auto part = whole;
            part.erase(key);
            EXPECT_NE(schema().objections(part), "") << "without " << key;
        }
    }
}

TEST(Schema, HasBothOrNoneOfTheKeysOfAnEnd)
{
    const auto whole = object_of(EventBuilder().ends(TcpState::TimeWait, EndReason::Killed));
    ASSERT_EQ(schema().objections(whole), "");
    for (const char *key : {"at_most_us", "ended_by"}) {
        auto part = whole;
        part.erase(key);
        EXPECT_NE(schema().objections(part), "") << "without " << key;
    }
    auto other = whole;
    other["new_state"] = "TIME_WAIT";
    EXPECT_NE(schema().objections(other), "");
}

struct Forgery {
    const char *name;
    std::function<void(json &)> change;
};

class SchemaRefuses : public testing::TestWithParam<Forgery> {};

TEST_P(SchemaRefuses, AForgedEvent)
{
    auto object = object_of(EventBuilder().metrics({.rtt_us = 1, .rttvar_us = 1, .rto_us = 1}));
    ASSERT_EQ(schema().objections(object), "");
    GetParam().change(object);
    EXPECT_NE(schema().objections(object), "") << object;
}

INSTANTIATE_TEST_SUITE_P(
    Values, SchemaRefuses,
    testing::Values(Forgery{"port_zero", [](json &o) { o["local_port"] = 0; }},
                    Forgery{"port_too_large", [](json &o) { o["remote_port"] = 65536; }},
                    Forgery{"port_as_text", [](json &o) { o["local_port"] = "80"; }},
                    Forgery{"unknown_key", [](json &o) { o["surprise"] = 1; }},
                    Forgery{"unknown_kind", [](json &o) { o["event"] = "birth"; }},
                    Forgery{"key_of_another_kind", [](json &o) { o["lost_events"] = 1; }},
                    Forgery{"unknown_state", [](json &o) { o["new_state"] = "?"; }},
                    Forgery{"unknown_owner_with_pid", [](json &o) { o["owner"] = "unknown"; }},
                    Forgery{"owner_without_pid", [](json &o) { o["pid"] = nullptr; }},
                    Forgery{"pid_zero", [](json &o) { o["pid"] = 0; }},
                    Forgery{"time_without_fraction", [](json &o) { o["time"] = "2026-11-21T20:28:51Z"; }},
                    Forgery{"local_time", [](json &o) { o["time"] = "2026-11-21T20:28:51.000000+01:00"; }},
                    Forgery{"negative_duration", [](json &o) { o["duration_us"] = -1; }},
                    Forgery{"error_as_number", [](json &o) { o["error"] = 111; }},
                    Forgery{"error_in_words", [](json &o) { o["error"] = "Connection refused"; }},
                    Forgery{"errno_as_text", [](json &o) { o["errno"] = "111"; }},
                    Forgery{"rtt_zero", [](json &o) { o["rtt_us"] = 0; }},
                    Forgery{"address_with_port", [](json &o) { o["local_addr"] = "127.0.0.1.80"; }},
                    Forgery{"nested", [](json &o) { o["comm"] = json::object(); }}),
    [](const auto &test) { return std::string(test.param.name); });

} // namespace
} // namespace tcpflight

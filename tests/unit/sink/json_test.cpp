// Every kind of event as a JSON object, to the byte where order matters and by key elsewhere.
#include "unit/sink/print.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string>

namespace tcpflight {
namespace {

using nlohmann::json;
using test::EventBuilder;

OutputStyle json_style(TimePrecision precision = TimePrecision::Micro)
{
    OutputStyle style;
    style.format = Format::Json;
    style.precision = precision;
    return style;
}

json object_of(const EventBuilder &event, TimePrecision precision = TimePrecision::Micro)
{
    return json::parse(test::print(json_style(precision), {event}));
}

TEST(Json, NamesTheHostWhereThereAreSeveral)
{
    auto sink = make_sink(json_style());
    sink->set_clock(test::start);
    const auto event = EventBuilder().build();
    auto host_of = [&](std::string_view host) {
        std::string out;
        sink->set_host(host);
        sink->write(event.view(), out);
        return json::parse(out).at("host");
    };
    EXPECT_EQ(host_of("web1"), "web1");
    EXPECT_EQ(host_of("\"\n"), "\"\n");
    EXPECT_EQ(host_of(""), nullptr);
}

TEST(Json, AStateChangeToTheByte)
{
    EXPECT_EQ(
        test::print(json_style(), {EventBuilder().at(1'203'456)}),
        R"({"time":"2026-11-21T20:28:51.001203Z","event":"state","conn":4711,"family":"ipv4",)"
        R"("local_addr":"127.0.0.1","local_port":57374,"remote_addr":"127.0.0.1","remote_port":12345,)"
        R"("pid":2231,"inner_pid":null,"tid":2231,"comm":"telnet","owner":"connect","uid":1000,"netns":4026531840,)"
        R"("cgroup":null,"cgroup_path":null,"container":null,"incomplete":false,"old_state":"CLOSE","new_state":"SYN_SENT","time_wait_socket":false,)"
        R"("duration_us":null,"at_least_us":null,"error":null,"errno":null,"syn_queue_us":null})"
        "\n");
}

TEST(Json, ARetransmissionToTheByte)
{
    Retransmit fin;
    fin.state = TcpState::FinWait1;
    fin.flags = tcp_flag::fin | tcp_flag::ack;
    fin.length = 100;
    fin.offset = 1;
    fin.attempt = 2;
    fin.total = 3;
    fin.kind = RetransmitKind::Timeout;
    fin.timeouts = 1;
    fin.backoff = 2;
    fin.silent_ns = 415'000'999;
    fin.gives_up_ns = 107'700'000'000;
    fin.metrics = {.rtt_us = 41,
                   .rttvar_us = 20,
                   .rto_us = 204'000,
                   .cwnd = 10,
                   .ssthresh = infinite_ssthresh,
                   .send_queue = 101,
                   .recv_queue = 5,
                   .in_flight = 1};
    EXPECT_EQ(
        test::print(json_style(), {EventBuilder().retransmits(fin)}),
        R"({"time":"2026-11-21T20:28:51.000000Z","event":"retransmit","conn":4711,"family":"ipv4",)"
        R"("local_addr":"127.0.0.1","local_port":57374,"remote_addr":"127.0.0.1","remote_port":12345,)"
        R"("pid":2231,"inner_pid":null,"tid":2231,"comm":"telnet","owner":"connect","uid":1000,"netns":4026531840,)"
        R"("cgroup":null,"cgroup_path":null,"container":null,"incomplete":false,"state":"FIN_WAIT1","flags":"F.","length":100,"offset":1,)"
        R"("attempt":2,"total":3,"kind":"timeout","timeouts":1,"unseen_timeouts":0,"backoff":2,"silent_us":415000,)"
        R"("gives_up_us":107700000,"send_error":null,"rtt_us":41,"rttvar_us":20,"rto_us":204000,"cwnd":10,)"
        R"("ssthresh":null,"send_queue":101,"recv_queue":5,"in_flight":1})"
        "\n");
}

TEST(Json, ALossToTheByte)
{
    EXPECT_EQ(test::print(json_style(), {EventBuilder().loses(12, LossReason::RingFull, 1)}),
              R"({"time":"2026-11-21T20:28:51.000000Z","event":"lost","lost_events":12,"reason":"ring_full","cpu":1})"
              "\n");
    EXPECT_EQ(test::print(json_style(), {EventBuilder().loses(1, LossReason::Nested, {})}),
              R"({"time":"2026-11-21T20:28:51.000000Z","event":"lost","lost_events":1,"reason":"nested","cpu":null})"
              "\n");
}

TEST(Json, ASocketThatWasFoundToTheByte)
{
    const Found found{.state = TcpState::CloseWait,
                      .time_wait_socket = false,
                      .error = ETIMEDOUT,
                      .status = {.inode = 5,
                                 .in_state_ns = {},
                                 .established_ns = 12'000'999,
                                 .recv_queue = 1,
                                 .send_queue = 2,
                                 .timer_left_us = 3000,
                                 .drops = 4,
                                 .mark = 6,
                                 .timer = Timer::Retransmit,
                                 .retries = 7,
                                 .ipv6_only = false,
                                 .shut_read = true,
                                 .shut_write = false},
                      .metrics = {},
                      .holders = {}};
    EXPECT_EQ(
        test::print(json_style(), {EventBuilder().finds(found)}),
        R"({"time":"2026-11-21T20:28:51.000000Z","event":"found","conn":4711,"family":"ipv4",)"
        R"("local_addr":"127.0.0.1","local_port":57374,"remote_addr":"127.0.0.1","remote_port":12345,)"
        R"("pid":2231,"inner_pid":null,"tid":2231,"comm":"telnet","owner":"connect","uid":1000,"netns":4026531840,)"
        R"("cgroup":null,"cgroup_path":null,"container":null,"incomplete":false,"state":"CLOSE_WAIT","time_wait_socket":false,"in_state_us":null,)"
        R"("established_us":12000,"error":"ETIMEDOUT","errno":110,"send_queue":2,"recv_queue":1,"timer":"retransmit",)"
        R"("timer_left_us":3000,"retries":7,"inode":5,"drops":4,"mark":6,"ipv6_only":false,"shut_read":true,)"
        R"("shut_write":false})"
        "\n");
}

TEST(Json, WhatASocketThatWasFoundDoesNotHaveIsNull)
{
    const auto object = object_of(EventBuilder().finds({}).metrics({.rtt_us = 9}));
    for (const char *key : {"in_state_us", "established_us", "timer_left_us", "inode", "error", "errno"})
        EXPECT_TRUE(object.at(key).is_null()) << key;
    EXPECT_EQ(object.at("timer"), "none");
    EXPECT_EQ(object.at("rtt_us"), 9);
}

TEST(Json, WhoHasItOpenWhereThatWasAsked)
{
    const std::array<Holder, 1> holders{{{.pid = 12, .tid = 13, .fd = 5, .comm = {'a', '"', '\x1b'}}}};
    Found found;
    EXPECT_FALSE(object_of(EventBuilder().finds(found)).contains("processes"));
    found.holders = holders;
    EXPECT_EQ(object_of(EventBuilder().finds(found)).at("processes"),
              json::parse(R"([{"pid":12,"tid":13,"fd":5,"comm":"a\"\u001b"}])"));
    found.holders = std::span<const Holder>();
    EXPECT_EQ(object_of(EventBuilder().finds(found)).at("processes"), json::array());
}

TEST(Json, HowLongAtLeast)
{
    const auto event = EventBuilder().changes(TcpState::Established, TcpState::FinWait1).at_least(5'302'114'007);
    EXPECT_TRUE(object_of(event).at("duration_us").is_null());
    EXPECT_EQ(object_of(event).at("at_least_us"), 5'302'114);
    EXPECT_EQ(object_of(event, TimePrecision::Nano).at("at_least_us"), 5'302'114.007);
}

TEST(Json, TextOptionsChangeNothing)
{
    auto style = json_style();
    const std::string plain = test::print(style, {EventBuilder()});
    style.quiet = true;
    style.color = true;
    style.columns = 40;
    style.metrics = true;
    style.time = TimeStyle::None;
    EXPECT_EQ(test::print(style, {EventBuilder()}), plain);
}

TEST(Json, Durations)
{
    auto changed = EventBuilder().changes(TcpState::SynSent, TcpState::Established, 108'999);
    EXPECT_EQ(object_of(changed)["duration_us"], 108);
    EXPECT_TRUE(object_of(changed)["duration_us"].is_number_integer());
    changed.changes(TcpState::SynSent, TcpState::Established, 0);
    EXPECT_EQ(object_of(changed)["duration_us"], 0);
}

TEST(Json, Nanoseconds)
{
    const auto changed = EventBuilder().at(1'203'456).changes(TcpState::SynSent, TcpState::Established, 108'007);
    const std::string line = test::print(json_style(TimePrecision::Nano), {changed});
    EXPECT_NE(line.find(R"("time":"2026-11-21T20:28:51.001203456Z")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("duration_us":108.007,)"), std::string::npos) << line;
    EXPECT_EQ(object_of(EventBuilder(), TimePrecision::Nano)["duration_us"], nullptr);
}

TEST(Json, ErrorsHaveNames)
{
    EXPECT_EQ(object_of(EventBuilder().changes(TcpState::SynSent, TcpState::Close, {}, ECONNREFUSED))["error"],
              "ECONNREFUSED");
    const auto nameless = object_of(EventBuilder().changes(TcpState::SynSent, TcpState::Close, {}, 524));
    EXPECT_EQ(nameless["error"], "errno 524");
    EXPECT_EQ(nameless["errno"], 524);
    Retransmit retransmit;
    retransmit.attempt = 1;
    retransmit.send_error = EPERM;
    EXPECT_EQ(object_of(EventBuilder().retransmits(retransmit))["send_error"], "EPERM");
    EXPECT_EQ(object_of(EventBuilder().retransmits(retransmit))["event"], "send_failed");
}

TEST(Json, AListenerHasNoOtherEnd)
{
    const auto listener =
        object_of(EventBuilder().local("::", 80).remote("2001:db8::1", 0).changes(TcpState::Close, TcpState::Listen));
    EXPECT_EQ(listener["family"], "ipv6");
    EXPECT_EQ(listener["local_addr"], "::");
    EXPECT_EQ(listener["local_port"], 80);
    EXPECT_EQ(listener["remote_addr"], nullptr);
    EXPECT_EQ(listener["remote_port"], nullptr);
}

TEST(Json, WhatIsNotKnownIsNull)
{
    const auto no_port = object_of(EventBuilder().local("127.0.0.1", 0));
    EXPECT_EQ(no_port["local_port"], nullptr);
    EXPECT_EQ(no_port["local_addr"], "127.0.0.1");

    const auto no_remote = object_of(EventBuilder().remote("0.0.0.0", 0));
    EXPECT_EQ(no_remote["remote_addr"], nullptr);
    EXPECT_EQ(no_remote["remote_port"], nullptr);

    const auto no_owner = object_of(EventBuilder().unknown_owner());
    for (const auto *key : {"pid", "inner_pid", "tid", "comm"})
        EXPECT_EQ(no_owner.at(key), nullptr) << key;
    EXPECT_EQ(no_owner["owner"], "unknown");
    EXPECT_EQ(no_owner["uid"], 1000);

    const auto nothing = object_of(EventBuilder().unknown_identity());
    for (const auto *key : {"family", "local_addr", "local_port", "remote_addr", "remote_port", "pid", "tid", "comm",
                            "uid", "netns", "cgroup", "inner_pid", "cgroup_path", "container"})
        EXPECT_EQ(nothing.at(key), nullptr) << key;
    EXPECT_EQ(nothing["owner"], "unknown");
    EXPECT_EQ(nothing["conn"], 4711);
}

TEST(Json, Identity)
{
    const auto object = object_of(EventBuilder()
                                      .connection(std::numeric_limits<std::uint64_t>::max())
                                      .owner("worker", 10, OwnerSource::Syscall, 12)
                                      .uid(0)
                                      .cgroup(77)
                                      .incomplete());
    EXPECT_EQ(object["conn"], std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(object["pid"], 10);
    EXPECT_EQ(object["tid"], 12);
    EXPECT_EQ(object["owner"], "syscall");
    EXPECT_EQ(object["uid"], 0);
    EXPECT_EQ(object["cgroup"], 77);
    EXPECT_EQ(object["incomplete"], true);
}

TEST(Json, AContainer)
{
    const std::string id(64, 'a');
    const auto object = object_of(EventBuilder().inner_pid(7).in_cgroup("/docker/" + id));
    EXPECT_EQ(object["inner_pid"], 7);
    EXPECT_EQ(object["cgroup_path"], "/docker/" + id);
    EXPECT_EQ(object["container"], id);

    const auto service = object_of(EventBuilder().in_cgroup("/system.slice/ssh.service"));
    EXPECT_EQ(service["inner_pid"], nullptr);
    EXPECT_EQ(service["cgroup_path"], "/system.slice/ssh.service");
    EXPECT_EQ(service["container"], nullptr);

    const auto hostile = test::print(json_style(), {EventBuilder().in_cgroup("/lxc/a\"\x1b[2J\xff\n")});
    EXPECT_EQ(std::count(hostile.begin(), hostile.end(), '\n'), 1);
    EXPECT_EQ(hostile.find('\x1b'), std::string::npos);
    EXPECT_EQ(json::parse(hostile)["container"], "a\"\x1b[2J\xef\xbf\xbd\n");
}

TEST(Json, WhatASocketCarriedWhereItIsKnown)
{
    EXPECT_FALSE(object_of(EventBuilder()).contains("bytes_acked"));
    const auto object = object_of(EventBuilder().carried(1ULL << 40, 0));
    EXPECT_EQ(object["bytes_acked"], 1ULL << 40);
    EXPECT_EQ(object["bytes_received"], 0);
}

TEST(Json, HowASocketCarriedItWhereItIsKnown)
{
    EXPECT_FALSE(object_of(EventBuilder().carried(1, 2)).contains("segs_out"));
    const auto object = object_of(EventBuilder().carried(1, 2).took({.sent = 12,
                                                                     .received = 9,
                                                                     .data_sent = 8,
                                                                     .data_received = 7,
                                                                     .retransmitted = 3,
                                                                     .bytes_retransmitted = 4344,
                                                                     .rtt_us = 1200,
                                                                     .min_rtt_us = 0,
                                                                     .cwnd = 10}));
    EXPECT_EQ(object["segs_out"], 12);
    EXPECT_EQ(object["segs_in"], 9);
    EXPECT_EQ(object["data_segs_out"], 8);
    EXPECT_EQ(object["data_segs_in"], 7);
    EXPECT_EQ(object["retransmits"], 3);
    EXPECT_EQ(object["bytes_retransmitted"], 4344);
    EXPECT_EQ(object["srtt_us"], 1200);
    EXPECT_EQ(object["min_rtt_us"], nullptr);
    EXPECT_EQ(object["snd_cwnd"], 10);
}

TEST(Json, MeasuredValuesOfAChangeWhereThereAreSome)
{
    EXPECT_FALSE(object_of(EventBuilder()).contains("cwnd"));
    const auto object = object_of(EventBuilder().metrics({.rtt_us = 5, .cwnd = 10, .ssthresh = 7}));
    EXPECT_EQ(object["rtt_us"], 5);
    EXPECT_EQ(object["rttvar_us"], 0) << "measured, and it was always the same";
    EXPECT_EQ(object["rto_us"], nullptr);
    EXPECT_EQ(object["cwnd"], 10);
    EXPECT_EQ(object["ssthresh"], 7);
    EXPECT_EQ(object["send_queue"], 0);
    EXPECT_EQ(object["recv_queue"], 0);
    EXPECT_EQ(object["in_flight"], 0);
    const auto unmeasured = object_of(EventBuilder().metrics({.rttvar_us = 9}));
    EXPECT_EQ(unmeasured["rtt_us"], nullptr);
    EXPECT_EQ(unmeasured["rttvar_us"], nullptr);
}

TEST(Json, FlagsInTcpdumpsLetters)
{
    auto flags = [](std::uint16_t bits) {
        Retransmit retransmit;
        retransmit.flags = bits;
        retransmit.attempt = 1;
        return object_of(EventBuilder().retransmits(retransmit))["flags"].get<std::string>();
    };
    EXPECT_EQ(flags(tcp_flag::syn), "S");
    EXPECT_EQ(flags(tcp_flag::syn | tcp_flag::ack), "S.");
    EXPECT_EQ(flags(tcp_flag::fin | tcp_flag::ack), "F.");
    EXPECT_EQ(flags(tcp_flag::psh | tcp_flag::ack), "P.");
    EXPECT_EQ(flags(tcp_flag::syn | 0x40 | 0x80), "SEW");
    EXPECT_EQ(flags(0x1ff), "FSRP.UEWe");
    EXPECT_EQ(flags(0), "none");
}

TEST(Json, HostileNamesComeBackAsTheyWere)
{
    for (const std::string comm :
         {"\x1b[31mred", "two\nlines", "quote\"", "back\\slash", "\x7f", "caf\xc3\xa9", "\xe2\x80\xaetxt.exe", ""}) {
        const std::string line = test::print(json_style(), {EventBuilder().owner(comm, 1, OwnerSource::Connect)});
        EXPECT_EQ(line.find('\n'), line.size() - 1);
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
        EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos);
        EXPECT_EQ(json::parse(line)["comm"], comm);
    }
    EXPECT_EQ(object_of(EventBuilder().owner("a\xff", 1, OwnerSource::Connect))["comm"], "a\xef\xbf\xbd");
}

} // namespace
} // namespace tcpflight

// What expressions say of connections, events and numbers.
#include "filter/eval.h"

#include "support/event_builder.h"
#include "support/expression.h"

#include <gtest/gtest.h>

#include <string_view>

namespace tcpflight::test {
namespace {

// telnet[2231], uid 1000, from 127.0.0.1.57374 to 127.0.0.1.12345; other ends by the arguments.
Identity identity(const std::string &local = "127.0.0.1", std::uint16_t local_port = 57374,
                  const std::string &remote = "127.0.0.1", std::uint16_t remote_port = 12345)
{
    return *EventBuilder().local(local, local_port).remote(remote, remote_port).build().identity;
}

Answer of(std::string_view text, const Identity &of_whom, Direction direction = Direction::Unknown)
{
    return evaluate(expression_of(text), {.identity = &of_whom, .direction = direction});
}

constexpr auto yes = Answer::Yes;
constexpr auto no = Answer::No;
constexpr auto open = Answer::Open;

TEST(Eval, PortsLookAtTheRightEnd)
{
    EXPECT_EQ(of("port 57374", identity()), yes);
    EXPECT_EQ(of("port 12345", identity()), yes);
    EXPECT_EQ(of("src port 57374", identity()), yes);
    EXPECT_EQ(of("dst port 57374", identity()), no);
    EXPECT_EQ(of("src and dst portrange 12345-57374", identity()), yes);
    EXPECT_EQ(of("src and dst port 12345", identity()), no);
    EXPECT_EQ(of("portrange 12346-57373", identity()), no);
}

TEST(Eval, KnowsWhatIsTheSameOfBothEnds)
{
    for (const auto *same : {"port 80", "not portrange 1-1024", "host 10.1.2.3 and ip", "src and dst port 80",
                             "net 10.0.0.0/8 or (ip6 and not port 22)"})
        EXPECT_TRUE(is_of_both_ends(expression_of(same))) << same;
    for (const auto *other : {"src port 80", "port 80 and not dst net 10.0.0.0/8", "comm nginx", "pid 1", "uid 0",
                              "outgoing", "netns blue", "cgroup /a", "container x", "event reset", "duration > 1s"})
        EXPECT_FALSE(is_of_both_ends(expression_of(other))) << other;
}

TEST(Eval, APortThatIsNotKnownIsOpen)
{
    auto unbound = identity("127.0.0.1", 0);
    EXPECT_EQ(of("port 12345", unbound), yes) << "the other end decides";
    EXPECT_EQ(of("port 80", unbound), open);
    EXPECT_EQ(of("not port 80", unbound), open);
    EXPECT_EQ(of("local port 80", unbound), open);
    EXPECT_EQ(of("local port 80 and ip6", unbound), no);
    EXPECT_EQ(of("local port 80 or ip", unbound), yes);
    EXPECT_EQ(of("src and dst port 80", unbound), no);
}

TEST(Eval, AddressesAndNetworks)
{
    auto v4 = identity("10.1.2.3", 1, "192.0.2.1", 2);
    EXPECT_EQ(of("host 10.1.2.3", v4), yes);
    EXPECT_EQ(of("dst host 10.1.2.3", v4), no);
    EXPECT_EQ(of("net 10.0.0.0/8", v4), yes);
    EXPECT_EQ(of("net 10.1.2.2/31", v4), yes);
    EXPECT_EQ(of("net 10.1.2.0/31", v4), no);
    EXPECT_EQ(of("dst net 192.0.2.0/25", v4), yes);
    EXPECT_EQ(of("net 0.0.0.0/0", v4), yes);
    EXPECT_EQ(of("net ::/0", v4), no) << "stored v4-mapped, and still IPv4";
    auto v6 = identity("2001:db8::1", 1, "2001:db8:ffff::1", 2);
    EXPECT_EQ(of("net 2001:db8::/33", v6), yes);
    EXPECT_EQ(of("dst net 2001:db8::/33", v6), no);
    EXPECT_EQ(of("net 0.0.0.0/0", v6), no);
    EXPECT_EQ(of("net ::/0", v6), yes);
    EXPECT_EQ(of("ip6", v6), yes);
    EXPECT_EQ(of("ip", v6), no);
    EXPECT_EQ(of("ip", v4), yes);
}

TEST(Eval, AListenerHasNoRemoteEnd)
{
    auto listener = identity("0.0.0.0", 80, "0.0.0.0", 0);
    EXPECT_EQ(of("host 0.0.0.0", listener), yes);
    EXPECT_EQ(of("remote port 80", listener), open) << "or it is a child that is not finished";
    EXPECT_EQ(of("port 80", listener), yes);
}

TEST(Eval, Owners)
{
    auto known = identity();
    EXPECT_EQ(of("pid 2231", known), yes);
    EXPECT_EQ(of("pid 2232", known), no);
    EXPECT_EQ(of("comm tel*", known), yes);
    EXPECT_EQ(of("comm tel", known), no);
    EXPECT_EQ(of("uid 1000", known), yes);
    EXPECT_EQ(of("uid 0", known), no);
    EXPECT_EQ(of("netns 4026531840", known), yes);
    EXPECT_EQ(of("netns 4026531841", known), no);
    auto unknown = *EventBuilder().unknown_owner().uid(unknown_uid).build().identity;
    EXPECT_EQ(of("pid 2231", unknown), open);
    EXPECT_EQ(of("not comm x", unknown), open);
    EXPECT_EQ(of("uid 0", unknown), open);
}

TEST(Eval, Places)
{
    const std::string id(64, 'a');
    auto in = [](std::string_view path) { return *EventBuilder().in_cgroup(path).build().identity; };
    auto docker = in("/system.slice/docker-" + id + ".scope");
    EXPECT_EQ(of("cgroup /system.slice", docker), yes);
    EXPECT_EQ(of("cgroup /system", docker), no);
    EXPECT_EQ(of("cgroup */docker-*", docker), yes);
    EXPECT_EQ(of("container aaaa", docker), yes);
    EXPECT_EQ(of("container ab", docker), no);
    EXPECT_EQ(of("not container ab", docker), yes);
    auto host = in("/user.slice");
    EXPECT_EQ(of("container *", host), no);
    EXPECT_EQ(of("cgroup /", host), yes);
    auto nowhere = identity();
    EXPECT_EQ(of("cgroup /", nowhere), open) << "not told of";
    EXPECT_EQ(of("not container a", nowhere), open);
    auto unowned = *EventBuilder().unknown_owner().in_cgroup("/user.slice").build().identity;
    EXPECT_EQ(of("cgroup /user.slice", unowned), yes) << "the socket is";
    EXPECT_EQ(of("not cgroup /system.slice", unowned), open) << "who owns it may not be where the socket was made";
}

TEST(Eval, WhoeverHasItOpenIsAsGoodAsTheOwner)
{
    auto known = identity();
    const std::vector<Holder> holders{{.pid = 7, .tid = 7, .fd = 3, .comm = {'x'}}};
    auto ask = [&](std::string_view text) {
        return evaluate(expression_of(text), {.identity = &known, .holders = holders});
    };
    EXPECT_EQ(ask("pid 7"), yes);
    EXPECT_EQ(ask("comm x"), yes);
    EXPECT_EQ(ask("pid 2231"), yes);
    EXPECT_EQ(ask("not pid 7"), no);
}

TEST(Eval, Directions)
{
    EXPECT_EQ(of("outgoing", identity(), Direction::Outgoing), yes);
    EXPECT_EQ(of("incoming", identity(), Direction::Outgoing), no);
    EXPECT_EQ(of("incoming", identity(), Direction::Incoming), yes);
    EXPECT_EQ(of("not outgoing", identity(), Direction::Neither), yes);
    EXPECT_EQ(of("not outgoing", identity(), Direction::Unknown), open);
}

TEST(Eval, StatesAndEventsAreThoseOfTheLine)
{
    auto ask = [](std::string_view text, const OwnedEvent &event) {
        auto view = event.view();
        return evaluate(expression_of(text), {.identity = view.identity, .event = &view});
    };
    auto change = EventBuilder().changes(TcpState::SynSent, TcpState::Close, 5, 111).build();
    EXPECT_EQ(ask("state close", change), yes);
    EXPECT_EQ(ask("state syn_sent", change), no);
    EXPECT_EQ(ask("event state and event error", change), yes);
    EXPECT_EQ(ask("event retransmit", change), no);
    Retransmit of_fin;
    of_fin.state = TcpState::FinWait1;
    auto retransmit = EventBuilder().retransmits(of_fin).build();
    EXPECT_EQ(ask("event retransmit and state FIN-WAIT1", retransmit), yes);
    EXPECT_EQ(ask("event state or error", retransmit), no);
    EXPECT_EQ(of("event retransmit", identity()), open);
    EXPECT_EQ(of("not state LISTEN", identity()), open);
}

TEST(Eval, ANumberThatGrowsIsOpenUntilItIsLargeEnough)
{
    Numbers numbers{.duration_ns = 5'000'000'000, .retransmits = 3, .from_begin = true};
    auto ask = [&](std::string_view text) { return evaluate(expression_of(text), {.numbers = &numbers}); };
    EXPECT_EQ(ask("retransmits >= 3"), yes);
    EXPECT_EQ(ask("retransmits > 3"), open);
    EXPECT_EQ(ask("retransmits < 3"), no);
    EXPECT_EQ(ask("retransmits <= 3"), open);
    EXPECT_EQ(ask("retransmits = 3"), open);
    EXPECT_EQ(ask("retransmits = 2"), no);
    EXPECT_EQ(ask("retransmits != 2"), yes);
    EXPECT_EQ(ask("not retransmits >= 3"), no);
    EXPECT_EQ(ask("duration > 5s"), open);
    EXPECT_EQ(ask("duration >= 5s"), yes);
    EXPECT_EQ(ask("rtt > 1ms"), open);
    numbers.is_over = true;
    EXPECT_EQ(ask("retransmits > 3"), no);
    EXPECT_EQ(ask("retransmits <= 3"), yes);
    EXPECT_EQ(ask("retransmits = 3"), yes);
    EXPECT_EQ(ask("duration > 5s"), no);
    EXPECT_EQ(ask("rtt > 1ms"), no);
    EXPECT_EQ(ask("rtt < 1ms"), no) << "never measured";
    EXPECT_EQ(evaluate(expression_of("retransmits > 0"), {}), open);
}

TEST(Eval, OfWhatWasSeenInPartOnlyTheLeastIsKnown)
{
    Numbers numbers{.duration_ns = 5'000'000'000, .retransmits = 3, .from_begin = false, .is_over = true};
    auto ask = [&](std::string_view text) { return evaluate(expression_of(text), {.numbers = &numbers}); };
    EXPECT_EQ(ask("duration > 4s"), yes);
    EXPECT_EQ(ask("duration > 6s"), open);
    EXPECT_EQ(ask("duration < 6s"), open);
    EXPECT_EQ(ask("not duration > 6s"), open);
    EXPECT_EQ(ask("retransmits < 3"), no);
}

TEST(Eval, BytesAreKnownAtTheEndAlone)
{
    Numbers numbers{.from_begin = false};
    auto ask = [&](std::string_view text) { return evaluate(expression_of(text), {.numbers = &numbers}); };
    EXPECT_EQ(ask("bytes > 1M"), open);
    EXPECT_EQ(ask("not bytes > 1M"), open);
    numbers.bytes = 1'048'576;
    EXPECT_EQ(ask("bytes > 1M"), no);
    EXPECT_EQ(ask("bytes >= 1M"), yes);
    EXPECT_EQ(ask("bytes = 1M"), yes);
    EXPECT_EQ(ask("bytes < 1M"), no) << "of the whole life, also where the begin was not seen";
    numbers.bytes.reset();
    numbers.is_over = true;
    EXPECT_EQ(ask("bytes < 1M"), open) << "nobody told";
}

TEST(Eval, ARoundTripTimeNeedsToHaveBeenThatOnce)
{
    Numbers numbers{.min_rtt_ns = 1'000'000, .max_rtt_ns = 300'000'000};
    auto ask = [&](std::string_view text) { return evaluate(expression_of(text), {.numbers = &numbers}); };
    EXPECT_EQ(ask("rtt > 200ms"), yes);
    EXPECT_EQ(ask("rtt < 2ms"), yes);
    EXPECT_EQ(ask("rtt > 400ms"), open);
    EXPECT_EQ(ask("rtt >= 300ms"), yes);
    EXPECT_EQ(ask("rtt <= 1ms"), yes);
    EXPECT_EQ(ask("rtt < 1ms"), open);
}

} // namespace
} // namespace tcpflight::test

#include "filter/filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <ostream>
#include <string_view>

namespace tcpflight {
namespace {

std::shared_ptr<const PortSet> ports(std::initializer_list<std::size_t> numbers)
{
    auto set = std::make_shared<PortSet>();
    for (std::size_t number : numbers)
        set->set(number);
    return set;
}

Identity connection(std::uint16_t local, std::uint16_t remote)
{
    Identity identity;
    identity.local.port = local;
    identity.remote.port = remote;
    return identity;
}

Identity owned_by(std::uint32_t pid, std::string_view comm, OwnerSource source = OwnerSource::Connect)
{
    Identity identity = connection(50000, 80);
    identity.owner.pid = pid;
    identity.owner.source = source;
    std::copy(comm.begin(), comm.end(), identity.owner.comm.begin());
    return identity;
}

TEST(Filter, OpenLetsEverythingThrough)
{
    Filter filter;
    EXPECT_TRUE(filter.is_open());
    EXPECT_EQ(filter.describe(), "");
    EXPECT_TRUE(filter.matches(Identity{}));
    Identity ipv6;
    ipv6.family = Family::IPv6;
    EXPECT_TRUE(filter.matches(ipv6));
}

TEST(Filter, AnyCriterionCloses)
{
    EXPECT_FALSE(Filter{.either_port = ports({80})}.is_open());
    EXPECT_FALSE(Filter{.local_port = ports({80})}.is_open());
    EXPECT_FALSE(Filter{.remote_port = ports({80})}.is_open());
    EXPECT_FALSE(Filter{.either_port = ports({})}.is_open());
    EXPECT_FALSE(Filter{.pids = {1}}.is_open());
    EXPECT_FALSE(Filter{.comms = {"a"}}.is_open());
    EXPECT_FALSE(Filter{.ipv4 = false}.is_open());
    EXPECT_FALSE(Filter{.ipv6 = false}.is_open());
}

struct PortCase {
    std::uint16_t local;
    std::uint16_t remote;
    bool either_80;
    bool local_80;
    bool remote_80;
};

void PrintTo(const PortCase &c, std::ostream *stream)
{
    *stream << c.local << " to " << c.remote;
}

class FilterPorts : public testing::TestWithParam<PortCase> {};

TEST_P(FilterPorts, LookAtTheRightEnd)
{
    const PortCase &c = GetParam();
    Identity identity = connection(c.local, c.remote);
    EXPECT_EQ(Filter{.either_port = ports({80})}.matches(identity), c.either_80);
    EXPECT_EQ(Filter{.local_port = ports({80})}.matches(identity), c.local_80);
    EXPECT_EQ(Filter{.remote_port = ports({80})}.matches(identity), c.remote_80);
}

INSTANTIATE_TEST_SUITE_P(Table, FilterPorts,
                         testing::Values(PortCase{80, 50000, true, true, false}, PortCase{50000, 80, true, false, true},
                                         PortCase{80, 80, true, true, true}, PortCase{81, 79, false, false, false},
                                         PortCase{80, 0, true, true, false}, PortCase{0, 80, true, false, true},
                                         PortCase{0, 0, false, false, false}));

TEST(Filter, APortThatIsNotKnownMatchesNoList)
{
    // Not even a list that has 0 in it.
    auto all = std::make_shared<PortSet>();
    all->set();
    EXPECT_FALSE(Filter{.either_port = all}.matches(connection(0, 0)));
    EXPECT_FALSE(Filter{.local_port = all}.matches(connection(0, 80)));
    EXPECT_FALSE(Filter{.remote_port = all}.matches(connection(80, 0)));
}

TEST(Filter, KnowsTheLastPort)
{
    EXPECT_TRUE(Filter{.either_port = ports({65535})}.matches(connection(1, 65535)));
    EXPECT_FALSE(Filter{.either_port = ports({65535})}.matches(connection(1, 65534)));
}

TEST(Filter, EveryCriterionMustHold)
{
    Filter filter{.local_port = ports({50000, 50001}), .remote_port = ports({80}), .pids = {7, 8}, .comms = {"curl"}};
    EXPECT_TRUE(filter.matches(owned_by(7, "curl")));
    EXPECT_TRUE(filter.matches(owned_by(8, "curl")));
    EXPECT_FALSE(filter.matches(owned_by(9, "curl")));
    EXPECT_FALSE(filter.matches(owned_by(7, "wget")));
    Identity other_port = owned_by(7, "curl");
    other_port.remote.port = 81;
    EXPECT_FALSE(filter.matches(other_port));
    other_port = owned_by(7, "curl");
    other_port.local.port = 50002;
    EXPECT_FALSE(filter.matches(other_port));
}

TEST(Filter, NamesAreComparedWhole)
{
    Filter filter{.comms = {"nginx", "fifteen-letters"}};
    EXPECT_TRUE(filter.matches(owned_by(1, "nginx")));
    EXPECT_TRUE(filter.matches(owned_by(1, "fifteen-letters")));
    EXPECT_FALSE(filter.matches(owned_by(1, "nginx2")));
    EXPECT_FALSE(filter.matches(owned_by(1, "ngin")));
    EXPECT_FALSE(filter.matches(owned_by(1, "Nginx")));
    EXPECT_FALSE(filter.matches(owned_by(1, "")));
}

TEST(Filter, AnUnknownOwnerMatchesNoOwner)
{
    EXPECT_FALSE(Filter{.pids = {7}}.matches(owned_by(7, "curl", OwnerSource::Unknown)));
    EXPECT_FALSE(Filter{.comms = {"curl"}}.matches(owned_by(7, "curl", OwnerSource::Unknown)));
    EXPECT_TRUE(Filter{.remote_port = ports({80})}.matches(owned_by(0, "", OwnerSource::Unknown)));
}

TEST(Filter, AnInheritedOwnerCounts)
{
    EXPECT_TRUE(Filter{.pids = {7}}.matches(owned_by(7, "nginx", OwnerSource::Inherited)));
}

TEST(Filter, FamilyIsThatOfTheWire)
{
    Identity ipv4;
    Identity ipv6;
    ipv6.family = Family::IPv6;
    EXPECT_TRUE(Filter{.ipv6 = false}.matches(ipv4));
    EXPECT_FALSE(Filter{.ipv6 = false}.matches(ipv6));
    EXPECT_FALSE(Filter{.ipv4 = false}.matches(ipv4));
    EXPECT_TRUE(Filter{.ipv4 = false}.matches(ipv6));
}

struct DescribeCase {
    Filter filter;
    std::string text;
};

void PrintTo(const DescribeCase &c, std::ostream *stream)
{
    *stream << c.text;
}

class FilterDescribe : public testing::TestWithParam<DescribeCase> {};

TEST_P(FilterDescribe, SaysItInTheUsersWords)
{
    EXPECT_EQ(GetParam().filter.describe(), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FilterDescribe,
    testing::Values(
        DescribeCase{{.either_port = ports({443})}, "port 443"},
        DescribeCase{{.either_port = ports({8001, 80, 8000, 443, 8002})}, "port 80,443,8000-8002"},
        DescribeCase{{.either_port = ports({1, 2, 65534, 65535})}, "port 1-2,65534-65535"},
        DescribeCase{{.either_port = ports({})}, "port none"},
        DescribeCase{{.local_port = ports({22}), .remote_port = ports({65535})}, "local port 22 and remote port 65535"},
        DescribeCase{{.pids = {13, 12}}, "pid 13,12"},
        DescribeCase{{.comms = {"nginx", "[kworker/0:1]"}}, "comm nginx,[kworker/0:1]"},
        DescribeCase{{.comms = {"a b", "it's", "\x1b[1m", "a,b"}}, R"(comm 'a b','it\x27s','\x1b[1m','a,b')"},
        DescribeCase{{.ipv6 = false}, "ip"}, DescribeCase{{.ipv4 = false}, "ip6"},
        DescribeCase{{.ipv4 = false, .ipv6 = false}, "ip and ip6"},
        DescribeCase{{.either_port = ports({80}), .pids = {12}, .comms = {"nginx"}, .ipv6 = false},
                     "port 80 and pid 12 and comm nginx and ip"}));

} // namespace
} // namespace tcpflight

// The grammar: what an expression is understood as, and where and how a wrong one is wrong.
#include "filter/parser.h"

#include "support/expression.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tcpflight::test {
namespace {

struct RightCase {
    std::string given;
    std::string understood; // to_text
};

void PrintTo(const RightCase &c, std::ostream *stream)
{
    *stream << c.given;
}

class RightExpression : public testing::TestWithParam<RightCase> {};

TEST_P(RightExpression, IsUnderstoodAndSaidAgain)
{
    auto parsed = parse_expression(GetParam().given, FewNames());
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(to_text(*parsed), GetParam().understood);
    auto again = parse_expression(to_text(*parsed), no_names());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *parsed) << to_tree(*again, 0) << to_tree(*parsed, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Ends, RightExpression,
    testing::Values(RightCase{"port 80", "port 80"}, RightCase{"src port 80", "local port 80"},
                    RightCase{"dst port 80", "remote port 80"}, RightCase{"local port 80", "local port 80"},
                    RightCase{"remote port 80", "remote port 80"}, RightCase{"src or dst port 80", "port 80"},
                    RightCase{"dst or src port 80", "port 80"}, RightCase{"src and dst port 80", "src and dst port 80"},
                    RightCase{"local && remote port 80", "src and dst port 80"}, RightCase{"tcp port 80", "port 80"},
                    RightCase{"tcp src port 80", "local port 80"}, RightCase{"port https", "port 443"},
                    RightCase{"portrange 80-443", "portrange 80-443"},
                    RightCase{"portrange 443-80", "portrange 80-443"},
                    RightCase{"portrange http-https", "portrange 80-443"},
                    RightCase{"portrange ftp-data-http", "portrange 20-80"}, RightCase{"portrange 80", "port 80"},
                    RightCase{"host 10.0.0.1", "host 10.0.0.1"}, RightCase{"src 10.0.0.1", "local host 10.0.0.1"},
                    RightCase{"10.0.0.1", "host 10.0.0.1"}, RightCase{"::1", "host ::1"},
                    RightCase{"dst host 2001:DB8::1", "remote host 2001:db8::1"},
                    RightCase{"host ::ffff:10.0.0.1", "host 10.0.0.1"}, RightCase{"ip host 10.0.0.1", "host 10.0.0.1"},
                    RightCase{"ip6 host ::1", "host ::1"}, RightCase{"ip6 dst ::1", "remote host ::1"},
                    RightCase{"net 10.0.0.0/8", "net 10.0.0.0/8"}, RightCase{"net 10", "net 10.0.0.0/8"},
                    RightCase{"net 10.1", "net 10.1.0.0/16"}, RightCase{"net 10.1.2", "net 10.1.2.0/24"},
                    RightCase{"net 10.1.2.3", "host 10.1.2.3"}, RightCase{"net 10.0.0.0/32", "host 10.0.0.0"},
                    RightCase{"net 10.1.2.0 mask 255.255.255.0", "net 10.1.2.0/24"},
                    RightCase{"net 0.0.0.0/0", "net 0.0.0.0/0"}, RightCase{"net ::/0", "net ::/0"},
                    RightCase{"src net 2001:db8::/33", "local net 2001:db8::/33"}, RightCase{"net ::1", "host ::1"}));

INSTANTIATE_TEST_SUITE_P(
    Orders, RightExpression,
    testing::Values(RightCase{"", ""}, RightCase{" \t\n", ""}, RightCase{"port 80 or 443", "port 80 or 443"},
                    RightCase{"src port 80 or 443", "local port 80 or 443"},
                    // "and" and "or" bind alike.
                    RightCase{"port 1 or port 2 and port 3", "(port 1 or 2) and port 3"},
                    RightCase{"port 1 and port 2 or port 3", "(port 1 and 2) or port 3"},
                    RightCase{"port 1 or (port 2 and port 3)", "port 1 or (port 2 and 3)"},
                    RightCase{"port 1 || port 2 && ! port 3", "(port 1 or 2) and not port 3"},
                    RightCase{"not port 1 and port 2", "not port 1 and port 2"},
                    RightCase{"not (port 1 and port 2)", "not (port 1 and 2)"},
                    RightCase{"not host 10.0.0.1 and 10.0.0.2", "not host 10.0.0.1 and host 10.0.0.2"},
                    RightCase{"not not port 1", "port 1"}, RightCase{"!!!port 1", "not port 1"},
                    RightCase{"(((port 1)))", "port 1"}, RightCase{"port (80 or 443)", "port 80 or 443"},
                    RightCase{"port (80 or 443) or 22", "(port 80 or 443) or port 22"},
                    RightCase{"(port 80 or 443) and host 10.0.0.1 or 10.0.0.2",
                              "((port 80 or 443) and host 10.0.0.1) or host 10.0.0.2"},
                    RightCase{"port 80 or (443 or 22)", "port 80 or (port 443 or 22)"},
                    RightCase{"port 80 or not 443", "port 80 or not port 443"}));

INSTANTIATE_TEST_SUITE_P(
    Sockets, RightExpression,
    testing::Values(RightCase{"ip", "ip"}, RightCase{"ip6 and port 80", "ip6 and port 80"}, RightCase{"tcp", ""},
                    RightCase{"not tcp", "not tcp"}, RightCase{"tcp and port 80", "tcp and port 80"},
                    RightCase{"pid 7 or 8", "pid 7 or 8"}, RightCase{"uid 0", "uid 0"},
                    RightCase{"uid www-data or 7", "uid 33 or 7"}, RightCase{"uid 4294967294", "uid 4294967294"},
                    RightCase{"cgroup /a/b.service", "cgroup /a/b.service"}, RightCase{"cgroup /a/", "cgroup /a"},
                    RightCase{"cgroup /", "cgroup /"}, RightCase{"cgroup /a or /b", "cgroup /a or cgroup /b"},
                    RightCase{"cgroup */user-*.slice", "cgroup */user-*.slice"},
                    RightCase{"cgroup '/a b'", "cgroup '/a b'"}, RightCase{"cgroup /a\\x2d1", "cgroup '/a\\x2d1'"},
                    RightCase{"container 3f4e", "container 3f4e"}, RightCase{"container web", "container web"},
                    RightCase{"not container *", "not container *"}, RightCase{"netns 4026531840", "netns 4026531840"},
                    RightCase{"netns blue", "netns 4026532300"}, RightCase{"netns 7", "netns 4026532307"},
                    RightCase{"comm nginx", "comm nginx"}, RightCase{"comm ng*", "comm ng*"},
                    RightCase{"comm 'a b'", "comm 'a b'"}, RightCase{"comm \"it's\"", "comm 'it\\x27s'"},
                    RightCase{"comm 'it\\'s'", "comm 'it\\x27s'"}, RightCase{"comm \\and", "comm '\\and'"},
                    RightCase{"comm port", "comm port"}, RightCase{"comm 'and' or 'or'", "comm 'and' or comm 'or'"},
                    RightCase{"comm [kworker*]", "comm [kworker*]"}, RightCase{"comm '\\\\'", "comm '\\\\'"},
                    RightCase{"comm x\\", "comm 'x\\\\'"}, RightCase{"comm '\x1b[1m'", "comm '\\x1b[1m'"},
                    RightCase{"comm '\\\x1b'", "comm '\\x1b'"},
                    RightCase{"outgoing or incoming", "outgoing or incoming"},
                    RightCase{"state established or time-wait", "state ESTABLISHED or state TIME_WAIT"},
                    RightCase{"event retransmit or reset", "event retransmit or event reset"},
                    RightCase{"event error or state", "event error or event state"},
                    RightCase{"event error or state LISTEN", "event error or state LISTEN"},
                    RightCase{"duration > 5s", "duration > 5s"}, RightCase{"duration>=1.5m", "duration >= 90s"},
                    RightCase{"rtt < 200ms", "rtt < 200ms"}, RightCase{"rtt > 1500us", "rtt > 1.5ms"},
                    RightCase{"duration > 2d", "duration > 2d"}, RightCase{"duration > 1ns", "duration > 1ns"},
                    RightCase{"duration <= 0s", "duration <= 0ns"}, RightCase{"retransmits == 3", "retransmits = 3"},
                    RightCase{"retransmits != 0", "retransmits != 0"}, RightCase{"bytes > 1M", "bytes > 1M"},
                    RightCase{"bytes >= 1MB", "bytes >= 1000000"}, RightCase{"bytes < 2048", "bytes < 2K"},
                    RightCase{"bytes = 0", "bytes = 0"}, RightCase{"bytes != 1500", "bytes != 1500"},
                    RightCase{"port 443 and (comm nginx* or retransmits >= 3)",
                              "port 443 and (comm nginx* or retransmits >= 3)"}));

struct WrongCase {
    std::string given;
    std::string message; // its first line
    std::size_t column;  // of the caret, in the text
};

void PrintTo(const WrongCase &c, std::ostream *stream)
{
    *stream << c.given;
}

class WrongExpression : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongExpression, IsPointedAt)
{
    auto parsed = parse_expression(GetParam().given, FewNames());
    ASSERT_FALSE(parsed) << to_text(*parsed);
    const auto &text = parsed.error().message;
    auto first = text.find('\n');
    ASSERT_NE(first, std::string::npos);
    auto second = text.find('\n', first + 1);
    ASSERT_NE(second, std::string::npos);
    EXPECT_EQ(text.substr(0, first), GetParam().message);
    EXPECT_EQ(text.substr(first + 1, second - first - 1), "    " + GetParam().given);
    EXPECT_EQ(text.find('^', second) - second - 1, GetParam().column + 4);
}

INSTANTIATE_TEST_SUITE_P(
    Grammar, WrongExpression,
    testing::Values(WrongCase{"prot 80", "'prot' is no keyword: did you mean 'port'?", 0},
                    WrongCase{"xyzzy", "'xyzzy' is no keyword: see FILTER EXPRESSION in tcpflight(1), or --help", 0},
                    WrongCase{"port 80 or prot 443", "'prot' is no keyword: did you mean 'port'?", 11},
                    WrongCase{"port 80 port 443", "expected 'and' or 'or' before 'port'", 8},
                    WrongCase{"port 80 adn 443", "'adn' is no keyword: did you mean 'and'?", 8},
                    WrongCase{"port 80 or", "expected a criterion such as 'port 443' instead of the end", 10},
                    WrongCase{"or port 80", "expected a criterion such as 'port 443' instead of 'or'", 0},
                    WrongCase{"port", "expected a port after port, not the end", 4},
                    WrongCase{"port and 80", "expected a port after port, not 'and'", 5},
                    WrongCase{"not", "expected a criterion such as 'port 443' instead of the end", 3},
                    WrongCase{"(port 80", "this '(' is not closed", 0},
                    WrongCase{"port (80 or", "expected a port after port, not the end", 11},
                    WrongCase{"port 80)", "')' closes nothing: there is no '(' before it", 7},
                    WrongCase{"()", "expected a criterion such as 'port 443' instead of ')'", 1},
                    WrongCase{"443", "'443' stands alone: give a keyword before it, such as port 443", 0},
                    WrongCase{"ip and 443", "'443' stands alone: give a keyword before it, such as port 443", 7},
                    WrongCase{"port 80 & port 443", "a single '&': did you mean '&&'?", 8},
                    WrongCase{"comm 'x", "this quotation mark is not closed", 5},
                    WrongCase{"port > 80", "expected a port after port, not '>'", 5},
                    WrongCase{"port 80 > 3", "'>' compares nothing: give duration, retransmits, rtt or bytes before it",
                              8},
                    WrongCase{"src src port 80", "an end follows another: give 'or' or 'and' between them", 4},
                    WrongCase{"src or src port 80", "src is the same end again: give the other one", 7},
                    WrongCase{"src pid 7", "pid has no ends: leave out what stands before it", 4},
                    WrongCase{"ip port 80", "ip does not go with port: give ip and port", 0},
                    WrongCase{"tcp host 10.0.0.1", "tcp does not go with host or net: leave it out", 0},
                    WrongCase{"duration 5s", "expected >, >=, <, <=, = or != after duration, not '5s'", 9},
                    WrongCase{"duration >", "expected a time after duration >, not the end", 10},
                    WrongCase{"duration = 5s", "duration is never exactly that: give <, <=, > or >=", 9},
                    WrongCase{"udp port 53", "udp: only TCP is traced", 0},
                    WrongCase{"bytes 1M", "expected >, >=, <, <=, = or != after bytes, not '1M'", 6},
                    WrongCase{"bytes > ", "expected a number after bytes >, not the end", 8}));

INSTANTIATE_TEST_SUITE_P(
    Values, WrongExpression,
    testing::Values(
        WrongCase{"port 0", "'0' is no port: give 1 to 65535 or a service", 5},
        WrongCase{"port 65536", "'65536' is no port: give 1 to 65535 or a service", 5},
        WrongCase{"port 80,443", "'80,443' is no port: a list is written 80 or 443", 5},
        WrongCase{"port 8000-8080", "'8000-8080' is a range: give portrange 8000-8080", 5},
        WrongCase{"port nosuch", "'nosuch' is no service of this host (/etc/services): give 1 to 65535 or a service",
                  5},
        WrongCase{"portrange 1-70000", "'1-70000' is no range of ports: give one like 8000-8080", 10},
        WrongCase{"host example.org",
                  "'example.org' is no address, and names are never looked up: give one like 192.0.2.1 or 2001:db8::1",
                  5},
        WrongCase{"host 10.0.0.256", "'10.0.0.256' is no address: give one like 192.0.2.1 or 2001:db8::1", 5},
        WrongCase{"host 10.0.0.0/8", "'10.0.0.0/8' is a network, and host takes an address: give net 10.0.0.0/8", 5},
        WrongCase{"10.0.0.0/8", "'10.0.0.0/8' is a network, and host takes an address: give net 10.0.0.0/8", 0},
        WrongCase{"ip host ::1", "this is not an ip address", 8},
        WrongCase{"net 10.0.0.1/8", "'10.0.0.1/8' has bits behind its prefix: give net 10.0.0.0/8", 4},
        WrongCase{"net 10.0.0.0/33", "'10.0.0.0/33' is no network: give one like 10.0.0.0/8 or 2001:db8::/32", 4},
        WrongCase{"net 10.0.0.0 mask 255.0.255.0", "'255.0.255.0' is no mask: its ones must come before its zeros", 4},
        WrongCase{"pid 0", "'0' is no process id: give 1 to 4194304", 4},
        WrongCase{"uid wwwdata", "'wwwdata' is no user of this host: did you mean 'www-data'?", 4},
        WrongCase{"uid 4294967295", "'4294967295' is no user id: give 0 to 4294967294 or the name of a user", 4},
        WrongCase{"uid ''", "'' is no user id: give 0 to 4294967294 or the name of a user", 4},
        WrongCase{"cgroup ssh.service",
                  "'ssh.service' is no path of a cgroup: give one from the root, like /system.slice/ssh.service, or "
                  "*/ssh.service",
                  7},
        WrongCase{"cgroup /sys/fs/cgroup/x",
                  "'/sys/fs/cgroup/x' is where a cgroup's files are: give its path as /proc/PID/cgroup has it, like "
                  "/system.slice/ssh.service",
                  7},
        WrongCase{"cgroup and ip", "expected the path of a cgroup after cgroup, not 'and'", 7},
        WrongCase{"container ''", "'' is no container: give the first digits of its id, or its name", 10},
        WrongCase{"cgruop /a", "'cgruop' is no keyword: did you mean 'cgroup'?", 0},
        WrongCase{"local cgroup /a", "cgroup has no ends: leave out what stands before it", 6},
        WrongCase{"netns red", "'red' is no network namespace here: /run/netns/red: No such file or directory", 6},
        WrongCase{"comm sixteen--letters",
                  "'sixteen--letters' is too long, the kernel keeps 15 bytes of a name: give 'sixteen--letter'", 5},
        WrongCase{"comm ''", "'' is no process name: give 1 to 15 bytes, as /proc/PID/comm shows them", 5},
        WrongCase{"state ESTABLSHED", "'ESTABLSHED' is no state: did you mean 'ESTABLISHED'?", 6},
        WrongCase{"event retransmits", "'retransmits' is no event: did you mean 'retransmit'?", 6},
        WrongCase{"event x",
                  "'x' is no event: give state, error, retransmit, reset, accept, handshake, queue, probe, congestion, "
                  "found, gone "
                  "or verdict",
                  6},
        WrongCase{"duration > 5", "'5' has no unit: give ns, us, ms, s, m, h or d, like 5s", 11},
        WrongCase{"rtt > 5x", "'5x' is no time: give one like 5s, 200ms or 1.5m", 6},
        WrongCase{"rtt > 1.0000000001s", "'1.0000000001s' is no time: give one like 5s, 200ms or 1.5m", 6},
        WrongCase{"bytes > 1X", "'1X' is no number of bytes: give one like 1500, 64K or 1M", 8},
        WrongCase{"bytes > 99999999T", "'99999999T' is no number of bytes: give one like 1500, 64K or 1M", 8},
        WrongCase{"retransmits > 3s", "'3s' is no number of retransmissions: give one like 3", 14}));

TEST(Parser, ShowsThePlaceInALongExpressionWithoutControlCharacters)
{
    std::string text = "port 1";
    for (int port = 2; port < 100; port++)
        text += " or " + std::to_string(port);
    auto parsed = parse_expression(text + " or \x1b[2J", no_names());
    ASSERT_FALSE(parsed);
    const auto &message = parsed.error().message;
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
    EXPECT_NE(message.find("\n    ..."), std::string::npos) << message;
    auto line = message.find('\n') + 1;
    auto caret_line = message.find('\n', line) + 1;
    EXPECT_EQ(message.at(line + message.find('^', caret_line) - caret_line), '?') << message;
}

TEST(Parser, RefusesWhatIsTooDeepOrTooLong)
{
    EXPECT_FALSE(parse_expression(std::string(1000, '(') + "ip" + std::string(1000, ')'), no_names()));
    EXPECT_TRUE(parse_expression(std::string(40, '(') + "ip" + std::string(40, ')'), no_names()));
    std::string mixed = "ip";
    for (int i = 0; i < 100; i++)
        mixed += i % 2 != 0 ? " and ip6" : " or ip";
    EXPECT_FALSE(parse_expression(mixed, no_names()));
    EXPECT_FALSE(parse_expression(std::string(max_expression_bytes + 1, ' '), no_names()));
    std::string many = "port 1";
    while (many.size() < max_expression_bytes - 10)
        many += " or 1";
    EXPECT_TRUE(parse_expression(many, no_names()));
}

TEST(Parser, KnowsWithWhatAnExpressionBegins)
{
    for (const char *word : {"port", "(port", "!", "not", "src", "ip6", "comm", "duration>5s", "port 443", "!ip"})
        EXPECT_TRUE(begins_expression(word)) << word;
    for (const char *word : {"rec.tfr", "./port", "ports", "-", "and", "443", "", "/var/log/port"})
        EXPECT_FALSE(begins_expression(word)) << word;
}

} // namespace
} // namespace tcpflight::test

// The common subset of the grammar, as the system's own tcpdump understands it: connections of many kinds are written
// into a capture as a packet each, from the local to the remote end, and both have to choose the same.
#include "support/event_builder.h"
#include "support/expression.h"
#include "support/process.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tcpflight::test {
namespace {

std::vector<Identity> connections()
{
    struct Ends {
        const char *local;
        const char *remote;
    };
    std::vector<Identity> all;
    for (auto [local, remote] :
         {Ends{"10.0.0.1", "10.0.0.2"}, Ends{"10.0.0.2", "10.0.0.1"}, Ends{"10.1.2.3", "192.0.2.1"},
          Ends{"192.0.2.128", "10.255.255.255"}, Ends{"127.0.0.1", "127.0.0.1"}, Ends{"172.16.0.1", "8.8.8.8"},
          Ends{"::1", "::1"}, Ends{"2001:db8::1", "2001:db8::2"}, Ends{"2001:db8::2", "2001:db9::1"},
          Ends{"fe80::1", "2001:db8:8000::1"}}) {
        for (auto [local_port, remote_port] :
             {std::pair{40000, 80}, std::pair{80, 40000}, std::pair{443, 51000}, std::pair{22, 443}, std::pair{80, 80},
              std::pair{8079, 8081}, std::pair{65535, 1}, std::pair{8000, 8080}})
            all.push_back(*EventBuilder()
                               .local(local, static_cast<std::uint16_t>(local_port))
                               .remote(remote, static_cast<std::uint16_t>(remote_port))
                               .build()
                               .identity);
    }
    return all;
}

class Bytes {
public:
    Bytes &number(std::uint32_t value, int bytes)
    {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
            bytes_.push_back(static_cast<char>(value >> static_cast<unsigned>(shift)));
        return *this;
    }
    Bytes &address(const Address &address)
    {
        auto first = address.is_v4() ? address.bytes.begin() + 12 : address.bytes.begin();
        bytes_.append(first, address.bytes.end());
        return *this;
    }
    [[nodiscard]] const std::string &text() const { return bytes_; }

private:
    std::string bytes_;
};

// A SYN whose sequence number is `number`.
std::string packet(const Identity &id, std::uint32_t number)
{
    Bytes bytes;
    if (id.local.address.is_v4())
        bytes.number(0x45, 1).number(0, 1).number(40, 2).number(0, 4).number(64, 1).number(6, 1).number(0, 2);
    else
        bytes.number(0x60000000, 4).number(20, 2).number(6, 1).number(64, 1);
    bytes.address(id.local.address).address(id.remote.address);
    bytes.number(id.local.port, 2).number(id.remote.port, 2).number(number, 4).number(0, 4);
    bytes.number(0x5002, 2).number(1000, 2).number(0, 4);
    return bytes.text();
}

void write_capture(const std::string &path, const std::vector<Identity> &all)
{
    constexpr std::uint32_t raw_ip = 101; // LINKTYPE_RAW
    std::ofstream file(path, std::ios::binary);
    file << Bytes()
                .number(0xa1b2c3d4, 4)
                .number(2, 2)
                .number(4, 2)
                .number(0, 4)
                .number(0, 4)
                .number(65535, 4)
                .number(raw_ip, 4)
                .text();
    for (std::uint32_t i = 0; i < all.size(); i++) {
        auto data = packet(all[i], i + 1);
        auto size = static_cast<std::uint32_t>(data.size());
        file << Bytes().number(i, 4).number(0, 4).number(size, 4).number(size, 4).text() << data;
    }
}

std::set<std::size_t> chosen_by_tcpdump(const std::string &path, const std::string &expression)
{
    Spawn spawn;
    spawn.argv = {"/bin/sh", "-c", R"(exec tcpdump -nn -S -t -r - "$1" < "$0")", path, expression};
    auto finished = run(spawn);
    EXPECT_EQ(finished.status.code, 0) << finished.err;
    std::set<std::size_t> chosen;
    std::istringstream lines(finished.out);
    for (std::string line; std::getline(lines, line);) {
        auto at = line.find("seq ");
        EXPECT_NE(at, std::string::npos) << line;
        if (at != std::string::npos)
            chosen.insert(std::stoul(line.substr(at + 4)) - 1);
    }
    return chosen;
}

class Tcpdump : public testing::TestWithParam<const char *> {};

TEST_P(Tcpdump, ChoosesTheSame)
{
    Spawn version;
    version.argv = {"/bin/sh", "-c", "command -v tcpdump"};
    if (run(version).status.code != 0)
        GTEST_SKIP() << "tcpdump is not installed";
    std::string path = testing::TempDir() + "tcpflight-" + std::to_string(getpid()) + ".pcap";
    const auto all = connections();
    write_capture(path, all);
    auto filter = filter_of(GetParam());
    std::set<std::size_t> ours;
    for (std::size_t i = 0; i < all.size(); i++) {
        if (filter.matches(all[i]))
            ours.insert(i);
    }
    EXPECT_EQ(ours, chosen_by_tcpdump(path, GetParam()));
    EXPECT_FALSE(ours.empty());
    EXPECT_LT(ours.size(), all.size());
    std::remove(path.c_str());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Tcpdump,
    testing::Values("port 80", "src port 80", "dst port 80", "src or dst port 80", "src and dst port 80",
                    "tcp port 443", "tcp src port 443", "port 80 or 443", "src port 80 or 443", "not port 80",
                    "! port 80", "portrange 8000-8080", "portrange 8080-8000", "src portrange 8000-8080",
                    "portrange 80-443", "portrange 0-79", "port http", "port https or ssh", "host 10.0.0.1",
                    "src host 10.0.0.1", "dst host 10.0.0.1", "src 10.0.0.1", "src and dst host 127.0.0.1",
                    "ip host 10.0.0.1", "host 10.0.0.1 or 10.1.2.3", "not host 10.0.0.1 and 10.1.2.3",
                    "not host 10.0.0.1 and not 10.0.0.2", "not (host 10.0.0.1 or 10.1.2.3)", "net 10.0.0.0/8",
                    "src net 10.0.0.0/8", "dst net 10.0.0.0/8", "net 10", "net 10.1", "net 192.0.2", "net 10.0.0.0/30",
                    "net 192.0.2.128/25", "net 10.0.0.0 mask 255.0.0.0", "src and dst net 10.0.0.0/8", "net 0.0.0.0/0",
                    "host ::1", "ip6 host 2001:db8::1", "src host 2001:db8::2", "net 2001:db8::/32",
                    "net 2001:db8::/33", "dst net 2001:db8::/33", "ip6 src net 2001:db8::/32", "net ::/0", "ip", "ip6",
                    "not ip6", "ip and port 80", "ip6 and not port 80", "host 10.0.0.1 and port 80 or port 443",
                    "host 10.0.0.1 or port 80 and port 443", "port 80 and 443 or 22",
                    "host 10.0.0.1 and (port 80 or port 443)", "(port 80 or 443) and host 10.0.0.1 or 10.0.0.2",
                    "port (80 or 443)", "port 80 or not 443", "src port 80 and dst port 40000",
                    "src host 10.0.0.1 && dst port 80 || dst port 443", "not port 80 and not port 443",
                    "!(port 80 || port 443)", "not not port 22", "tcp and port 22",
                    "src host 10.0.0.1 or dst host 10.0.0.1 and port 80"),
    [](const auto &row) { return std::to_string(row.index); });

} // namespace
} // namespace tcpflight::test

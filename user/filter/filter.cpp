#include "filter/filter.h"

#include "filter/quote.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace tcpflight {
namespace {

bool contains(const PortSet &ports, std::uint16_t port)
{
    return port != 0 && ports.test(port);
}

bool ports_match(const Filter &filter, std::uint16_t local, std::uint16_t remote)
{
    if (filter.either_port && !contains(*filter.either_port, local) && !contains(*filter.either_port, remote))
        return false;
    if (filter.local_port && !contains(*filter.local_port, local))
        return false;
    return !filter.remote_port || contains(*filter.remote_port, remote);
}

bool owner_matches(const Filter &filter, const Owner &owner)
{
    if (filter.pids.empty() && filter.comms.empty())
        return true;
    if (!owner.is_known())
        return false;
    auto lists = [](const auto &wanted, const auto &value) {
        return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
    };
    return lists(filter.pids, owner.pid) && lists(filter.comms, owner.comm_view());
}

// "80,443,8000-8080": what was given in pieces or overlaps comes out as the fewest ranges.
std::string describe_ports(const PortSet &ports)
{
    std::string result;
    for (std::size_t first = 0; first < ports.size(); ++first) {
        if (!ports.test(first))
            continue;
        std::size_t last = first;
        while (last + 1 < ports.size() && ports.test(last + 1))
            ++last;
        if (!result.empty())
            result += ',';
        result += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
        first = last;
    }
    return result.empty() ? "none" : result;
}

// As it is where it cannot be taken for anything else, otherwise quoted.
std::string describe_comm(std::string_view comm)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@+#[]()";
    bool is_plain = !comm.empty() && comm.find_first_not_of(plain) == std::string_view::npos;
    return is_plain ? std::string(comm) : quote(comm);
}

std::string describe_comms(const std::vector<std::string> &comms)
{
    std::vector<std::string> words;
    for (const std::string &comm : comms)
        words.push_back(describe_comm(comm));
    return fmt::format("{}", fmt::join(words, ","));
}

} // namespace

bool Filter::is_open() const
{
    return !either_port && !local_port && !remote_port && pids.empty() && comms.empty() && ipv4 && ipv6;
}

bool Filter::matches(const Identity &identity) const
{
    bool family_wanted = identity.family == Family::IPv4 ? ipv4 : ipv6;
    return family_wanted && ports_match(*this, identity.local.port, identity.remote.port) &&
           owner_matches(*this, identity.owner);
}

std::string Filter::describe() const
{
    std::vector<std::string> terms;
    if (either_port)
        terms.push_back("port " + describe_ports(*either_port));
    if (local_port)
        terms.push_back("local port " + describe_ports(*local_port));
    if (remote_port)
        terms.push_back("remote port " + describe_ports(*remote_port));
    if (!pids.empty())
        terms.push_back(fmt::format("pid {}", fmt::join(pids, ",")));
    if (!comms.empty())
        terms.push_back("comm " + describe_comms(comms));
    // Without either family nothing can match: "ip and ip6" says just that.
    if (!ipv6)
        terms.emplace_back("ip");
    if (!ipv4)
        terms.emplace_back("ip6");
    return fmt::format("{}", fmt::join(terms, " and "));
}

} // namespace tcpflight

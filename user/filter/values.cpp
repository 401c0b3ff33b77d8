#include "filter/values.h"

#include "filter/glob.h"
#include "filter/quote.h"
#include "model/nearest.h"
#include "model/number.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

constexpr std::uint8_t v4_offset = 96; // bits before the IPv4 part of a v4-mapped address
constexpr std::uint8_t all_bits = 128;

void keep_bits(Address &address, std::uint8_t bits)
{
    for (std::size_t i = 0; i < address.bytes.size(); i++) {
        auto kept = std::clamp<int>(bits - static_cast<int>(i * 8), 0, 8);
        address.bytes.at(i) = static_cast<std::uint8_t>(address.bytes.at(i) & (0xff00U >> static_cast<unsigned>(kept)));
    }
}

// "10.1": the rest is 0, and 8 bits count for each number given.
std::optional<NetTerm> short_v4_net(std::string_view text)
{
    NetTerm net;
    net.address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    std::size_t given = 0;
    for (;;) {
        auto point = text.find('.');
        auto number = to_number(text.substr(0, point), 0, 255);
        if (!number || given == 4)
            return std::nullopt;
        net.address.bytes.at(12 + given++) = static_cast<std::uint8_t>(*number);
        if (point == std::string_view::npos)
            break;
        text.remove_prefix(point + 1);
    }
    net.bits = static_cast<std::uint8_t>(v4_offset + 8 * given);
    return net;
}

Result<NetTerm> checked_net(Address address, std::uint8_t bits, std::string_view text)
{
    NetTerm net{.end = End::Either, .address = address, .bits = bits};
    keep_bits(net.address, bits);
    if (net.address != address)
        return failure(fmt::format("{} has bits behind its prefix: give {}", quote(text), to_text({net})));
    return net;
}

Result<NetTerm> masked_net(std::string_view text, std::string_view mask)
{
    auto address = short_v4_net(text);
    auto bytes = parse_address(mask);
    if (!address || !bytes || !bytes->is_v4())
        return failure(fmt::format("{} mask {} is no IPv4 network: give one like 10.0.0.0 mask 255.0.0.0", quote(text),
                                   quote(mask)));
    std::uint32_t bits = 0;
    for (std::size_t i = 12; i < 16; i++)
        bits = bits << 8 | bytes->bytes.at(i);
    auto ones = std::countl_one(bits);
    if (ones != std::popcount(bits))
        return failure(fmt::format("{} is no mask: its ones must come before its zeros", quote(mask)));
    return checked_net(address->address, static_cast<std::uint8_t>(v4_offset + ones), text);
}

// "-" and "_" are the same in states: ss writes the one, the kernel the other.
std::string plain_state(std::string_view text)
{
    std::string plain(text);
    for (char &character : plain) {
        if (character == '-')
            character = '_';
        if (character >= 'a' && character <= 'z')
            character = static_cast<char>(character - 'a' + 'A');
    }
    return plain;
}

struct Unit {
    std::string_view name;
    std::uint64_t ns;
};
constexpr std::array<Unit, 7> units{{{"ns", 1},
                                     {"us", 1000},
                                     {"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"d", 86'400'000'000'000}}};

std::optional<std::uint64_t> to_time(std::string_view text)
{
    auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    auto unit_text = text.substr(digits);
    const auto *unit = std::find_if(units.begin(), units.end(), [&](const Unit &u) { return u.name == unit_text; });
    if (unit == units.end())
        return std::nullopt;
    auto number = text.substr(0, digits);
    auto point = number.find('.');
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    auto whole = to_number(number.substr(0, point), 0, most / unit->ns - 1);
    if (!whole)
        return std::nullopt;
    std::uint64_t fraction = 0;
    if (point != std::string_view::npos) {
        auto decimals = number.substr(point + 1);
        if (!is_digits(decimals))
            return std::nullopt;
        std::uint64_t part = unit->ns;
        for (char decimal : decimals) {
            if (part % 10 != 0) // finer than a nanosecond
                return std::nullopt;
            part /= 10;
            fraction += static_cast<std::uint64_t>(decimal - '0') * part;
        }
    }
    return *whole * unit->ns + fraction;
}

constexpr std::array<EventClass, 12> event_classes{EventClass::State, EventClass::Error,  EventClass::Retransmit,
                                                   EventClass::Reset, EventClass::Accept, EventClass::Handshake,
                                                   EventClass::Queue, EventClass::Probe,  EventClass::Congestion,
                                                   EventClass::Found, EventClass::Gone,   EventClass::Verdict};

std::string did_you_mean(std::string_view given, const std::vector<std::string_view> &words, std::string_view otherwise)
{
    auto found = nearest(given, words);
    return found ? fmt::format("did you mean '{}'?", *found) : std::string(otherwise);
}

} // namespace

std::optional<Address> parse_address(std::string_view text)
{
    const std::string copy(text);
    Address address;
    address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    if (copy.find('\0') != std::string::npos)
        return std::nullopt;
    if (inet_pton(AF_INET, copy.c_str(), address.bytes.data() + 12) == 1)
        return address;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1)
        return address;
    return std::nullopt;
}

Result<NetTerm> parse_host_value(std::string_view text)
{
    if (auto address = parse_address(text))
        return NetTerm{.end = End::Either, .address = *address, .bits = all_bits};
    if (parse_net_value(text, {}) && text.find('/') != std::string_view::npos)
        return failure(
            fmt::format("{} is a network, and host takes an address: give net {}", quote(text), escape(text)));
    bool looks_numeric = text.find_first_not_of("0123456789.:/abcdefABCDEF") == std::string_view::npos &&
                         text.find_first_of(".:") != std::string_view::npos;
    if (looks_numeric || is_digits(text))
        return failure(fmt::format("{} is no address: give one like 192.0.2.1 or 2001:db8::1", quote(text)));
    return failure(fmt::format(
        "{} is no address, and names are never looked up: give one like 192.0.2.1 or 2001:db8::1", quote(text)));
}

Result<NetTerm> parse_net_value(std::string_view text, std::string_view mask)
{
    if (!mask.empty())
        return masked_net(text, mask);
    auto slash = text.find('/');
    auto front = text.substr(0, slash);
    auto address = parse_address(front);
    auto short_net = short_v4_net(front);
    if (slash == std::string_view::npos) {
        if (short_net)
            return *short_net;
        if (address)
            return NetTerm{.end = End::Either, .address = *address, .bits = all_bits};
    } else if (address || short_net) {
        auto base = short_net ? short_net->address : *address;
        auto offset = base.is_v4() && front.find(':') == std::string_view::npos ? v4_offset : std::uint8_t{0};
        auto bits = to_number(text.substr(slash + 1), 0, all_bits - offset);
        if (bits)
            return checked_net(base, static_cast<std::uint8_t>(offset + *bits), text);
    }
    return failure(fmt::format("{} is no network: give one like 10.0.0.0/8 or 2001:db8::/32", quote(text)));
}

Result<PortTerm> parse_port_value(std::string_view text, const Names &names)
{
    auto term = [](std::uint16_t port) { return PortTerm{.end = End::Either, .first = port, .last = port}; };
    if (auto number = to_number(text, 1, max_port))
        return term(static_cast<std::uint16_t>(*number));
    if (is_digits(text))
        return failure(fmt::format("{} is no port: give 1 to 65535 or a service", quote(text)));
    if (auto dash = text.find('-'); dash != std::string_view::npos && is_digits(text.substr(0, dash)))
        return failure(fmt::format("{} is a range: give portrange {}", quote(text), escape(text)));
    if (text.find(',') != std::string_view::npos)
        return failure(fmt::format("{} is no port: a list is written 80 or 443", quote(text)));
    if (text.find('\0') == std::string_view::npos) {
        if (auto port = names.port(std::string(text)))
            return term(*port);
    }
    return failure(
        fmt::format("{} is no service of this host (/etc/services): give 1 to 65535 or a service", quote(text)));
}

// Both ends may be names, and names may have dashes.
Result<PortTerm> parse_port_range_value(std::string_view text, const Names &names)
{
    auto end_of = [&](std::string_view part) -> std::optional<std::uint16_t> {
        if (auto number = to_number(part, 0, max_port))
            return static_cast<std::uint16_t>(*number);
        auto port = parse_port_value(part, names);
        return port ? std::optional(port->first) : std::nullopt;
    };
    for (auto dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
        auto first = end_of(text.substr(0, dash));
        auto last = end_of(text.substr(dash + 1));
        if (first && last)
            return PortTerm{.end = End::Either, .first = std::min(*first, *last), .last = std::max(*first, *last)};
    }
    if (auto single = parse_port_value(text, names))
        return single;
    return failure(fmt::format("{} is no range of ports: give one like 8000-8080", quote(text)));
}

Result<NumberTerm> parse_pid_value(std::string_view text)
{
    auto value = to_number(text, 1, max_pid);
    if (!value)
        return failure(fmt::format("{} is no process id: give 1 to {}", quote(text), max_pid));
    return NumberTerm{.what = Number::Pid, .value = static_cast<std::uint32_t>(*value)};
}

Result<NumberTerm> parse_uid_value(std::string_view text, const Names &names)
{
    auto term = [](std::uint64_t uid) {
        return NumberTerm{.what = Number::Uid, .value = static_cast<std::uint32_t>(uid)};
    };
    if (auto number = to_number(text, 0, max_uid))
        return term(*number);
    if (text.empty() || is_digits(text) || text.find('\0') != std::string_view::npos)
        return failure(fmt::format("{} is no user id: give 0 to {} or the name of a user", quote(text), max_uid));
    auto uid = names.uid(std::string(text));
    if (!uid)
        return failure(fmt::format("{} is no user of this host: {}", quote(text), uid.error().message));
    return term(*uid);
}

Result<NumberTerm> parse_netns_value(std::string_view text, const Names &names)
{
    auto term = [](std::uint32_t inode) { return NumberTerm{.what = Number::Netns, .value = inode}; };
    if (auto inode = to_number(text, max_pid + 1, std::numeric_limits<std::uint32_t>::max()))
        return term(static_cast<std::uint32_t>(*inode));
    Result<std::uint32_t> inode = failure("");
    if (auto pid = to_number(text, 1, max_pid))
        inode = names.netns_of(static_cast<std::uint32_t>(*pid));
    else if (!is_digits(text) && text.find('\0') == std::string_view::npos)
        inode = names.netns(std::string(text));
    else
        inode = failure("give a name of ip-netns(8), a process id or an inode number");
    if (!inode)
        return failure(fmt::format("{} is no network namespace here: {}", quote(text), escape(inode.error().message)));
    return term(*inode);
}

Result<NameTerm> parse_comm_value(std::string_view text)
{
    if (text.empty())
        return failure("'' is no process name: give 1 to 15 bytes, as /proc/PID/comm shows them");
    bool is_plain = text.find_first_of("*?[\\") == std::string_view::npos;
    if (is_plain && text.size() > max_comm)
        return failure(fmt::format("{} is too long, the kernel keeps {} bytes of a name: give {}", quote(text),
                                   max_comm, quote(text.substr(0, max_comm))));
    return NameTerm{.what = Name::Comm, .pattern = normal_pattern(text)};
}

Result<NameTerm> parse_cgroup_value(std::string_view text)
{
    constexpr std::string_view mounted = "/sys/fs/cgroup/";
    if (text.starts_with(mounted))
        return failure(fmt::format("{} is where a cgroup's files are: give its path as /proc/PID/cgroup has it, like "
                                   "/system.slice/ssh.service",
                                   quote(text)));
    while (text.size() > 1 && text.ends_with('/'))
        text.remove_suffix(1);
    bool can_match = !text.empty() && std::string_view("/*?[\\").find(text.front()) != std::string_view::npos;
    if (!can_match)
        return failure(fmt::format("{} is no path of a cgroup: give one from the root, like /system.slice/ssh.service, "
                                   "or */ssh.service",
                                   quote(text)));
    return NameTerm{.what = Name::Cgroup, .pattern = normal_pattern(text)};
}

Result<NameTerm> parse_container_value(std::string_view text)
{
    constexpr std::size_t id_digits = 64;
    bool is_id = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (text.empty() || (is_id && text.size() > id_digits))
        return failure(fmt::format("{} is no container: give the first digits of its id, or its name", quote(text)));
    return NameTerm{.what = Name::Container, .pattern = normal_pattern(text)};
}

Result<StateTerm> parse_state_value(std::string_view text)
{
    auto plain = plain_state(text);
    std::vector<std::string_view> all;
    for (int number = 1; is_valid(TcpState{static_cast<std::uint8_t>(number)}); number++) {
        TcpState state{static_cast<std::uint8_t>(number)};
        if (plain == name(state))
            return StateTerm{.state = state};
        all.push_back(name(state));
    }
    return failure(fmt::format("{} is no state: {}", quote(text),
                               did_you_mean(plain, all, "give one like ESTABLISHED, as ss does")));
}

Result<EventTerm> parse_event_value(std::string_view text)
{
    std::vector<std::string_view> all;
    for (auto event : event_classes) {
        if (text == name(event))
            return EventTerm{.event = event};
        all.push_back(name(event));
    }
    return failure(fmt::format(
        "{} is no event: {}", quote(text),
        did_you_mean(
            text, all,
            "give state, error, retransmit, reset, accept, handshake, queue, probe, congestion, found, gone or "
            "verdict")));
}

Result<std::uint64_t> parse_quantity_value(Quantity quantity, std::string_view text)
{
    if (quantity == Quantity::Retransmits) {
        if (auto number = to_number(text, 0, std::numeric_limits<std::uint32_t>::max()))
            return *number;
        return failure(fmt::format("{} is no number of retransmissions: give one like 3", quote(text)));
    }
    if (quantity == Quantity::Bytes) {
        if (auto size = to_size(text, 1))
            return *size;
        return failure(fmt::format("{} is no number of bytes: give one like 1500, 64K or 1M", quote(text)));
    }
    if (auto time = to_time(text))
        return *time;
    if (is_digits(text))
        return failure(fmt::format("{} has no unit: give ns, us, ms, s, m, h or d, like {}s", quote(text), text));
    return failure(fmt::format("{} is no time: give one like 5s, 200ms or 1.5m", quote(text)));
}

} // namespace tcpflight

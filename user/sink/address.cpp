#include "sink/address.h"

#include <algorithm>
#include <cstring>

namespace tcpflight {
namespace {

constexpr std::size_t v4_at = 12;    // where the IPv4 address stands in a v4-mapped one
constexpr std::size_t max_v4 = 16;   // "255.255.255.255."
constexpr std::size_t max_v6 = 40;   // eight groups of four with their colons
constexpr std::size_t max_port = 20; // what write_decimal may touch

static_assert(max_v6 <= LineWriter::max_room && max_v4 <= LineWriter::max_room && max_port <= LineWriter::max_room);

// "0." to "255." with the length of each.
struct OctetText {
    std::array<char, 4> text{};
    std::uint8_t length = 0;
};

constexpr std::array<OctetText, 256> octets = [] {
    std::array<OctetText, 256> table{};
    for (std::size_t value = 0; value < table.size(); value++) {
        auto &entry = table[value];
        auto add = [&entry](std::size_t digit) { entry.text[entry.length++] = static_cast<char>('0' + digit); };
        if (value >= 100)
            add(value / 100);
        if (value >= 10)
            add(value / 10 % 10);
        add(value % 10);
        entry.text[entry.length++] = '.';
    }
    return table;
}();

// With a dot behind each octet, the last one too. Touches 16 bytes.
char *write_v4_dot(char *at, const Address &address)
{
    for (std::size_t i = v4_at; i < address.bytes.size(); i++) {
        const auto &octet = octets[address.bytes[i]];
        std::memcpy(at, octet.text.data(), octet.text.size());
        at += octet.length;
    }
    return at;
}

struct Run {
    std::size_t begin = 0;
    std::size_t length = 0;
};

// The longest run of zero groups, the first of equals; one group alone is not shortened (RFC 5952 section 4.2).
Run longest_zeros(const std::array<std::uint16_t, 8> &groups)
{
    Run best;
    Run run;
    for (std::size_t i = 0; i < groups.size(); i++) {
        if (groups[i] != 0) {
            run = {};
            continue;
        }
        if (run.length == 0)
            run.begin = i;
        run.length++;
        if (run.length > best.length)
            best = run;
    }
    return best.length >= 2 ? best : Run{groups.size(), 0};
}

char *write_group(char *at, std::uint16_t group)
{
    static constexpr std::string_view hex = "0123456789abcdef";
    int shift = 12;
    while (shift > 0 && group >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = hex[static_cast<std::size_t>(group >> shift & 0xf)];
    return at;
}

char *write_v6(char *at, const Address &address)
{
    std::array<std::uint16_t, 8> groups{};
    for (std::size_t i = 0; i < groups.size(); i++)
        groups[i] = static_cast<std::uint16_t>(address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]);
    const Run zeros = longest_zeros(groups);
    for (std::size_t i = 0; i < groups.size();) {
        if (i == zeros.begin) {
            *at++ = ':';
            *at++ = ':';
            i += zeros.length;
            continue;
        }
        if (i != 0 && i != zeros.begin + zeros.length)
            *at++ = ':';
        at = write_group(at, groups[i]);
        i++;
    }
    return at;
}

} // namespace

bool is_unspecified(const Address &address)
{
    const std::size_t begin = address.is_v4() ? v4_at : 0;
    return std::all_of(address.bytes.begin() + static_cast<std::ptrdiff_t>(begin), address.bytes.end(),
                       [](std::uint8_t byte) { return byte == 0; });
}

void put_address(LineWriter &line, const Address &address)
{
    if (address.is_v4())
        line.advance_to(write_v4_dot(line.room(max_v4), address) - 1);
    else
        line.advance_to(write_v6(line.room(max_v6), address));
}

void put_endpoint(LineWriter &line, const Endpoint &endpoint)
{
    if (endpoint.address.is_v4()) {
        line.advance_to(write_v4_dot(line.room(max_v4), endpoint.address));
    } else {
        put_address(line, endpoint.address);
        line.put('.');
    }
    if (endpoint.port != 0)
        line.put_decimal(endpoint.port);
    else
        line.put('?');
}

} // namespace tcpflight

#include "cli/values.h"

#include "filter/quote.h"
#include "model/number.h"
#include "tcpflight/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

namespace tcpflight {
namespace {

// `part` of a list `whole`.
Error wrong_part(const Flag &flag, std::string_view part, std::string_view whole)
{
    if (part == whole)
        return wrong_value(flag, whole);
    return {fmt::format("{} in {} is not {}: give {}", quote(part), quote(whole), flag.noun, flag.give)};
}

Result<void> parse_port_range(const Flag &flag, std::string_view part, std::string_view whole, PortSet &ports)
{
    std::size_t dash = part.find('-');
    auto first = to_number(part.substr(0, dash), 1, max_port);
    auto last = dash == std::string_view::npos ? first : to_number(part.substr(dash + 1), 1, max_port);
    if (!first || !last)
        return tl::unexpected(wrong_part(flag, part, whole));
    if (*first > *last)
        return failure(fmt::format("{} runs backwards: give {}-{}", quote(part), *last, *first));
    for (std::uint64_t port = *first; port <= *last; ++port)
        ports.set(port);
    return {};
}

template <typename Part> Result<void> for_each_part(std::string_view list, const Part &on_part)
{
    for (;;) {
        std::size_t comma = list.find(',');
        Result<void> result = on_part(list.substr(0, comma));
        if (!result || comma == std::string_view::npos)
            return result;
        list.remove_prefix(comma + 1);
    }
}

} // namespace

Error wrong_value(const Flag &flag, std::string_view value)
{
    return {fmt::format("{} is not {}: give {}", quote(value), flag.noun, flag.give)};
}

Result<std::uint64_t> parse_number(const Flag &flag, std::string_view text, std::uint64_t low, std::uint64_t high)
{
    auto value = to_number(text, low, high);
    if (!value)
        return tl::unexpected(wrong_value(flag, text));
    return *value;
}

Result<void> parse_ports(const Flag &flag, std::string_view text, PortSet &ports)
{
    return for_each_part(text, [&](std::string_view part) { return parse_port_range(flag, part, text, ports); });
}

Result<void> parse_pids(const Flag &flag, std::string_view text, std::vector<std::uint32_t> &pids)
{
    return for_each_part(text, [&](std::string_view part) -> Result<void> {
        auto value = to_number(part, 1, max_pid);
        if (!value)
            return tl::unexpected(wrong_part(flag, part, text));
        auto pid = static_cast<std::uint32_t>(*value);
        if (std::find(pids.begin(), pids.end(), pid) != pids.end())
            return {};
        if (pids.size() == TF_MAX_PIDS)
            return failure(fmt::format("these are too many process ids: give at most {}", TF_MAX_PIDS));
        pids.push_back(pid);
        return {};
    });
}

Result<void> check_comm(const Flag &flag, std::string_view text)
{
    if (text.empty())
        return tl::unexpected(wrong_value(flag, text));
    if (text.size() > max_comm)
        return failure(fmt::format("{} is too long, the kernel keeps {} bytes of a name: give {}", quote(text),
                                   max_comm, quote(text.substr(0, max_comm))));
    return {};
}

Result<std::uint64_t> parse_size(const Flag &flag, std::string_view text, std::uint64_t bare_unit, std::uint64_t low)
{
    auto size = to_size(text, bare_unit);
    if (!size || *size < low)
        return tl::unexpected(wrong_value(flag, text));
    return *size;
}

Result<std::uint64_t> parse_seconds(const Flag &flag, std::string_view text, std::uint64_t most_s)
{
    constexpr std::size_t max_decimals = 9;
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    auto point = text.find('.');
    auto whole = to_number(text.substr(0, point), 0, most_s);
    std::optional<std::uint64_t> fraction = 0;
    if (point != std::string_view::npos) {
        std::string decimals(text.substr(point + 1));
        bool fits = !decimals.empty() && decimals.size() <= max_decimals;
        decimals.resize(max_decimals, '0');
        fraction = fits ? to_number(decimals, 0, ns_per_s - 1) : std::nullopt;
    }
    if (!whole || !fraction || *whole * ns_per_s + *fraction > most_s * ns_per_s)
        return tl::unexpected(wrong_value(flag, text));
    return *whole * ns_per_s + *fraction;
}

} // namespace tcpflight

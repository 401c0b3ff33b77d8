#include "cli/top_command.h"

#include "cli/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace tcpflight {
namespace {

bool goes_with_top(FlagId id)
{
    const auto group = find_flag(id).group;
    if (group == FlagGroup::Connections || group == FlagGroup::Top || group == FlagGroup::Hidden)
        return true;
    constexpr std::array others{FlagId::Sort,    FlagId::Color,          FlagId::Time, FlagId::TimePrecision,
                                FlagId::Verbose, FlagId::ThresholdValue, FlagId::Utc,  FlagId::Sweep,
                                FlagId::User,    FlagId::BufferSize};
    return std::find(others.begin(), others.end(), id) != others.end();
}

} // namespace

Result<void> check_top_flags(const Arguments &arguments)
{
    for (const auto &given : arguments.given) {
        const auto &flag = find_flag(given.flag);
        if (flag.id == FlagId::Read)
            return failure("-r/--read: does not go with top, which shows what happens now: tcpflight -g -r FILE shows "
                           "the connections of a recording");
        if (!goes_with_top(flag.id))
            return failure(fmt::format("{}: does not go with top, which is a live screen: see --help", flag.display()));
    }
    return {};
}

Result<void> refuse_top_flags(const Arguments &arguments)
{
    for (const auto &given : arguments.given) {
        const auto &flag = find_flag(given.flag);
        if (flag.group == FlagGroup::Top)
            return failure(fmt::format("{}: goes with top only: tcpflight top {}", flag.display(), flag.long_name));
    }
    return {};
}

Result<void> set_top_key(const Flag &flag, std::string_view value, TopOptions &options)
{
    static constexpr std::array<std::pair<std::string_view, TopKey>, top_keys> keys{
        {{name(TopKey::Verdict), TopKey::Verdict},
         {name(TopKey::State), TopKey::State},
         {name(TopKey::InState), TopKey::InState},
         {name(TopKey::Age), TopKey::Age},
         {name(TopKey::Retransmits), TopKey::Retransmits},
         {name(TopKey::Rtt), TopKey::Rtt},
         {name(TopKey::Local), TopKey::Local},
         {name(TopKey::Remote), TopKey::Remote},
         {name(TopKey::Process), TopKey::Process},
         {name(TopKey::Last), TopKey::Last}}};
    const auto *found = std::find_if(keys.begin(), keys.end(), [&](const auto &key) { return key.first == value; });
    if (found == keys.end()) {
        auto own = flag;
        own.give = "verdict, state, in-state, age, retransmits, rtt, local, remote, process or last";
        return tl::unexpected(wrong_value(own, value));
    }
    options.sort = found->second;
    return {};
}

Result<void> set_delay(const Flag &flag, std::string_view value, TopOptions &options)
{
    constexpr std::uint64_t longest_s = 3600;
    constexpr std::uint64_t shortest_ns = 100'000'000;
    auto delay = parse_seconds(flag, value, longest_s);
    if (!delay)
        return tl::unexpected(delay.error());
    if (*delay < shortest_ns)
        return tl::unexpected(wrong_value(flag, value));
    options.delay_ns = *delay;
    return {};
}

Result<void> set_refreshes(const Flag &flag, std::string_view value, TopOptions &options)
{
    auto count = parse_number(flag, value, 1, std::numeric_limits<std::uint64_t>::max());
    if (!count)
        return tl::unexpected(count.error());
    options.refreshes = *count;
    return {};
}

} // namespace tcpflight

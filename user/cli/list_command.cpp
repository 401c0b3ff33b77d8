#include "cli/list_command.h"

#include "cli/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tcpflight {
namespace {

bool is_own(FlagId id)
{
    return id == FlagId::Wide || id == FlagId::Sort;
}

bool goes_with_list(FlagId id)
{
    if (is_own(id) || find_flag(id).group == FlagGroup::Connections)
        return true;
    constexpr std::array others{FlagId::Format, FlagId::Color, FlagId::TimePrecision, FlagId::Verbose, FlagId::Numeric};
    return std::find(others.begin(), others.end(), id) != others.end();
}

} // namespace

Result<void> check_list_flags(const Arguments &arguments)
{
    for (const auto &given : arguments.given) {
        if (!goes_with_list(given.flag))
            return failure(fmt::format("{}: does not go with list, which shows what there is and ends: see --help",
                                       find_flag(given.flag).display()));
        if (given.flag == FlagId::Format && (given.value == "tcplife" || given.value == "tcpstates"))
            return failure(fmt::format("list: --format {} is about what happens: give text or json", *given.value));
    }
    return {};
}

Result<void> check_list_filter(const Filter &filter)
{
    const auto &expression = filter.expression();
    if (asks_for(expression, Quantity::Retransmits))
        return failure("list: retransmits is not known of a socket that is looked at: leave it out");
    if (asks_for(expression, Quantity::Bytes))
        return failure("list: bytes are not known of a socket that is looked at: leave them out");
    if (any_term(expression, [](const auto &term) { return std::holds_alternative<EventTerm>(term.node); }))
        return failure("list: there are no events in a list of sockets: leave out event");
    if (any_term(expression, [](const auto &term) { return std::holds_alternative<DirectionTerm>(term.node); }))
        return failure("list: who began a connection is not known afterwards: leave out outgoing and incoming");
    return {};
}

Result<void> refuse_list_flags(const Arguments &arguments)
{
    for (const auto &given : arguments.given) {
        if (given.flag == FlagId::Sort)
            return failure("--sort: goes with list and top only: tcpflight list --sort");
        if (is_own(given.flag)) {
            const auto flag = find_flag(given.flag).display();
            return failure(fmt::format("{}: goes with list only: tcpflight list {}", flag, flag));
        }
    }
    return {};
}

Result<void> set_sort_key(const Flag &flag, std::string_view value, ListOptions &options)
{
    static constexpr std::array<std::pair<std::string_view, SortKey>, 8> keys{{{"state", SortKey::State},
                                                                               {"recvq", SortKey::RecvQueue},
                                                                               {"sendq", SortKey::SendQueue},
                                                                               {"local", SortKey::Local},
                                                                               {"remote", SortKey::Remote},
                                                                               {"process", SortKey::Process},
                                                                               {"timer", SortKey::Timer},
                                                                               {"age", SortKey::Age}}};
    const auto *found = std::find_if(keys.begin(), keys.end(), [&](const auto &key) { return key.first == value; });
    if (found == keys.end())
        return tl::unexpected(wrong_value(flag, value));
    options.sort = found->second;
    return {};
}

} // namespace tcpflight

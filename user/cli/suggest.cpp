#include "cli/suggest.h"

#include "cli/flags.h"
#include "model/nearest.h"

#include <algorithm>
#include <vector>

namespace tcpflight {
namespace {

std::string_view bare_name(std::string_view option)
{
    option = option.substr(0, option.find('='));
    option.remove_prefix(std::min(option.find_first_not_of('-'), option.size()));
    return option;
}

} // namespace

std::optional<std::string_view> nearest_flag(std::string_view option)
{
    std::vector<std::string_view> names;
    for (const Flag &flag : all_flags()) {
        if (!flag.long_name.empty() && flag.group != FlagGroup::Hidden)
            names.push_back(bare_name(flag.long_name));
    }
    auto found = nearest(bare_name(option), names);
    if (!found)
        return std::nullopt;
    auto flags = all_flags();
    auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag &f) { return bare_name(f.long_name) == *found; });
    return flag->long_name;
}

} // namespace tcpflight

#include "cli/arguments.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

namespace tcpflight {
namespace {

// CLI11 takes "--port=" for "--port", and says only in prose which option lacks its value. Two marks help; no argument
// of a process can contain a NUL, so neither can be mistaken.
constexpr char empty_mark = '\0';                 // ends a value that CLI11 would take for none
constexpr std::string_view end_mark{"\0\0", 2};   // after the last argument: there is no value
constexpr std::string_view switch_is_on = "true"; // CLI11's value of a switch

std::vector<std::string> marked_arguments(int argc, const char *const *argv)
{
    std::vector<std::string> arguments;
    for (int index = 1; index < argc; ++index) {
        std::string argument = argv[index];
        if (argument.size() > 3 && argument.starts_with("--") && argument.find('=') == argument.size() - 1)
            argument += empty_mark;
        // CLI11 2.4 reads "{}" as an empty list; with the mark it is a word like any other.
        if (argument == "{}" || argument.ends_with("={}"))
            argument += empty_mark;
        arguments.push_back(std::move(argument));
    }
    arguments.emplace_back(end_mark);
    return arguments;
}

std::string without_mark(std::string argument)
{
    if (!argument.empty() && argument.back() == empty_mark)
        argument.pop_back();
    return argument;
}

std::string cli11_names(const Flag &flag, bool for_top)
{
    std::string names(for_top && flag.id == FlagId::Refreshes ? find_flag(FlagId::Numeric).short_name
                                                              : flag.short_name);
    if (!names.empty() && !flag.long_name.empty())
        names += ',';
    return names += flag.long_name;
}

void define(CLI::App &app, const Flag &flag, bool for_top, Arguments &result)
{
    const CLI::callback_t on_value = [&flag, &result](const std::vector<std::string> &values) {
        for (const std::string &value : values) {
            if (value == end_mark)
                result.given.push_back({flag.id, std::nullopt});
            else
                result.given.push_back({flag.id, without_mark(value)});
        }
        return true;
    };
    const CLI::callback_t on_switch = [&flag, &result](const std::vector<std::string> &values) {
        for (const std::string &value : values) {
            if (value == switch_is_on)
                result.given.push_back({flag.id, std::string()});
            else
                result.assigned.push_back(flag.id);
        }
        return true;
    };
    const auto names = cli11_names(flag, for_top);
    CLI::Option *option =
        flag.takes_value() ? app.add_option(names, on_value) : app.add_option(names, on_switch)->expected(0);
    // Called at each occurrence, which keeps the order; without the second, "[a,b]" would be read as a list.
    option->trigger_on_parse()->allow_extra_args(false);
}

} // namespace

Arguments split_arguments(int argc, const char *const *argv, bool for_top)
{
    Arguments result;
    std::vector<std::string> arguments = marked_arguments(argc, argv);
    try {
        CLI::App app;
        app.set_help_flag();
        app.allow_extras();
        for (const Flag &flag : all_flags()) {
            if (!for_top || flag.id != FlagId::Numeric)
                define(app, flag, for_top, result);
        }
        std::reverse(arguments.begin(), arguments.end());
        app.parse(std::move(arguments));
        for (const std::string &argument : app.remaining()) {
            if (argument != end_mark && argument != "--")
                result.leftover.push_back(without_mark(argument));
        }
    } catch (const CLI::Error &error) {
        // Nothing is known to get here; whatever does must not pass for a command line that was understood.
        result.leftover.emplace_back(error.what());
    }
    return result;
}

} // namespace tcpflight

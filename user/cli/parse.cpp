#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/list_command.h"
#include "cli/options.h"
#include "cli/options_builder.h"
#include "cli/suggest.h"
#include "cli/top_command.h"
#include "diagnose/catalogue.h"
#include "filter/kernel_part.h"
#include "filter/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace tcpflight {
namespace {

enum class Subcommand : std::uint8_t { None, List, Top, Info, Merge, Explain };

Subcommand find_subcommand(int argc, const char *const *argv)
{
    const std::string_view word = argc > 1 ? argv[1] : "";
    if (word == "list")
        return Subcommand::List;
    if (word == "top")
        return Subcommand::Top;
    if (word == "info")
        return Subcommand::Info;
    if (word == "merge")
        return Subcommand::Merge;
    return word == "explain" ? Subcommand::Explain : Subcommand::None;
}

Command wrong(std::string_view sentence)
{
    return {Command::Kind::Wrong, {}, fmt::format("tcpflight: {}", sentence)};
}

Command unknown_option(std::string_view option)
{
    auto nearest = nearest_flag(option);
    std::string advice = nearest ? fmt::format("did you mean '{}'?", *nearest) : "see --help";
    std::size_t name_size = nearest ? option.find('=') : option.size();
    return wrong(fmt::format("unknown option {}: {}", quote(option.substr(0, name_size)), advice));
}

// "--port 80, 443": most likely the rest of a list.
bool is_rest_of_list(const Arguments &arguments)
{
    const auto &words = arguments.leftover;
    bool follows_list = std::any_of(arguments.given.begin(), arguments.given.end(), [](const auto &given) {
        const Flag &flag = find_flag(given.flag);
        return flag.group == FlagGroup::Connections && flag.takes_value();
    });
    return follows_list && !words.empty() && words.front().find_first_of("0123456789") != std::string::npos &&
           words.front().find_first_not_of("0123456789,-") == std::string::npos;
}

// "merge FILE... -w FILE".
Command merge(const Arguments &arguments)
{
    Command command{Command::Kind::Merge, {}, {}};
    RecordOptions record;
    for (const auto &given : arguments.given) {
        if (given.flag == FlagId::Write)
            record.path = *given.value;
        else if (given.flag == FlagId::Force)
            record.force = true;
        else
            return wrong(fmt::format("{} does not go with merge: give files, and -w with the file to write",
                                     find_flag(given.flag).display()));
    }
    if (arguments.leftover.empty())
        return wrong("merge: needs a file: give the names of recordings");
    if (record.path.empty())
        return wrong("merge: needs -w/--write: give the name of the file to write");
    if (std::find(arguments.leftover.begin(), arguments.leftover.end(), "-") != arguments.leftover.end())
        return wrong("merge: cannot read standard input: give the names of recordings");
    command.options.read = ReadOptions{.files = arguments.leftover, .from = {}, .to = {}, .follow = false};
    command.options.record = record;
    return command;
}

// "info FILE...": of the options only --utc has something to say there.
Command info(const Arguments &arguments)
{
    Command command{Command::Kind::Info, {}, {}};
    for (const auto &given : arguments.given) {
        if (given.flag != FlagId::Utc)
            return wrong(fmt::format("{} does not go with info: give files, and --utc if you like",
                                     find_flag(given.flag).display()));
        command.options.utc = true;
    }
    if (arguments.leftover.empty())
        return wrong("info: needs a file: give the names of recordings, or - for standard input");
    command.options.read = ReadOptions{.files = arguments.leftover, .from = {}, .to = {}, .follow = false};
    return command;
}

// A recording is nothing for eyes.
Command refuse_terminal(Command command, const Surroundings &surroundings)
{
    const auto &record = command.options.record;
    if (record && record->path == "-" && surroundings.stdout_is_terminal && !record->force)
        return wrong("-w -: standard output is a terminal: give a name, or redirect it");
    return command;
}

// "explain [NAME]".
Command explain_command(const Arguments &arguments)
{
    if (!arguments.given.empty())
        return wrong(fmt::format("{} does not go with explain: give the name of a verdict, or nothing for the list",
                                 find_flag(arguments.given.front().flag).display()));
    if (arguments.leftover.empty())
        return {Command::Kind::Print, {}, list_verdicts()};
    if (arguments.leftover.size() > 1)
        return wrong(fmt::format("explain: takes one name, and {} follows {}", quote(arguments.leftover[1]),
                                 quote(arguments.leftover[0])));
    const auto &given = arguments.leftover.front();
    if (given == "thresholds")
        return {Command::Kind::Print, {}, explain_thresholds()};
    if (auto kind = find_verdict(given))
        return {Command::Kind::Print, {}, explain(*kind)};
    auto nearest = nearest_verdict(given);
    return wrong(fmt::format("explain: there is no verdict {}: {}", quote(given),
                             nearest ? fmt::format("did you mean '{}'?", *nearest)
                                     : "tcpflight explain, without a name, lists them"));
}

bool looks_like_option(std::string_view argument)
{
    return argument.size() > 1 && argument.starts_with('-');
}

Result<void> check_flags(const Arguments &arguments, Subcommand subcommand)
{
    if (subcommand == Subcommand::Top)
        return check_top_flags(arguments);
    if (auto refused = refuse_top_flags(arguments); !refused)
        return refused;
    return subcommand == Subcommand::List ? check_list_flags(arguments) : refuse_list_flags(arguments);
}

Command command_from(const Arguments &arguments, const Surroundings &surroundings, Subcommand subcommand)
{
    const bool is_list = subcommand == Subcommand::List;
    // Help is given to whoever asks for it, whatever else is on the line.
    for (const auto &given : arguments.given) {
        if (given.flag == FlagId::Help)
            return {Command::Kind::Print, {}, help_text()};
        if (given.flag == FlagId::Version)
            return {Command::Kind::Print, {}, version_text()};
    }
    if (!arguments.assigned.empty())
        return wrong(fmt::format("{}: takes no value", find_flag(arguments.assigned.front()).display()));

    const auto &leftover = arguments.leftover;
    auto unknown = std::find_if(leftover.begin(), leftover.end(), looks_like_option);
    if (unknown != leftover.end())
        return unknown_option(*unknown);

    if (subcommand == Subcommand::Explain)
        return explain_command(arguments);

    if (auto fitting = check_flags(arguments, subcommand); !fitting)
        return wrong(fitting.error().message);

    OptionsBuilder builder;
    if (subcommand == Subcommand::Top)
        builder.top();
    for (const auto &given : arguments.given) {
        const Flag &flag = find_flag(given.flag);
        if (!given.value)
            return wrong(fmt::format("{}: needs a value: give {}", flag.display(), flag.give));
        if (auto applied = builder.apply(flag, *given.value); !applied)
            return wrong(fmt::format("{}: {}", flag.display(), applied.error().message));
    }
    if (subcommand == Subcommand::Info)
        return info(arguments);
    if (subcommand == Subcommand::Merge)
        return refuse_terminal(merge(arguments), surroundings);
    // Last, since a word is often what follows from an error before it: "--prot 80", "--port -c 5".
    if (std::find(leftover.begin(), leftover.end(), "") != leftover.end())
        return wrong("an empty argument belongs to no option: see --help");
    if (is_rest_of_list(arguments))
        return wrong(fmt::format("{} belongs to no option: give a list with commas and without blanks (80,443)",
                                 quote(leftover.front())));
    if (auto combined = builder.combine(leftover, surroundings.names != nullptr ? *surroundings.names : no_names());
        !combined)
        return wrong(combined.error().message);
    bool explains = builder.explains();
    if (is_list)
        builder.list();
    auto options = std::move(builder).finish(surroundings);
    if (explains)
        return {Command::Kind::Print, {}, explain(options.filter.expression())};
    if (auto fitting = is_list ? check_list_filter(options.filter) : Result<void>(); !fitting)
        return wrong(fitting.error().message);
    if (subcommand == Subcommand::Top)
        return {Command::Kind::Top, std::move(options), {}};
    return refuse_terminal({is_list ? Command::Kind::List : Command::Kind::Run, std::move(options), {}}, surroundings);
}

} // namespace

Command parse_command_line(int argc, const char *const *argv, const Surroundings &surroundings)
{
    try {
        auto subcommand = find_subcommand(argc, argv);
        int skipped = subcommand == Subcommand::None ? 0 : 1; // split_arguments() skips a first one of its own
        auto arguments = split_arguments(argc - skipped, argv + skipped, subcommand == Subcommand::Top);
        return command_from(arguments, surroundings, subcommand);
    } catch (const std::exception &error) {
        return wrong(fmt::format("cannot read the command line: {}", error.what()));
    }
}

Result<Filter> parse_filter(const std::vector<std::string> &words)
{
    std::vector<const char *> argv{"tcpflight"};
    for (const auto &word : words)
        argv.push_back(word.c_str());
    argv.push_back(nullptr);
    auto command = parse_command_line(static_cast<int>(argv.size()) - 1, argv.data(), {});
    bool is_filter = command.kind == Command::Kind::Run && !command.options.read && !command.options.record;
    if (!is_filter)
        return failure(command.text);
    return command.options.filter;
}

} // namespace tcpflight

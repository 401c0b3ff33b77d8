#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/list_command.h"
#include "cli/options.h"
#include "cli/suggest.h"
#include "cli/values.h"
#include "filter/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <exception>
#include <limits>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::uint64_t min_buffer_kib = 4;
constexpr std::uint64_t max_buffer_kib = 1U << 20;

template <typename Choice, std::size_t size>
Result<void> choose(const Flag &flag, std::string_view text,
                    const std::array<std::pair<std::string_view, Choice>, size> &choices, Choice &out)
{
    auto found = std::find_if(choices.begin(), choices.end(), [&](const auto &choice) { return choice.first == text; });
    if (found == choices.end())
        return tl::unexpected(wrong_value(flag, text));
    out = found->second;
    return {};
}

enum class ColorWhen : std::uint8_t { Auto, Always, Never };

// Takes the flags one by one; what depends on several of them, or on the surroundings, is decided at the end.
class OptionsBuilder {
public:
    Result<void> apply(const Flag &flag, std::string_view value);
    void list() { options_.list = list_; }
    Options finish(const Surroundings &surroundings) &&;

private:
    static Result<void> add_ports(const Flag &flag, std::string_view value, std::shared_ptr<PortSet> &ports);
    Result<void> add_comm(const Flag &flag, std::string_view value);
    Result<void> count_time();
    Result<void> set_count(const Flag &flag, std::string_view value);
    Result<void> set_buffer_size(const Flag &flag, std::string_view value);

    Options options_;
    ListOptions list_;
    std::shared_ptr<PortSet> either_port_;
    std::shared_ptr<PortSet> local_port_;
    std::shared_ptr<PortSet> remote_port_;
    bool ipv4_ = false;
    bool ipv6_ = false;
    ColorWhen color_ = ColorWhen::Auto;
};

Result<void> OptionsBuilder::apply(const Flag &flag, std::string_view value)
{
    constexpr std::array<std::pair<std::string_view, TimePrecision>, 2> precisions{
        {{"micro", TimePrecision::Micro}, {"nano", TimePrecision::Nano}}};
    constexpr std::array<std::pair<std::string_view, Format>, 2> formats{
        {{"text", Format::Text}, {"json", Format::Json}}};
    constexpr std::array<std::pair<std::string_view, Layer>, 3> layers{
        {{name(Layer::Core), Layer::Core}, {name(Layer::Kprobe), Layer::Kprobe}, {name(Layer::Fentry), Layer::Fentry}}};
    constexpr std::array<std::pair<std::string_view, ColorWhen>, 3> colors{
        {{"auto", ColorWhen::Auto}, {"always", ColorWhen::Always}, {"never", ColorWhen::Never}}};

    switch (flag.id) {
    case FlagId::Port: return add_ports(flag, value, either_port_);
    case FlagId::LocalPort: return add_ports(flag, value, local_port_);
    case FlagId::RemotePort: return add_ports(flag, value, remote_port_);
    case FlagId::Pid: return parse_pids(flag, value, options_.filter.pids);
    case FlagId::Comm: return add_comm(flag, value);
    case FlagId::Ipv4: ipv4_ = true; break;
    case FlagId::Ipv6: ipv6_ = true; break;
    case FlagId::Count: return set_count(flag, value);
    case FlagId::Time: return count_time();
    case FlagId::TimePrecision: return choose(flag, value, precisions, options_.style.precision);
    case FlagId::Quiet: options_.style.quiet = true; break;
    case FlagId::Verbose:
        options_.style.metrics = true;
        ++options_.verbosity;
        break;
    case FlagId::Numeric: break;
    case FlagId::Found: options_.show_found = true; break;
    case FlagId::Wide: list_.wide = true; break;
    case FlagId::Sort: return set_sort_key(flag, value, list_);
    case FlagId::Format: return choose(flag, value, formats, options_.style.format);
    case FlagId::Color: return choose(flag, value, colors, color_);
    case FlagId::FlushLine:
    case FlagId::FlushPacket: options_.flush = Flush::Line; break;
    case FlagId::BufferSize: return set_buffer_size(flag, value);
    case FlagId::LayerLimit: return choose(flag, value, layers, options_.layer);
    case FlagId::Help:
    case FlagId::Version: break; // answered before
    }
    return {};
}

Result<void> OptionsBuilder::add_ports(const Flag &flag, std::string_view value, std::shared_ptr<PortSet> &ports)
{
    if (!ports)
        ports = std::make_shared<PortSet>();
    return parse_ports(flag, value, *ports);
}

Result<void> OptionsBuilder::add_comm(const Flag &flag, std::string_view value)
{
    auto checked = check_comm(flag, value);
    auto &comms = options_.filter.comms;
    if (checked && std::find(comms.begin(), comms.end(), value) == comms.end())
        comms.emplace_back(value);
    return checked;
}

Result<void> OptionsBuilder::count_time()
{
    if (options_.style.time == TimeStyle::DeltaStart)
        return failure("given more than five times: -ttttt is the most");
    options_.style.time = static_cast<TimeStyle>(static_cast<int>(options_.style.time) + 1);
    return {};
}

Result<void> OptionsBuilder::set_count(const Flag &flag, std::string_view value)
{
    auto count = parse_number(flag, value, 1, std::numeric_limits<std::uint64_t>::max());
    if (!count)
        return tl::unexpected(count.error());
    options_.count = *count;
    return {};
}

// The kernel takes powers of two only, of whole pages.
Result<void> OptionsBuilder::set_buffer_size(const Flag &flag, std::string_view value)
{
    auto kib = parse_number(flag, value, min_buffer_kib, max_buffer_kib);
    if (!kib)
        return tl::unexpected(kib.error());
    options_.ring_bytes = static_cast<std::uint32_t>(std::bit_ceil(*kib) << 10);
    return {};
}

Options OptionsBuilder::finish(const Surroundings &surroundings) &&
{
    options_.filter.either_port = std::move(either_port_);
    options_.filter.local_port = std::move(local_port_);
    options_.filter.remote_port = std::move(remote_port_);
    if (ipv4_ != ipv6_) {
        options_.filter.ipv4 = ipv4_;
        options_.filter.ipv6 = ipv6_;
    }
    // Colours and folding are for eyes: JSON has neither.
    if (options_.style.format == Format::Text) {
        bool is_terminal = surroundings.stdout_is_terminal;
        bool color_by_default = is_terminal && !surroundings.environment_no_color;
        options_.style.color = color_ == ColorWhen::Always || (color_ == ColorWhen::Auto && color_by_default);
        options_.style.columns = is_terminal ? surroundings.terminal_columns : std::uint16_t{0};
    }
    return std::move(options_);
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

Command unexpected_word(std::string_view word)
{
    if (word.empty())
        return wrong("an empty argument belongs to no option: see --help");
    // Most likely the rest of a list: "--port 80, 443".
    bool is_list = word.find_first_of("0123456789") != std::string_view::npos &&
                   word.find_first_not_of("0123456789,-") == std::string_view::npos;
    if (is_list)
        return wrong(
            fmt::format("{} belongs to no option: give a list with commas and without blanks (80,443)", quote(word)));
    return wrong(fmt::format("{}: filter expressions are not there yet: use --port, --local-port, --remote-port, "
                             "--pid, --comm, -4 or -6",
                             quote(word)));
}

bool looks_like_option(std::string_view argument)
{
    return argument.size() > 1 && argument.starts_with('-');
}

Command command_from(const Arguments &arguments, const Surroundings &surroundings, bool is_list)
{
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

    if (auto fitting = is_list ? check_list_flags(arguments) : refuse_list_flags(arguments); !fitting)
        return wrong(fitting.error().message);

    OptionsBuilder builder;
    for (const auto &given : arguments.given) {
        const Flag &flag = find_flag(given.flag);
        if (!given.value)
            return wrong(fmt::format("{}: needs a value: give {}", flag.display(), flag.give));
        if (auto applied = builder.apply(flag, *given.value); !applied)
            return wrong(fmt::format("{}: {}", flag.display(), applied.error().message));
    }
    // Last, since a word is often what follows from an error before it: "--prot 80", "--port -c 5".
    if (!leftover.empty())
        return unexpected_word(leftover.front());
    if (is_list)
        builder.list();
    return {is_list ? Command::Kind::List : Command::Kind::Run, std::move(builder).finish(surroundings), {}};
}

} // namespace

Command parse_command_line(int argc, const char *const *argv, const Surroundings &surroundings)
{
    try {
        bool is_list = is_list_command(argc, argv);
        int skipped = is_list ? 1 : 0; // split_arguments() skips a first one of its own
        return command_from(split_arguments(argc - skipped, argv + skipped), surroundings, is_list);
    } catch (const std::exception &error) {
        return wrong(fmt::format("cannot read the command line: {}", error.what()));
    }
}

} // namespace tcpflight

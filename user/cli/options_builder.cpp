#include "cli/options_builder.h"

#include "cli/list_command.h"
#include "cli/top_command.h"
#include "cli/values.h"
#include "filter/glob.h"
#include "filter/parser.h"
#include "filter/quote.h"
#include "model/nearest.h"
#include "model/number.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

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

// Of none: open, as nothing was asked for.
Expression any_of(AnyOf any)
{
    if (any.parts.empty())
        return {};
    return any.parts.size() == 1 ? std::move(any.parts.front()) : Expression{std::move(any)};
}

// What was given in pieces or overlaps comes out as the fewest ranges.
Expression ports_expression(const PortSet &ports, End end)
{
    AnyOf any;
    for (std::size_t first = 0; first < ports.size(); ++first) {
        if (!ports.test(first))
            continue;
        std::size_t last = first;
        while (last + 1 < ports.size() && ports.test(last + 1))
            ++last;
        any.parts.push_back({PortTerm{
            .end = end, .first = static_cast<std::uint16_t>(first), .last = static_cast<std::uint16_t>(last)}});
        first = last;
    }
    return any_of(std::move(any));
}

} // namespace

Result<void> OptionsBuilder::apply(const Flag &flag, std::string_view value)
{
    constexpr std::array<std::pair<std::string_view, TimePrecision>, 2> precisions{
        {{"micro", TimePrecision::Micro}, {"nano", TimePrecision::Nano}}};
    constexpr std::array<std::pair<std::string_view, Format>, 4> formats{{{"text", Format::Text},
                                                                          {"json", Format::Json},
                                                                          {"tcplife", Format::Tcplife},
                                                                          {"tcpstates", Format::Tcpstates}}};
    constexpr std::array<std::pair<std::string_view, Verdicts>, 3> verdicts{
        {{"alarms", Verdicts::Alarms}, {"all", Verdicts::All}, {"none", Verdicts::None}}};
    constexpr std::array<std::pair<std::string_view, Layer>, 3> layers{
        {{name(Layer::Core), Layer::Core}, {name(Layer::Kprobe), Layer::Kprobe}, {name(Layer::Fentry), Layer::Fentry}}};
    constexpr std::array<std::pair<std::string_view, ColorWhen>, 3> colors{
        {{"auto", ColorWhen::Auto}, {"always", ColorWhen::Always}, {"never", ColorWhen::Never}}};

    given_.push_back(flag.id);
    switch (flag.id) {
    case FlagId::Port: return add_ports(flag, value, either_port_);
    case FlagId::LocalPort: return add_ports(flag, value, local_port_);
    case FlagId::RemotePort: return add_ports(flag, value, remote_port_);
    case FlagId::Pid: return parse_pids(flag, value, pids_);
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
    case FlagId::Timelines: options_.style.timelines = true; break;
    case FlagId::Summary: return set_summary(flag, value);
    case FlagId::VerdictChoice: return choose(flag, value, verdicts, options_.verdicts);
    case FlagId::Explain: explain_ = true; break;
    case FlagId::Found: options_.show_found = true; break;
    case FlagId::Wide: list_.wide = true; break;
    case FlagId::Sort: return options_.top ? set_top_key(flag, value, *options_.top) : set_sort_key(flag, value, list_);
    case FlagId::Delay: return set_delay(flag, value, *options_.top);
    case FlagId::Refreshes: return set_refreshes(flag, value, *options_.top);
    case FlagId::Format: return choose(flag, value, formats, options_.style.format);
    case FlagId::Color: return choose(flag, value, colors, color_);
    case FlagId::FlushLine:
    case FlagId::FlushPacket: options_.flush = Flush::Line; break;
    case FlagId::BufferSize: return set_buffer_size(flag, value);
    case FlagId::LayerLimit: return choose(flag, value, layers, options_.layer);
    case FlagId::ThresholdValue: return set_threshold(flag, value);
    case FlagId::Sweep: return set_sweep(flag, value);
    case FlagId::Utc: options_.utc = true; break;
    case FlagId::User:
        if (value.empty())
            return tl::unexpected(wrong_value(flag, value));
        options_.user = value;
        break;
    case FlagId::Help:
    case FlagId::Version: break; // answered before
    default: return flag.group == FlagGroup::Recording ? apply_recording(flag, value) : apply_reading(flag, value);
    }
    return {};
}

Result<void> OptionsBuilder::apply_recording(const Flag &flag, std::string_view value)
{
    constexpr std::uint64_t tcpdumps_unit = 1'000'000;
    constexpr std::uint64_t max_rotate_s = 31'536'000;
    constexpr std::uint64_t max_files = 1'000'000;
    constexpr std::uint64_t min_keep = 1U << 20;
    constexpr std::uint64_t max_flush_s = 3600;
    auto number = [&](std::uint64_t high) { return parse_number(flag, value, 1, high); };
    auto store = [](const Result<std::uint64_t> &from, auto &to) -> Result<void> {
        if (!from)
            return tl::unexpected(from.error());
        to = static_cast<std::uint32_t>(*from);
        return {};
    };
    auto store_wide = [](const Result<std::uint64_t> &from, auto &to) -> Result<void> {
        if (!from)
            return tl::unexpected(from.error());
        to = *from;
        return {};
    };
    switch (flag.id) {
    case FlagId::Write:
    case FlagId::PostRotate:
        if (value.empty())
            return tl::unexpected(wrong_value(flag, value));
        (flag.id == FlagId::Write ? record_.path : record_.post_rotate) = value;
        break;
    case FlagId::Print: record_.print = true; break;
    case FlagId::Force: record_.force = true; break;
    case FlagId::FileSize: return store_wide(parse_size(flag, value, tcpdumps_unit, 1), record_.file_bytes);
    case FlagId::Keep: return store_wide(parse_size(flag, value, 1, min_keep), record_.keep_bytes);
    case FlagId::FlushInterval: return store_wide(parse_seconds(flag, value, max_flush_s), record_.flush_interval_ns);
    case FlagId::FileSeconds: return store(number(max_rotate_s), record_.rotate_s);
    case FlagId::FileCount: return store(number(max_files), record_.max_files);
    default: break;
    }
    return {};
}

Result<void> OptionsBuilder::apply_reading(const Flag &flag, std::string_view value)
{
    switch (flag.id) {
    case FlagId::Read:
        if (value.empty())
            return tl::unexpected(wrong_value(flag, value));
        read_.files.emplace_back(value);
        break;
    case FlagId::From:
    case FlagId::To: {
        auto moment = parse_moment(value);
        if (!moment)
            return tl::unexpected(wrong_value(flag, value));
        (flag.id == FlagId::From ? read_.from : read_.to) = moment;
        break;
    }
    case FlagId::Follow: read_.follow = true; break;
    default: break;
    }
    return {};
}

Result<void> OptionsBuilder::combine(std::vector<std::string> words, const Names &names)
{
    // As the shell leaves them: -r rec-* port 443
    if (!read_.files.empty()) {
        auto end = std::find_if(words.begin(), words.end(), [](const auto &word) { return begins_expression(word); });
        read_.files.insert(read_.files.end(), words.begin(), end);
        words.erase(words.begin(), end);
    }
    if (auto filter = set_filter(words, names); !filter)
        return filter;
    bool writes = !record_.path.empty();
    bool reads = !read_.files.empty();
    for (auto id : given_) {
        const Flag &flag = find_flag(id);
        bool is_tracers = flag.group == FlagGroup::Recording || id == FlagId::User || id == FlagId::BufferSize ||
                          id == FlagId::LayerLimit || id == FlagId::Sweep;
        if (reads && is_tracers)
            return failure(fmt::format("{} does not go with -r/--read, which only reads", flag.display()));
        if (!writes && flag.group == FlagGroup::Recording)
            return failure(fmt::format("{} needs -w/--write: it says how to record", flag.display()));
        if (!reads && flag.group == FlagGroup::Reading)
            return failure(fmt::format("{} needs -r/--read: it says how to read a recording", flag.display()));
    }
    if (auto checked = check_columns(); !checked)
        return checked;
    if (options_.style.summary_ns && options_.style.timelines)
        return failure("--summary and -g/--timelines each replace the lines: give one of them");
    if (options_.style.summary_ns && options_.style.format == Format::Json)
        return failure("--summary is for people: with --format json, ask for --verdicts all");
    if (options_.style.summary_ns && writes && !record_.print)
        return failure("--summary shows numbers: with -w/--write it needs --print");
    if (options_.style.timelines && options_.style.format == Format::Json)
        return failure("-g/--timelines is for people: with --format json, ask for --verdicts all");
    if (options_.style.timelines && writes && !record_.print)
        return failure("-g/--timelines shows connections: with -w/--write it needs --print");
    if (writes) {
        if (auto checked = check_recording(); !checked)
            return checked;
        options_.record = record_;
    }
    if (reads) {
        if (auto checked = check_reading(); !checked)
            return checked;
        options_.read = read_;
    }
    return {};
}

// What a tool's columns have no room for.
Result<void> OptionsBuilder::check_columns() const
{
    const auto format = options_.style.format;
    if (format != Format::Tcplife && format != Format::Tcpstates)
        return {};
    constexpr std::array without{FlagId::Timelines, FlagId::Summary, FlagId::VerdictChoice, FlagId::Found};
    for (auto id : given_) {
        if (std::find(without.begin(), without.end(), id) != without.end())
            return failure(fmt::format("{} does not go with --format {}, which has the columns of that tool alone",
                                       find_flag(id).display(), format == Format::Tcplife ? "tcplife" : "tcpstates"));
    }
    return {};
}

Result<void> OptionsBuilder::check_recording() const
{
    bool rotates = record_.file_bytes || record_.rotate_s;
    if (record_.max_files && !rotates)
        return failure("-W needs -C or -G: without them there is one file");
    if (!record_.post_rotate.empty() && !rotates && !record_.keep_bytes)
        return failure("-z needs -C or -G: without them no file follows another");
    if (record_.path == "-" && (rotates || record_.keep_bytes))
        return failure("-w -: standard output is one file: leave out -C, -G and --keep, or give a name");
    if (record_.path == "-" && record_.print)
        return failure("-w -: standard output cannot take the recording and the lines of --print: give a name");
    auto folder = std::string_view(record_.path).substr(0, record_.path.rfind('/') + 1);
    if (record_.keep_bytes && record_.rotate_s && record_.path.find('/') != std::string::npos &&
        folder.find('%') != std::string_view::npos)
        return failure(fmt::format("--keep looks after one folder: give -w a name without '%' in {}", quote(folder)));
    if (record_.keep_bytes && record_.file_bytes && *record_.file_bytes > *record_.keep_bytes / 2)
        return failure("--keep must have room for two files of the size of -C");
    return {};
}

Result<void> OptionsBuilder::check_reading() const
{
    bool has_pipe = std::find(read_.files.begin(), read_.files.end(), "-") != read_.files.end();
    if (read_.files.size() > 1 && has_pipe)
        return failure("-r -: standard input is read by itself: give it alone, or names only");
    if (read_.follow && read_.files.size() > 1)
        return failure("--follow reads one file: give the one that is being written");
    return {};
}

Result<void> OptionsBuilder::add_ports(const Flag &flag, std::string_view value, std::unique_ptr<PortSet> &ports)
{
    if (!ports)
        ports = std::make_unique<PortSet>();
    return parse_ports(flag, value, *ports);
}

Result<void> OptionsBuilder::add_comm(const Flag &flag, std::string_view value)
{
    auto checked = check_comm(flag, value);
    if (checked && std::find(comms_.begin(), comms_.end(), value) == comms_.end())
        comms_.emplace_back(value);
    return checked;
}

// The options are short for an expression, to which the one that was given is and-ed.
Result<void> OptionsBuilder::set_filter(const std::vector<std::string> &words, const Names &names)
{
    auto given = parse_expression(fmt::format("{}", fmt::join(words, " ")), names);
    if (!given)
        return tl::unexpected(given.error());
    Expression expression;
    for (const auto &[ports, end] :
         {std::pair(either_port_.get(), End::Either), std::pair(local_port_.get(), End::Local),
          std::pair(remote_port_.get(), End::Remote)}) {
        if (ports != nullptr)
            add_condition(expression, ports_expression(*ports, end));
    }
    AnyOf pids;
    for (auto pid : pids_)
        pids.parts.push_back({NumberTerm{.what = Number::Pid, .value = pid}});
    add_condition(expression, any_of(std::move(pids)));
    AnyOf comms;
    for (const auto &comm : comms_)
        comms.parts.push_back({NameTerm{.what = Name::Comm, .pattern = literal_pattern(comm)}});
    add_condition(expression, any_of(std::move(comms)));
    if (ipv4_ != ipv6_)
        add_condition(expression, {FamilyTerm{ipv4_ ? Family::IPv4 : Family::IPv6}});
    add_condition(expression, std::move(*given));
    options_.filter = Filter(std::move(expression));
    return {};
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

Result<void> OptionsBuilder::set_summary(const Flag &flag, std::string_view value)
{
    constexpr std::uint64_t longest_s = 86'400;
    auto interval = parse_seconds(flag, value, longest_s);
    if (!interval)
        return tl::unexpected(interval.error());
    options_.style.summary_ns = *interval;
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

Result<void> OptionsBuilder::set_sweep(const Flag &flag, std::string_view value)
{
    constexpr std::uint64_t longest_s = 3600;
    auto period = parse_seconds(flag, value, longest_s);
    if (!period)
        return tl::unexpected(period.error());
    options_.sweep_ns = *period;
    return {};
}

// "close-wait=300"
Result<void> OptionsBuilder::set_threshold(const Flag &flag, std::string_view value)
{
    const auto equals = std::min(value.find('='), value.size());
    const auto entries = all_thresholds();
    const auto entry = std::find_if(entries.begin(), entries.end(), [&](const ThresholdEntry &candidate) {
        return candidate.name == value.substr(0, equals);
    });
    if (entry == entries.end() && equals != value.size()) {
        std::vector<std::string_view> names;
        for (const auto &candidate : entries)
            names.push_back(candidate.name);
        if (const auto meant = nearest(value.substr(0, equals), names))
            return failure(
                fmt::format("there is no threshold {}: did you mean '{}'?", quote(value.substr(0, equals)), *meant));
    }
    if (entry == entries.end() || equals == value.size())
        return tl::unexpected(wrong_value(flag, value));
    const auto number = value.substr(equals + 1);
    options_.thresholds.given |= 1U << (entry - entries.begin());
    if (entry->count != nullptr) {
        const auto count = to_number(number, 1, entry->most);
        if (!count)
            return tl::unexpected(wrong_value(flag, value));
        options_.thresholds.*entry->count = static_cast<std::uint32_t>(*count);
        return {};
    }
    const auto time = parse_seconds(flag, number, max_threshold_s);
    if (!time || *time == 0)
        return tl::unexpected(wrong_value(flag, value));
    options_.thresholds.*entry->time_ns = *time;
    return {};
}

Options OptionsBuilder::finish(const Surroundings &surroundings) &&
{
    // Colours and folding are for eyes: JSON has neither.
    if (options_.style.format == Format::Text) {
        bool is_terminal = surroundings.stdout_is_terminal;
        bool color_by_default = is_terminal && !surroundings.environment_no_color;
        options_.style.color = color_ == ColorWhen::Always || (color_ == ColorWhen::Auto && color_by_default);
        options_.style.timelines |= options_.top.has_value();
        options_.style.columns = is_terminal ? surroundings.terminal_columns : std::uint16_t{0};
    }
    return std::move(options_);
}

} // namespace tcpflight

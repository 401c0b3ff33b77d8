#include "app/recording_info.h"

#include "cli/help.h"
#include "filter/quote.h"

#include <sys/random.h>
#include <sys/utsname.h>

#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

std::vector<std::string> split_words(std::string_view text)
{
    std::vector<std::string> words;
    for (std::size_t end = 0; (end = text.find('\0')) != std::string_view::npos; text.remove_prefix(end + 1))
        words.emplace_back(text.substr(0, end));
    return words;
}

std::string first_line(const char *path)
{
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

} // namespace

StartInfo describe_recording(const Options &options, std::string hooks, const ClockAnchor &clock)
{
    StartInfo info;
    info.program = version_text();
    info.program.pop_back(); // its newline
    utsname system{};
    if (uname(&system) == 0) {
        info.host = system.nodename;
        info.kernel = std::string(system.release) + ' ' + system.machine;
    }
    info.boot_id = first_line("/proc/sys/kernel/random/boot_id");
    if (!options.filter.is_open())
        info.filter = join_words({options.filter.describe()});
    info.hooks = std::move(hooks);
    // Up to 256 bytes are always given (getrandom(2)).
    [[maybe_unused]] auto size = getrandom(info.recording_id.data(), info.recording_id.size(), 0);
    info.clock = clock;
    return info;
}

std::string join_words(const std::vector<std::string> &words)
{
    std::string text;
    for (const auto &word : words)
        text.append(word).push_back('\0');
    return text;
}

Result<Filter> recorded_filter(const StartInfo &info)
{
    return parse_filter(split_words(info.filter));
}

std::string filter_text(const StartInfo &info)
{
    if (auto filter = recorded_filter(info))
        return filter->describe(); // made anew: printable, whatever the file said
    std::string text;
    for (const auto &word : split_words(info.filter))
        text += (text.empty() ? "" : " ") + escape(word);
    return text;
}

} // namespace tcpflight

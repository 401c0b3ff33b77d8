#include "table/settings.h"

#include "table/convert.h"

#include <utility>

namespace tcpflight {
namespace {

void append(std::vector<std::byte> &out, const NetnsSettings &settings, std::uint64_t time_ns)
{
    tf_header header{};
    header.time_ns = time_ns;
    header.type = TF_RECORD_SETTINGS;
    const auto raw = to_raw(settings);
    for (const auto bytes : {std::as_bytes(std::span(&header, 1)), std::as_bytes(std::span(&raw, 1))})
        out.insert(out.end(), bytes.begin(), bytes.end());
}

} // namespace

std::vector<std::byte> settings_records(std::span<const NetnsLimits> limits, std::uint64_t time_ns)
{
    std::vector<std::byte> out;
    for (const auto &one : limits)
        append(out, one.settings, time_ns);
    return out;
}

std::vector<std::byte> SettingsTeller::tell(const Look &look, std::uint64_t now_ns)
{
    std::vector<std::byte> out;
    const auto before = std::exchange(told_, {});
    for (const auto &limits : look.limits) {
        const auto &settings = limits.settings;
        const auto known = before.find(settings.netns);
        if (known != before.end() && known->second.settings == settings && now_ns - known->second.time_ns < again_ns) {
            told_.insert(*known);
            continue;
        }
        append(out, settings, now_ns);
        told_[settings.netns] = {.settings = settings, .time_ns = now_ns};
    }
    return out;
}

} // namespace tcpflight

#include "recording/rotation.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// Digits of the highest number that a ring of so many files has: they then sort by name. tcpdump's getWflagChars().
int digits_for(std::uint32_t max_files)
{
    int digits = 0;
    for (auto last = max_files - 1; last > 0; last /= 10)
        digits++;
    return digits;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" // the user's own

std::string fill_in(const std::string &name, std::time_t when)
{
    std::tm calendar{};
    localtime_r(&when, &calendar);
    // A blank behind it: strftime() says 0 for what does not fit and for an empty result alike.
    std::string format = name + ' ';
    std::string text(format.size() + 256, '\0');
    auto size = std::strftime(text.data(), text.size(), format.c_str(), &calendar);
    while (size == 0) {
        text.resize(text.size() * 2);
        size = std::strftime(text.data(), text.size(), format.c_str(), &calendar);
    }
    text.resize(size - 1);
    return text;
}

#pragma GCC diagnostic pop

} // namespace

Rotation::Rotation(RotationSettings settings, std::time_t now)
    : settings_(std::move(settings)), period_begin_(now), path_(make_path())
{
}

Rotation::Step Rotation::look(std::uint64_t file_bytes, std::time_t now)
{
    if (auto due_at = due(); due_at && now >= *due_at) {
        periods_++;
        if (!settings_.file_bytes && settings_.max_files && periods_ >= *settings_.max_files)
            return Step::End;
        period_begin_ = now;
        in_period_ = 0;
    } else if (file_bytes > settings_.file_bytes.value_or(settings_.soft_bytes.value_or(UINT64_MAX))) {
        in_period_++;
        if (settings_.file_bytes && settings_.max_files && in_period_ >= *settings_.max_files)
            in_period_ = 0;
    } else {
        return Step::Stay;
    }
    path_ = make_path();
    return Step::Next;
}

std::optional<std::time_t> Rotation::due() const
{
    if (!settings_.rotate_s)
        return std::nullopt;
    return period_begin_ + *settings_.rotate_s;
}

std::string Rotation::make_path() const
{
    auto path = settings_.rotate_s ? fill_in(settings_.name, period_begin_) : settings_.name;
    auto digits = settings_.file_bytes && settings_.max_files ? digits_for(*settings_.max_files) : 0;
    if (in_period_ == 0 && digits == 0)
        return path;
    return path + fmt::format("{:0{}}", in_period_, digits);
}

std::string name_pattern(const std::string &name, bool has_conversions)
{
    constexpr std::string_view special = "*?[]\\";
    constexpr std::string_view flags = "_-0^#EO123456789+"; // of conversions: glibc's and C's
    std::string pattern;
    auto put = [&](char c) {
        if (special.find(c) != std::string_view::npos)
            pattern += '\\';
        pattern += c;
    };
    for (std::size_t at = 0; at < name.size(); at++) {
        if (!has_conversions || name[at] != '%' || at + 1 == name.size()) {
            put(name[at]);
            continue;
        }
        at = name.find_first_not_of(flags, at + 1);
        if (at == std::string::npos)
            break;
        if (name[at] == '%')
            put('%');
        else if (!pattern.ends_with('*'))
            pattern += '*';
    }
    return pattern;
}

} // namespace tcpflight

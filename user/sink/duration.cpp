#include "sink/duration.h"

namespace tcpflight {
namespace {

constexpr std::uint64_t ns_per_us = 1'000;
constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint64_t s_per_h = 3600;

// `part` of 1000, or of 1000000 where `six`; nothing at all for 0.
void put_fraction(LineWriter &line, std::uint32_t part, bool six)
{
    if (part == 0)
        return;
    char *at = line.room(1 + 6);
    *at++ = '.';
    at = six ? write_fixed<6>(at, part) : write_fixed<3>(at, part);
    while (at[-1] == '0')
        at--;
    line.advance_to(at);
}

void put_two(LineWriter &line, std::uint64_t value)
{
    line.advance_to(write_fixed<2>(line.room(2), static_cast<std::uint32_t>(value)));
}

} // namespace

void put_duration(LineWriter &line, std::uint64_t duration_ns, TimePrecision precision)
{
    const bool nano = precision == TimePrecision::Nano;
    if (duration_ns < ns_per_ms) {
        line.put_decimal(duration_ns / ns_per_us);
        if (nano)
            put_fraction(line, static_cast<std::uint32_t>(duration_ns % ns_per_us), false);
        line.put("us");
        return;
    }
    if (duration_ns < ns_per_s) {
        const auto rest = static_cast<std::uint32_t>(duration_ns % ns_per_ms);
        line.put_decimal(duration_ns / ns_per_ms);
        put_fraction(line, nano ? rest : rest / 1000, nano);
        line.put("ms");
        return;
    }
    const std::uint64_t seconds = duration_ns / ns_per_s;
    const auto rest = static_cast<std::uint32_t>(duration_ns % ns_per_s);
    if (seconds < s_per_h) {
        line.put_decimal(seconds);
        put_fraction(line, nano ? rest / 1000 : rest / 1'000'000, nano);
    } else {
        line.put_decimal(seconds / s_per_h);
        line.put('h');
        put_two(line, seconds / 60 % 60);
        line.put('m');
        put_two(line, seconds % 60);
        if (nano)
            put_fraction(line, rest / 1'000'000, false);
    }
    line.put('s');
}

} // namespace tcpflight

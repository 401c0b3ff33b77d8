#include "sink/clock_text.h"

#include <cstring>
#include <ctime>

namespace tcpflight {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

char *write_fraction(char *at, std::uint32_t ns, bool nano)
{
    return nano ? write_fixed<9>(at, ns) : write_fixed<6>(at, ns / 1000);
}

char *write_two(char *at, int value, char after)
{
    at = write_fixed<2>(at, static_cast<std::uint32_t>(value));
    *at++ = after;
    return at;
}

char *write_date(char *at, const std::tm &calendar, char after)
{
    at = write_fixed<4>(at, static_cast<std::uint32_t>(calendar.tm_year + 1900));
    *at++ = '-';
    at = write_two(at, calendar.tm_mon + 1, '-');
    return write_two(at, calendar.tm_mday, after);
}

char *write_clock(char *at, const std::tm &calendar)
{
    at = write_two(at, calendar.tm_hour, ':');
    at = write_two(at, calendar.tm_min, ':');
    return write_two(at, calendar.tm_sec, '.');
}

// Towards the past also before 1970.
std::int64_t floor_seconds(std::int64_t ns)
{
    return ns / ns_per_s - (ns % ns_per_s < 0 ? 1 : 0);
}

} // namespace

void ClockText::put(LineWriter &line, std::int64_t wall_ns)
{
    // Unsigned: a moment before this second is far beyond it.
    auto into = static_cast<std::uint64_t>(wall_ns) - static_cast<std::uint64_t>(second_begin_ns_);
    if (into >= static_cast<std::uint64_t>(ns_per_s)) [[unlikely]] {
        enter_second(wall_ns);
        into = static_cast<std::uint64_t>(wall_ns) - static_cast<std::uint64_t>(second_begin_ns_);
    }
    static_assert(sizeof(prefix_) + 9 <= LineWriter::max_room);
    char *at = line.room(prefix_.size() + 9);
    std::memcpy(at, prefix_.data(), prefix_.size()); // all of it: a constant size is one move
    line.advance_to(write_fraction(at + prefix_size_, static_cast<std::uint32_t>(into), nano_));
    if (shape_ == Shape::Rfc3339)
        line.put('Z');
}

void ClockText::enter_second(std::int64_t wall_ns)
{
    const std::int64_t second = floor_seconds(wall_ns);
    // Unsigned: the first second of the clock's range, in the year 1677, begins before it.
    second_begin_ns_ =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(second) * static_cast<std::uint64_t>(ns_per_s));
    char *at = prefix_.data();
    if (shape_ == Shape::Epoch) {
        if (second < 0)
            *at++ = '-';
        at = write_decimal(at, static_cast<std::uint64_t>(second < 0 ? -second : second));
        *at++ = '.';
    } else {
        const std::time_t moment = second;
        std::tm calendar{};
        if (shape_ == Shape::Rfc3339)
            gmtime_r(&moment, &calendar);
        else
            localtime_r(&moment, &calendar);
        if (shape_ != Shape::Clock)
            at = write_date(at, calendar, shape_ == Shape::Rfc3339 ? 'T' : ' ');
        at = write_clock(at, calendar);
    }
    prefix_size_ = static_cast<std::size_t>(at - prefix_.data());
}

void DeltaText::put(LineWriter &line, std::uint64_t time_ns)
{
    const std::uint64_t reference = reference_ns_.value_or(time_ns);
    if (!reference_ns_ || since_ == Since::LineBefore)
        reference_ns_ = time_ns;
    const std::uint64_t distance = time_ns < reference ? reference - time_ns : time_ns - reference;
    const auto rest = static_cast<std::uint32_t>(distance % ns_per_s);
    const std::uint64_t seconds = distance / ns_per_s;
    // Less than what is shown is no distance, and nothing has no sign.
    const bool negative = time_ns < reference && (nano_ || distance >= 1000);

    char *at = line.room(1 + max_decimal_digits + 7 + 9);
    *at++ = negative ? '-' : ' ';
    const std::uint64_t hours = seconds / 3600;
    at = hours < 100 ? write_fixed<2>(at, static_cast<std::uint32_t>(hours)) : write_decimal(at, hours);
    *at++ = ':';
    at = write_two(at, static_cast<int>(seconds / 60 % 60), ':');
    at = write_two(at, static_cast<int>(seconds % 60), '.');
    line.advance_to(write_fraction(at, rest, nano_));
}

} // namespace tcpflight

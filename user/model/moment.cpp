#include "model/moment.h"

#include "model/number.h"

#include <algorithm>
#include <ctime>

namespace tcpflight {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr int seconds_of_day = 86'400;

// Reads what a moment consists of, from the left.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    bool skip(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Exactly `digits` of them, and the value within the range.
    std::optional<int> number(std::size_t digits, int low, int high)
    {
        int value = 0;
        for (std::size_t at = 0; at < digits; at++) {
            if (at >= rest_.size() || !is_digit(rest_[at]))
                return std::nullopt;
            value = value * 10 + (rest_[at] - '0');
        }
        rest_.remove_prefix(digits);
        if (value < low || value > high)
            return std::nullopt;
        return value;
    }

    // ".5": 500,000,000 ns; 0 where there is none.
    std::optional<std::int64_t> fraction()
    {
        if (!skip('.'))
            return 0;
        std::int64_t value = 0;
        std::int64_t unit = ns_per_s;
        while (!rest_.empty() && is_digit(rest_.front()) && unit > 1) {
            unit /= 10;
            value += (rest_.front() - '0') * unit;
            rest_.remove_prefix(1);
        }
        if (unit == ns_per_s)
            return std::nullopt; // a point, and nothing behind it
        return value;
    }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

private:
    std::string_view rest_;
};

bool take_clock(Scanner &scanner, Moment &moment)
{
    auto hour = scanner.number(2, 0, 24);
    if (!hour || !scanner.skip(':'))
        return false;
    auto minute = scanner.number(2, 0, 59);
    if (!minute)
        return false;
    std::optional<int> second = 0;
    std::optional<std::int64_t> fraction = 0;
    if (scanner.skip(':')) {
        second = scanner.number(2, 0, 59);
        fraction = scanner.fraction();
    }
    if (!second || !fraction)
        return false;
    moment.second_of_day = *hour * 3600 + *minute * 60 + *second;
    moment.fraction_ns = *fraction;
    bool within_day =
        moment.second_of_day < seconds_of_day || (moment.second_of_day == seconds_of_day && *fraction == 0);
    return within_day && scanner.is_at_end();
}

std::optional<Moment> parse_epoch(std::string_view text)
{
    Moment moment;
    constexpr std::uint64_t most = std::uint64_t{1} << 33; // of which nanoseconds fit into 64 bits
    auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    auto seconds = to_number(text.substr(0, digits), 0, most);
    Scanner scanner(text.substr(digits));
    auto fraction = scanner.fraction();
    if (!seconds || !fraction || !scanner.is_at_end())
        return std::nullopt;
    moment.epoch_s = static_cast<std::int64_t>(*seconds);
    moment.fraction_ns = *fraction;
    return moment;
}

std::int64_t to_epoch(const Moment::Date &date, int second_of_day)
{
    std::tm calendar{};
    calendar.tm_year = date.year - 1900;
    calendar.tm_mon = date.month - 1;
    calendar.tm_mday = date.day;
    calendar.tm_hour = second_of_day / 3600;
    calendar.tm_min = second_of_day / 60 % 60;
    calendar.tm_sec = second_of_day % 60;
    calendar.tm_isdst = -1;
    return mktime(&calendar);
}

bool exists(const Moment::Date &date)
{
    std::tm calendar{};
    calendar.tm_year = date.year - 1900;
    calendar.tm_mon = date.month - 1;
    calendar.tm_mday = date.day;
    timegm(&calendar); // makes "March 2nd" of "February 30th"
    return calendar.tm_mday == date.day;
}

} // namespace

std::int64_t Moment::to_wall(std::int64_t after_ns) const
{
    if (epoch_s)
        return *epoch_s * ns_per_s + fraction_ns;
    if (date)
        return to_epoch(*date, second_of_day) * ns_per_s + fraction_ns;
    const std::time_t after = after_ns / ns_per_s;
    std::tm calendar{};
    localtime_r(&after, &calendar);
    Date day{.year = calendar.tm_year + 1900, .month = calendar.tm_mon + 1, .day = calendar.tm_mday};
    auto wall = to_epoch(day, second_of_day) * ns_per_s + fraction_ns;
    if (wall >= after_ns)
        return wall;
    day.day++; // mktime(3) knows the months' lengths
    return to_epoch(day, second_of_day) * ns_per_s + fraction_ns;
}

std::optional<Moment> parse_moment(std::string_view text)
{
    if (text.empty())
        return std::nullopt;
    Moment moment;
    Scanner scanner(text);
    if (text.size() > 4 && text[4] == '-') {
        auto year = scanner.number(4, 1970, 2199);
        auto month = scanner.skip('-') ? scanner.number(2, 1, 12) : std::nullopt;
        auto day = scanner.skip('-') ? scanner.number(2, 1, 31) : std::nullopt;
        if (!year || !month || !day || (!scanner.skip(' ') && !scanner.skip('T')))
            return std::nullopt;
        moment.date = {.year = *year, .month = *month, .day = *day};
        return exists(*moment.date) && take_clock(scanner, moment) ? std::optional(moment) : std::nullopt;
    }
    if (text.find(':') == std::string_view::npos)
        return parse_epoch(text);
    return take_clock(scanner, moment) ? std::optional(moment) : std::nullopt;
}

} // namespace tcpflight

// A moment as the user gives it: "14:05", "2026-11-21 14:05:30", "1795292931.5".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

// Either a day's date is known, or it is a time of day. In the time zone of TZ, or the system's, as tzset(3) last read
// it; except seconds since 1970.
struct Moment {
    struct Date {
        int year = 0;
        int month = 0; // 1 to 12
        int day = 0;   // 1 to 31
    };
    std::optional<std::int64_t> epoch_s; // seconds since 1970 (UTC): the rest but `fraction_ns` means nothing
    std::optional<Date> date;
    int second_of_day = 0; // 0 to 86,400
    std::int64_t fraction_ns = 0;

    // Nanoseconds since the epoch. Without a date, it is the first such time of day at or after `after_ns`.
    [[nodiscard]] std::int64_t to_wall(std::int64_t after_ns) const;
};

// "HH:MM", "HH:MM:SS", either behind "YYYY-MM-DD" and a blank or a 'T', or seconds since 1970; up to nine decimals of a
// second. None: it is no moment. 24:00 is a day's end.
std::optional<Moment> parse_moment(std::string_view text);

} // namespace tcpflight

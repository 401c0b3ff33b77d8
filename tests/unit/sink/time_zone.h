// Local time of a test's own.
#pragma once

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace tcpflight::test {

// `zone` as in TZ; rules are written out ("CET-1CEST,M3.5.0,M10.5.0/3"), because zone files need not be installed.
class TimeZone {
public:
    explicit TimeZone(const char *zone)
    {
        if (const char *old = std::getenv("TZ"))
            old_ = old;
        setenv("TZ", zone, 1);
        tzset();
    }
    TimeZone(const TimeZone &) = delete;
    TimeZone &operator=(const TimeZone &) = delete;
    ~TimeZone()
    {
        if (old_)
            setenv("TZ", old_->c_str(), 1);
        else
            unsetenv("TZ");
        tzset();
    }

private:
    std::optional<std::string> old_;
};

} // namespace tcpflight::test

// CPU time of what it is given and of nothing else: another process on the core is no part of the cost.
#pragma once

#include <cstdint>
#include <ctime>
#include <utility>

namespace tcpflight::bench {

class StopWatch {
public:
    template <typename Work> void time(Work &&work)
    {
        auto begin = cpu_ns();
        std::forward<Work>(work)();
        spent_ns_ += cpu_ns() - begin;
    }
    [[nodiscard]] double seconds() const { return static_cast<double>(spent_ns_) / 1e9; }

private:
    static std::int64_t cpu_ns()
    {
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return now.tv_sec * 1'000'000'000 + now.tv_nsec;
    }

    std::int64_t spent_ns_ = 0;
};

} // namespace tcpflight::bench

// Something long, in between of which something else is done, that must not wait for so long.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace tcpflight {

class Meanwhile {
public:
    // There is nothing else.
    Meanwhile() = default;
    explicit Meanwhile(std::function<void()> other) : other_(std::move(other)) {}

    // For each of many small things.
    void step()
    {
        if (++steps_ % in_between == 0 && other_)
            other_();
    }

    static constexpr std::size_t in_between = 4096;

private:
    std::function<void()> other_;
    std::size_t steps_ = 0;
};

} // namespace tcpflight

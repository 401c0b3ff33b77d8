// How the programs hang on the kernel.
#pragma once

#include <cstdint>
#include <string_view>

namespace tcpflight {

// From the least to the most: each contains what is below it where a concern has nothing better.
enum class Layer : std::uint8_t {
    Core,   // tracepoints and iterators: every kernel that can be traced at all
    Kprobe, // functions, by breakpoints: refused where the kernel is locked down
    Fentry, // functions, by trampolines: fast, and typed
};

// "core", "kprobe", "fentry".
constexpr std::string_view name(Layer layer)
{
    switch (layer) {
    case Layer::Kprobe: return "kprobe";
    case Layer::Fentry: return "fentry";
    case Layer::Core: break;
    }
    return "core";
}

} // namespace tcpflight

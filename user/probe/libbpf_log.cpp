#include "probe/libbpf_log.h"

#include <bpf/libbpf.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace tcpflight {
namespace {

// libbpf's callback has no context argument.
std::string *collecting = nullptr; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
// Programs are loaded on two threads.
std::mutex adding; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// A verifier log can be megabytes long; the end of it says what was wrong.
constexpr std::size_t max_text = std::size_t{256} << 10;

__attribute__((format(printf, 2, 0))) int collect(libbpf_print_level level, const char *format, va_list arguments)
{
    if (collecting == nullptr || level == LIBBPF_DEBUG)
        return 0;
    va_list again;
    va_copy(again, arguments);
    int length = std::vsnprintf(nullptr, 0, format, arguments);
    if (length > 0) {
        std::string line(static_cast<std::size_t>(length), '\0');
        std::vsnprintf(line.data(), line.size() + 1, format, again);
        const std::lock_guard alone(adding);
        *collecting += line;
        if (collecting->size() > max_text)
            collecting->erase(0, collecting->size() - max_text);
    }
    va_end(again);
    return length;
}

} // namespace

LibbpfLog::LibbpfLog()
{
    collecting = &text_;
    libbpf_set_print(collect);
}

LibbpfLog::~LibbpfLog()
{
    collecting = nullptr;
}

} // namespace tcpflight

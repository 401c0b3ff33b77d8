#include "probe/load_error.h"

#include "probe/lockdown.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace tcpflight {
namespace {

// Its root has all capabilities, but only of what belongs to it, and tracing belongs to no namespace but the first.
bool is_in_user_namespace()
{
    std::uint64_t inside = 0;
    std::uint64_t outside = 0;
    std::uint64_t count = 0;
    std::ifstream map("/proc/self/uid_map");
    return (map >> inside >> outside >> count) && (inside != outside || count != 0xFFFF'FFFF);
}

std::string reason(int error, const std::string &log)
{
    // EACCES is also what the verifier says, and only then the log holds what it thought.
    if (error == EACCES && log.find("BEGIN PROG LOAD LOG") != std::string::npos)
        return "this kernel's verifier does not accept one of them: please report it, with what -v -v shows";
    if (error == EPERM || error == EACCES) {
        if (is_in_user_namespace())
            return "this is a user namespace, whose capabilities do not reach so far: run it on the host as root";
        auto lockdown = lockdown_mode();
        if (lockdown == "integrity" || lockdown == "confidentiality")
            return fmt::format("the kernel is locked down ({}) and refused: boot it with lockdown=none", lockdown);
        return "the kernel refused although the capabilities are there: a security module or a container's seccomp "
               "filter forbids it; run it on the host as root";
    }
    if (error == ENOMEM)
        return "the kernel has no memory for it: try a smaller --buffer-size";
    if (error == EINVAL || error == ENOENT || error == ESRCH)
        return fmt::format("this kernel lacks what it needs ({}): tcpflight needs Linux 5.12 or later",
                           std::strerror(error));
    return std::strerror(error);
}

} // namespace

tl::unexpected<Error> load_error(const char *step, int error, const LibbpfLog &log)
{
    return failure(fmt::format("cannot {} the BPF programs: {} (-v -v shows what the kernel said)", step,
                               reason(error, log.text())),
                   log.text());
}

} // namespace tcpflight

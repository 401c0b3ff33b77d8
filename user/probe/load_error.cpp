#include "probe/load_error.h"

#include "probe/lockdown.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace tcpflight {
namespace {

std::string reason(int error, const std::string &log)
{
    // EACCES is also what the verifier says, and only then the log holds what it thought.
    if (error == EACCES && log.find("BEGIN PROG LOAD LOG") != std::string::npos)
        return "this kernel's verifier does not accept one of them: please report it, with what -v -v shows";
    if (error == EPERM || error == EACCES) {
        auto lockdown = lockdown_mode();
        if (lockdown == "integrity" || lockdown == "confidentiality")
            return fmt::format("the kernel is locked down ({}) and refused: boot it with lockdown=none", lockdown);
        return "the kernel refused although the capabilities are there: a security module, a container's seccomp "
               "filter or a user namespace forbids it; run it on the host as root";
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

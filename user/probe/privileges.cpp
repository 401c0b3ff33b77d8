#include "probe/privileges.h"

#include "filter/quote.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace tcpflight {
namespace {

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Result<std::uint64_t> effective_capabilities()
{
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    CapabilitySets sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0)
        return failure(fmt::format("cannot read the capabilities of this process: {}", std::strerror(errno)));
    return std::uint64_t{sets[1].effective} << 32 | sets[0].effective;
}

std::string own_path()
{
    std::error_code error;
    auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "tcpflight" : path.string();
}

} // namespace

// Since Linux 5.8 CAP_BPF and CAP_PERFMON together are enough for tracing programs; CAP_SYS_ADMIN contains both.
Result<void> check_privileges()
{
    auto effective = effective_capabilities();
    if (!effective)
        return tl::unexpected(effective.error());
    auto has = [&](unsigned capability) { return (*effective >> capability & 1) != 0; };
    if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)))
        return {};
    const char *missing = has(CAP_BPF) ? "CAP_PERFMON" : has(CAP_PERFMON) ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
    return failure(fmt::format("tracing needs {}, or root: run it with sudo, or once: setcap cap_bpf,cap_perfmon+ep {}",
                               missing, own_path()));
}

Result<void> become_user(const std::string &name)
{
    errno = 0;
    const passwd *user = getpwnam(name.c_str());
    if (user == nullptr)
        return failure(fmt::format("-Z: there is no user {}: give a name as in /etc/passwd", quote(name)));
    auto uid = user->pw_uid;
    auto gid = user->pw_gid;
    // In this order: without the user's rights the groups cannot be changed any more.
    if (initgroups(name.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        return failure(fmt::format("-Z: cannot become {}: {}", quote(name), std::strerror(errno)));
    return {};
}

namespace {

Result<void> keep_only(std::uint64_t wanted)
{
    auto effective = effective_capabilities();
    if (!effective)
        return tl::unexpected(effective.error());
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    CapabilitySets sets{};
    auto kept = static_cast<std::uint32_t>(*effective & wanted);
    sets[0] = {.effective = kept, .permitted = kept, .inheritable = 0};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &header, sets.data()) != 0)
        return failure(fmt::format("cannot give up privileges: {}", std::strerror(errno)));
    return {};
}

} // namespace

Result<void> drop_privileges()
{
    return keep_only(0);
}

Result<void> drop_all_but_file_access()
{
    return keep_only(std::uint64_t{1} << CAP_DAC_OVERRIDE);
}

} // namespace tcpflight

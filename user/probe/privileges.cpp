#include "probe/privileges.h"

#include "filter/quote.h"
#include "model/account.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
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
Result<void> check_privileges(std::string_view what)
{
    auto effective = effective_capabilities();
    if (!effective)
        return tl::unexpected(effective.error());
    auto has = [&](unsigned capability) { return (*effective >> capability & 1) != 0; };
    if (has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)))
        return {};
    const char *missing = has(CAP_BPF) ? "CAP_PERFMON" : has(CAP_PERFMON) ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON";
    return failure(fmt::format("{} needs {}, or root: run it with sudo, or once: setcap cap_bpf,cap_perfmon+ep {}",
                               what, missing, own_path()));
}

Result<void> become_user(const std::string &name)
{
    const auto account = find_account(name);
    if (!account)
        return failure(fmt::format("-Z: there is no user {}: give a name as in /etc/passwd", quote(name)));
    // In this order: without the user's rights the groups cannot be changed any more.
    if (setgroups(account->groups.size(), account->groups.data()) != 0 || setgid(account->group) != 0 ||
        setuid(account->user) != 0)
        return failure(fmt::format("-Z: cannot become {}: {}", quote(name), std::strerror(errno)));
    return {};
}

Result<void> drop_privileges()
{
    return keep_privileges({});
}

Result<void> keep_privileges(std::initializer_list<unsigned> capabilities)
{
    auto effective = effective_capabilities();
    if (!effective)
        return tl::unexpected(effective.error());
    std::uint64_t kept = 0;
    for (unsigned capability : capabilities)
        kept |= *effective & std::uint64_t{1} << capability;

    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    CapabilitySets sets{};
    sets[0].effective = sets[0].permitted = static_cast<__u32>(kept);
    sets[1].effective = sets[1].permitted = static_cast<__u32>(kept >> 32);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &header, sets.data()) != 0)
        return failure(fmt::format("cannot give up privileges: {}", std::strerror(errno)));
    return {};
}

} // namespace tcpflight

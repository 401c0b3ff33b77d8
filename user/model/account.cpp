#include "model/account.h"

#include <grp.h>
#include <pwd.h>

#include <cstdio>
#include <memory>

namespace tcpflight {
namespace {

struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

#ifdef TCPFLIGHT_STATIC

const passwd *find_user(const std::string &name)
{
    const File file(std::fopen("/etc/passwd", "re"));
    const passwd *user = nullptr;
    while (file && (user = fgetpwent(file.get())) != nullptr && name != user->pw_name) {
    }
    return user;
}

std::vector<gid_t> find_groups(const std::string &name, gid_t first)
{
    std::vector<gid_t> groups{first};
    const File file(std::fopen("/etc/group", "re"));
    while (const group *entry = file ? fgetgrent(file.get()) : nullptr) {
        for (char **member = entry->gr_mem; *member != nullptr; member++) {
            if (name == *member && entry->gr_gid != first)
                groups.push_back(entry->gr_gid);
        }
    }
    return groups;
}

#else

const passwd *find_user(const std::string &name)
{
    return getpwnam(name.c_str());
}

std::vector<gid_t> find_groups(const std::string &name, gid_t first)
{
    int count = 32;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    if (getgrouplist(name.c_str(), first, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
        getgrouplist(name.c_str(), first, groups.data(), &count);
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

#endif

} // namespace

std::optional<Account> find_account(const std::string &name)
{
    const passwd *user = find_user(name);
    if (user == nullptr)
        return std::nullopt;
    Account account{.user = user->pw_uid, .group = user->pw_gid, .groups = {}};
    account.groups = find_groups(name, account.group);
    return account;
}

std::optional<uid_t> find_uid(const std::string &name)
{
    const passwd *user = find_user(name);
    return user != nullptr ? std::optional(user->pw_uid) : std::nullopt;
}

std::vector<std::string> local_users()
{
    std::vector<std::string> names;
    const File file(std::fopen("/etc/passwd", "re"));
    while (const passwd *user = file ? fgetpwent(file.get()) : nullptr)
        names.emplace_back(user->pw_name);
    return names;
}

} // namespace tcpflight

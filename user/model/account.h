// Users, by name.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace tcpflight {

struct Account {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups; // `group` is one of them
};

// As this host knows them (nsswitch.conf). A statically linked tcpflight asks /etc/passwd and /etc/group alone: glibc
// asks others through libraries of its very own version, which such a program may not find. None: no such user.
std::optional<Account> find_account(const std::string &name);
// The same, the number alone.
std::optional<uid_t> find_uid(const std::string &name);

// The names in /etc/passwd, in its order.
std::vector<std::string> local_users();

} // namespace tcpflight

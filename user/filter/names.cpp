#include "filter/names.h"

#include "filter/quote.h"
#include "model/account.h"
#include "model/nearest.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace tcpflight {
namespace {

Result<std::uint32_t> inode(const std::string &path)
{
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0)
        return failure(fmt::format("{}: {}", path, std::strerror(errno)));
    return static_cast<std::uint32_t>(status.st_ino);
}

class SystemNames : public Names {
public:
    [[nodiscard]] std::optional<std::uint16_t> port(const std::string &service) const override
    {
        servent entry{};
        servent *found = nullptr;
        std::array<char, 8192> room{};
        if (getservbyname_r(service.c_str(), "tcp", &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
            return std::nullopt;
        return ntohs(static_cast<std::uint16_t>(found->s_port));
    }

    [[nodiscard]] Result<std::uint32_t> uid(const std::string &user) const override
    {
        if (auto known = find_uid(user))
            return *known;
        const auto users = local_users();
        const std::vector<std::string_view> words(users.begin(), users.end());
        if (auto near = nearest(user, words))
            return failure(fmt::format("did you mean {}?", quote(*near)));
        return failure("give a number, or a name as getent passwd lists them");
    }

    [[nodiscard]] Result<std::uint32_t> netns(const std::string &name) const override
    {
        if (name.find('/') != std::string::npos)
            return failure("a name has no '/': give a name of ip-netns(8), a process id or an inode number");
        return inode("/run/netns/" + name);
    }

    [[nodiscard]] Result<std::uint32_t> netns_of(std::uint32_t pid) const override
    {
        return inode(fmt::format("/proc/{}/ns/net", pid));
    }
};

class NoNames : public Names {
public:
    [[nodiscard]] std::optional<std::uint16_t> port(const std::string & /*service*/) const override
    {
        return std::nullopt;
    }
    [[nodiscard]] Result<std::uint32_t> uid(const std::string & /*user*/) const override
    {
        return failure("no name is known here");
    }
    [[nodiscard]] Result<std::uint32_t> netns(const std::string & /*name*/) const override
    {
        return failure("no name is known here");
    }
    [[nodiscard]] Result<std::uint32_t> netns_of(std::uint32_t /*pid*/) const override
    {
        return failure("no process is known here");
    }
};

} // namespace

const Names &system_names()
{
    static const SystemNames names;
    return names;
}

const Names &no_names()
{
    static const NoNames names;
    return names;
}

} // namespace tcpflight

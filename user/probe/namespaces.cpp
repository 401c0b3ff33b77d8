#include "probe/namespaces.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

class NamespaceFile {
public:
    explicit NamespaceFile(const std::string &path)
        : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) // NOLINT(cppcoreguidelines-pro-type-vararg)
    {
        struct stat status {};
        if (fd_ >= 0 && fstat(fd_, &status) == 0)
            inode_ = static_cast<std::uint32_t>(status.st_ino);
    }
    NamespaceFile(const NamespaceFile &) = delete;
    NamespaceFile &operator=(const NamespaceFile &) = delete;
    ~NamespaceFile()
    {
        if (fd_ >= 0)
            close(fd_);
    }

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }
    [[nodiscard]] std::uint32_t inode() const { return inode_; }
    [[nodiscard]] bool enter() const { return setns(fd_, CLONE_NEWNET) == 0; }

private:
    int fd_;
    std::uint32_t inode_ = 0;
};

struct Mounted {
    std::uint32_t inode;
    std::string path;
};

// "\040" for a blank, and so on: proc_pid_mountinfo(5).
std::string unescape(const std::string &text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

// A line of /proc/self/mountinfo: "NUMBER PARENT DEVICE net:[4026532245] /run/netns/blue ..."
std::optional<Mounted> parse_mount(const std::string &line)
{
    constexpr std::string_view prefix = "net:[";
    std::istringstream words(line);
    std::string number;
    std::string parent;
    std::string device;
    std::string root;
    std::string path;
    words >> number >> parent >> device >> root >> path;
    if (!root.starts_with(prefix))
        return std::nullopt;
    return Mounted{static_cast<std::uint32_t>(std::strtoul(root.c_str() + prefix.size(), nullptr, 10)), unescape(path)};
}

// Goes from namespace to namespace, each only once.
class Walk {
public:
    explicit Walk(const std::function<Result<void>()> &visit) : visit_(visit), own_("/proc/thread-self/ns/net") {}
    Walk(const Walk &) = delete;
    Walk &operator=(const Walk &) = delete;
    ~Walk()
    {
        [[maybe_unused]] bool back = !away_ || own_.enter(); // whoever may leave may come back
    }

    [[nodiscard]] bool has_home() const { return own_.is_open(); }

    Result<void> stay()
    {
        seen_.visited.insert(own_.inode());
        seen_.present.insert(own_.inode());
        return visit_();
    }

    // `path` may have become another namespace's by now, or lead nowhere: then nothing happens.
    Result<void> go(const std::string &path, std::uint32_t inode)
    {
        seen_.present.insert(inode);
        if (seen_.visited.contains(inode))
            return {};
        NamespaceFile file(path);
        if (!file.is_open() || file.inode() != inode || !file.enter())
            return {};
        away_ = true;
        seen_.visited.insert(inode);
        return visit_();
    }

    Namespaces take() { return std::move(seen_); }

private:
    const std::function<Result<void>()> &visit_;
    NamespaceFile own_;
    bool away_ = false;
    Namespaces seen_;
};

Result<void> go_everywhere(Walk &walk, std::span<const tf_inhabitant> inhabitants)
{
    if (auto visited = walk.stay(); !visited)
        return visited;
    for (const auto &inhabitant : inhabitants) {
        auto path = fmt::format("/proc/{}/ns/net", inhabitant.tid);
        if (auto visited = walk.go(path, inhabitant.netns); !visited)
            return visited;
    }
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        auto mounted = parse_mount(line);
        if (!mounted)
            continue;
        if (auto visited = walk.go(mounted->path, mounted->inode); !visited)
            return visited;
    }
    return {};
}

} // namespace

Result<Namespaces> visit_namespaces(std::span<const tf_inhabitant> inhabitants,
                                    const std::function<Result<void>()> &visit)
{
    Walk walk(visit);
    if (!walk.has_home())
        return failure(fmt::format("cannot open /proc/thread-self/ns/net: {}", std::strerror(errno)));
    if (auto done = go_everywhere(walk, inhabitants); !done)
        return tl::unexpected(done.error());
    return walk.take();
}

} // namespace tcpflight

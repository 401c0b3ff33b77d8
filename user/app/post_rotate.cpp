#include "app/post_rotate.h"

#include "filter/quote.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace tcpflight {
namespace {

constexpr int lowest_priority = 19;

// Signals as a command expects them: we have blocked some and ignore SIGPIPE.
class Attributes {
public:
    Attributes()
    {
        posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigemptyset(&none);
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &broken_pipe);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Attributes(const Attributes &) = delete;
    Attributes &operator=(const Attributes &) = delete;
    ~Attributes() { posix_spawnattr_destroy(&attributes_); }

    [[nodiscard]] const posix_spawnattr_t *get() const { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

// Its standard output is not ours: recording or lines may go there.
class Files {
public:
    Files()
    {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    }
    Files(const Files &) = delete;
    Files &operator=(const Files &) = delete;
    ~Files() { posix_spawn_file_actions_destroy(&actions_); }

    [[nodiscard]] const posix_spawn_file_actions_t *get() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

} // namespace

Result<void> PostRotate::start(const std::string &file)
{
    std::string command = command_;
    std::string argument = file;
    std::array<char *, 3> argv{command.data(), argument.data(), nullptr};
    const Attributes attributes;
    const Files files;
    pid_t pid = -1;
    int error = posix_spawnp(&pid, command.c_str(), files.get(), attributes.get(), argv.data(), environ);
    if (error != 0)
        return failure(fmt::format("-z: cannot run {}: {}", quote(command_), std::strerror(error)));
    setpriority(PRIO_PROCESS, static_cast<id_t>(pid), lowest_priority);
    children_.push_back({pid, file});
    return {};
}

std::vector<std::string> PostRotate::reap()
{
    std::vector<std::string> news;
    auto has_ended = [&](const Child &child) {
        int status = 0;
        if (waitpid(child.pid, &status, WNOHANG) != child.pid)
            return false;
        auto what = fmt::format("-z: {} for {}", quote(command_), quote(child.file));
        if (WIFSIGNALED(status))
            news.push_back(fmt::format("{} was killed by signal {}", what, WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
            news.push_back(fmt::format("{} failed with status {}", what, WEXITSTATUS(status)));
        return true;
    };
    children_.erase(std::remove_if(children_.begin(), children_.end(), has_ended), children_.end());
    return news;
}

} // namespace tcpflight

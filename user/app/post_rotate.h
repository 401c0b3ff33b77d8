// -z: a command for each file that is complete.
#pragma once

#include "model/result.h"

#include <string>
#include <vector>

#include <sys/types.h>

namespace tcpflight {

class PostRotate {
public:
    explicit PostRotate(std::string command) : command_(std::move(command)) {}

    // Runs "COMMAND FILE" beside us, as tcpdump does it: no shell, COMMAND is searched in PATH, at the lowest priority.
    Result<void> start(const std::string &file);
    // After SIGCHLD: what to tell of those that ended, a sentence each; none for those that did well.
    std::vector<std::string> reap();

private:
    struct Child {
        pid_t pid = -1;
        std::string file;
    };

    std::string command_;
    std::vector<Child> children_;
};

} // namespace tcpflight

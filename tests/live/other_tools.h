// For tests that run libbpf-tools beside tcpflight.
#pragma once

#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

namespace tcpflight::test {

// libbpf-tools need the tracefs, which not every host has mounted: so they get one in a mount namespace of the test's.
inline bool have_tracefs()
{
    constexpr const char *tracefs = "/sys/kernel/tracing";
    constexpr const char *event = "/sys/kernel/tracing/events/sock/inet_sock_set_state/id";
    if (access(event, R_OK) == 0)
        return true;
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tracefs", tracefs, "tracefs", 0, nullptr) == 0 && access(event, R_OK) == 0;
}

// No other test or program uses this address: these tools do not tell the network namespace.
inline std::string own_address()
{
    const int pid = getpid();
    return "127." + std::to_string(64 + pid % 128) + "." + std::to_string(pid / 128 % 256) + "." +
           std::to_string(1 + pid / 32768 % 254);
}

} // namespace tcpflight::test

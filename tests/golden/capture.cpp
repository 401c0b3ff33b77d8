// capture FILE COMMAND [ARGUMENT...]: runs the command in a network namespace of its own, and keeps the raw records of
// that namespace for the golden tests. Needs root.
#include "model/clock.h"
#include "probe/tracer.h"
#include "source/ring_reader.h"
#include "support/record_file.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <fmt/os.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <span>

namespace {

using tcpflight::test::to_hex_line;

class Capture : public tcpflight::RecordConsumer {
public:
    Capture(const char *path, std::uint32_t netns) : out_(fmt::output_file(path)), netns_(netns)
    {
        auto clock = tcpflight::read_clock_anchor();
        out_.print("# records of one run on a real kernel; made by tests/golden/capture\n");
        out_.print("clock {} {}\n", clock.boot_ns, clock.wall_ns);
    }

    bool consume(std::span<const std::byte> record) override
    {
        tf_header header{};
        std::memcpy(&header, record.data(), sizeof(header));
        if ((header.flags & TF_FLAG_IDENTITY) != 0) {
            tf_identity identity{};
            std::memcpy(&identity, record.data() + record.size() - sizeof(identity), sizeof(identity));
            if (identity.netns == netns_)
                cookies_.insert(header.cookie);
        }
        if (header.type == TF_RECORD_LOST || cookies_.contains(header.cookie))
            out_.print("{}", to_hex_line(record));
        return true;
    }

private:
    fmt::ostream out_;
    std::uint32_t netns_;
    std::set<std::uint64_t> cookies_;
};

bool enter_new_network()
{
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    bool up = ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return up;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3) {
        fmt::print(stderr, "usage: capture FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    struct stat netns {};
    if (!enter_new_network() || stat("/proc/self/ns/net", &netns) != 0) {
        std::perror("capture: network namespace");
        return 1;
    }
    auto child = fork(); // before attach, which gives up the command's privileges
    if (child == 0) {
        raise(SIGSTOP);
        execvp(argv[2], argv + 2);
        std::perror(argv[2]);
        _exit(127);
    }
    auto tracer = tcpflight::Tracer::attach({});
    if (!tracer) {
        fmt::print(stderr, "capture: {}\n{}", tracer.error().message, tracer.error().detail);
        kill(child, SIGKILL);
        return 1;
    }
    auto ring = tcpflight::RingReader::open(tracer->ring_fd(), tracer->ring_bytes());
    Capture capture(argv[1], static_cast<std::uint32_t>(netns.st_ino));
    waitpid(child, nullptr, WUNTRACED);
    kill(child, SIGCONT);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        pollfd ready{.fd = tracer->ring_fd(), .events = POLLIN, .revents = 0};
        poll(&ready, 1, 10);
        ring->drain(capture);
    }
    tracer->detach();
    ring->drain(capture);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

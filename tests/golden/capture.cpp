// golden_capture [--ring BYTES] [--pause-ms N] [--head-start-ms N] FILE COMMAND [ARGUMENT...]: runs the command in a
// network namespace of its own, and keeps the raw records of that namespace for the golden tests. Needs root. With
// --pause-ms nobody reads the ring for so long, so that a small one overflows; with --head-start-ms the command has run
// for so long when tracing begins.
#include "model/clock.h"
#include "probe/sweeper.h"
#include "probe/tracer.h"
#include "source/live_source.h"
#include "support/record_file.h"
#include "tcpflight/records.h"

#include <fmt/format.h>
#include <fmt/os.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
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
        bool ours = header.type == TF_RECORD_LOST || (header.cookie != 0 && cookies_.contains(header.cookie));
        if ((header.flags & TF_FLAG_IDENTITY) != 0) {
            tf_identity identity{};
            const auto behind = (header.flags & TF_FLAG_OWNER_PLACE) != 0 ? sizeof(tf_owner_place) : 0;
            std::memcpy(&identity, record.data() + record.size() - behind - sizeof(identity), sizeof(identity));
            ours = identity.netns == netns_;
            if (ours)
                cookies_.insert(header.cookie);
        }
        if (ours)
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
    std::uint32_t ring_bytes = 4U << 20;
    int pause_ms = 0;
    int head_start_ms = 0;
    int first = 1;
    for (; first + 1 < argc && std::strncmp(argv[first], "--", 2) == 0; first += 2) {
        int value = std::atoi(argv[first + 1]);
        if (std::strcmp(argv[first], "--ring") == 0)
            ring_bytes = static_cast<std::uint32_t>(value);
        else if (std::strcmp(argv[first], "--head-start-ms") == 0)
            head_start_ms = value;
        else
            pause_ms = value;
    }
    if (argc - first < 2) {
        fmt::print(stderr, "usage: golden_capture [--ring BYTES] [--pause-ms N] FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    struct stat netns {};
    if (!enter_new_network() || stat("/proc/self/ns/net", &netns) != 0) {
        std::perror("golden_capture: network namespace");
        return 1;
    }
    auto child = fork(); // before attach, which gives up the command's privileges
    if (child == 0) {
        raise(SIGSTOP);
        execvp(argv[first + 1], argv + first + 1);
        std::perror(argv[first + 1]);
        _exit(127);
    }
    waitpid(child, nullptr, WUNTRACED);
    if (head_start_ms != 0) {
        kill(child, SIGCONT);
        usleep(static_cast<useconds_t>(head_start_ms) * 1000);
    }
    auto tracer = tcpflight::Tracer::attach({.filter = {}, .ring_bytes = ring_bytes});
    if (!tracer) {
        fmt::print(stderr, "golden_capture: {}\n{}", tracer.error().message, tracer.error().detail);
        kill(child, SIGKILL);
        return 1;
    }
    auto source = tcpflight::LiveSource::open(tracer->channel());
    Capture capture(argv[first], static_cast<std::uint32_t>(netns.st_ino));
    auto sweeper = tcpflight::Sweeper::start(tracer->socket_iterators().value());
    if (auto asked = sweeper->ask_for_all(); !asked) {
        fmt::print(stderr, "golden_capture: {}\n", asked.error().message);
        kill(child, SIGKILL);
        return 1;
    }
    source->add(std::move(sweeper->await_all(std::chrono::seconds(5))->records));
    kill(child, SIGCONT);
    usleep(static_cast<useconds_t>(pause_ms) * 1000);
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        usleep(10'000);
        source->read(tcpflight::boot_now_ns(), capture);
    }
    tracer->detach();
    source->read(tcpflight::boot_now_ns(), capture);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#include "support/netns.h"

#include "support/process.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if.h>
#include <sched.h>
#include <sstream>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace tcpflight::test {
namespace {

[[noreturn]] void fail(const std::string &what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

void bring_up(const char *interface)
{
    Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open())
        fail("socket");
    ifreq request{};
    std::strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0)
        fail("bring up lo");
}

// What nft prints; throws what it complains about.
std::string nft(const std::string &script)
{
    Finished finished = run({.argv = {"nft", script}});
    if (finished.status != exited(0))
        throw std::runtime_error("nft " + script + ": " + finished.err);
    return finished.out;
}

// Every line of /proc/net/tcp after the first is "number local remote state ...", the state in hexadecimal as in
// linux/tcp_states.h.
bool is_any_unsettled()
{
    std::ifstream sockets("/proc/net/tcp");
    std::string line;
    std::getline(sockets, line);
    while (std::getline(sockets, line)) {
        std::istringstream words(line);
        std::string number;
        std::string local;
        std::string remote;
        std::string state;
        words >> number >> local >> remote >> state;
        if (state != "01" && state != "06" && state != "0A") // ESTABLISHED, TIME_WAIT, LISTEN
            return true;
    }
    return false;
}

int table_number = 0;

} // namespace

std::uint32_t enter_new_netns()
{
    if (unshare(CLONE_NEWNET) != 0)
        fail("unshare(CLONE_NEWNET)");
    bring_up("lo");
    struct stat status {};
    if (stat("/proc/self/ns/net", &status) != 0)
        fail("/proc/self/ns/net");
    return static_cast<std::uint32_t>(status.st_ino);
}

bool set_sysctl(std::string_view name, std::string_view value)
{
    std::string path = "/proc/sys/net/" + std::string(name);
    Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.is_open()) {
        if (errno == ENOENT)
            return false;
        fail(path);
    }
    if (write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size()))
        fail(path);
    return true;
}

bool wait_until_settled()
{
    // Nothing tells of the end of a socket that has no owner any more, but a look.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (is_any_unsettled()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

PacketDrop::PacketDrop(const std::string &match, Where where) : table_("drop_" + std::to_string(++table_number))
{
    nft("table inet " + table_ + " { chain drops { type filter hook " +
        (where == Where::Arriving ? "input" : "output") + " priority 0; " + match + " counter drop; }; }");
}

PacketDrop::~PacketDrop()
{
    // The namespace takes the rule with it where this fails.
    try {
        lift();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}

void PacketDrop::lift()
{
    if (!active_)
        return;
    nft("delete table inet " + table_);
    active_ = false;
}

std::uint64_t PacketDrop::dropped() const
{
    std::string listing = nft("list table inet " + table_);
    constexpr std::string_view word = "counter packets ";
    std::size_t at = listing.find(word);
    std::uint64_t count = 0;
    if (at != std::string::npos)
        std::from_chars(listing.data() + at + word.size(), listing.data() + listing.size(), count);
    return count;
}

} // namespace tcpflight::test

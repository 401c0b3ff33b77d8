// A network namespace of the test's own: nothing outside can disturb it, and all of it ends with the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tcpflight::test {

// Moves this process (it must have one thread) into a new network namespace and brings `lo` up. All of 127.0.0.0/8 and
// ::1 are there. Returns the namespace's inode number, as in JSON's "netns". Throws std::system_error.
std::uint32_t enter_new_netns();

// Writes a file of /proc/sys/net of this process's namespace: set_sysctl("ipv4/tcp_syn_retries", "1"). Returns false
// where the kernel has no such file; throws std::system_error where the value is refused.
bool set_sysctl(std::string_view name, std::string_view value);

// Waits until no IPv4 socket of this namespace is between two states that last: all are ESTABLISHED, LISTEN or in
// TIME_WAIT. False if that takes longer than 10 seconds.
bool wait_until_settled();

// Packets that match are dropped where they arrive (on `input`: dropped on `output`, a send would fail with EPERM,
// which no real network does) until lift() or destruction.
class PacketDrop {
public:
    // Where they are thrown away. On their way out the sender is told (EPERM).
    enum class Where { Arriving, Leaving };

    // `match` is the left part of an nft rule: "tcp dport 80". Throws std::runtime_error with what nft said.
    explicit PacketDrop(const std::string &match, Where where = Where::Arriving);
    PacketDrop(const PacketDrop &) = delete;
    PacketDrop &operator=(const PacketDrop &) = delete;
    ~PacketDrop();

    void lift();

    // Packets dropped so far.
    [[nodiscard]] std::uint64_t dropped() const;

private:
    std::string table_;
    bool active_ = true;
};

} // namespace tcpflight::test

// The kernel's own lists (BPF iterators): the sockets that are there, and who has them open.
#pragma once

#include "model/result.h"
#include "tcpflight/control.h"
#include "tcpflight/records.h"

#include <array>
#include <cstddef>
#include <vector>

struct bpf_link;
struct programs;

namespace tcpflight {

class SocketIterators {
public:
    // The skeleton must be loaded. What is attached is only ever run by the functions below, and costs nothing else.
    static Result<SocketIterators> attach(programs &skeleton);

    SocketIterators(SocketIterators &&other) noexcept;
    SocketIterators &operator=(SocketIterators &&other) noexcept;
    SocketIterators(const SocketIterators &) = delete;
    SocketIterators &operator=(const SocketIterators &) = delete;
    ~SocketIterators();

    // Adds a TF_RECORD_FOUND for each TCP socket of the network namespace that this thread is in, in the order in which
    // they were read. A socket that moves meanwhile can be missing or occur twice. Owners are not filled in.
    Result<void> read_sockets(std::vector<std::byte> &records) const;

    // Every process with a TCP socket open, in all namespaces: one for each descriptor, by process.
    [[nodiscard]] Result<std::vector<tf_holder>> holders() const;

    // Every thread of user space, and its network namespace.
    [[nodiscard]] Result<std::vector<tf_inhabitant>> inhabitants() const;

    // What must stay open in a process that uses this.
    [[nodiscard]] std::array<int, 3> descriptors() const;

private:
    enum List : std::size_t { Sockets, Holders, Inhabitants };

    SocketIterators() = default;
    template <typename T> Result<void> read(List list, std::vector<T> &out) const;
    template <typename T> Result<std::vector<T>> read_all(List list) const;

    std::array<bpf_link *, 3> links_{}; // by List
};

} // namespace tcpflight

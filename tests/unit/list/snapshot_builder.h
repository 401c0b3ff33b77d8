// Snapshots for tests: records and holders as the kernel's iterators give them.
#pragma once

#include "list/socket_list.h"
#include "support/record_builder.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tcpflight::test {

class SnapshotBuilder {
public:
    SnapshotBuilder &add(const RecordBuilder &record)
    {
        auto bytes = record.bytes();
        records_.insert(records_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    // In `state`, from 127.0.0.1.`local` to 127.0.0.2.`remote`, owned by `comm`[`pid`] (0: by nobody).
    SnapshotBuilder &add(std::uint64_t cookie, std::uint8_t state, std::uint16_t local, std::uint16_t remote,
                         std::uint32_t pid = 0, std::string_view comm = "", const tf_socket &socket = {})
    {
        return add(RecordBuilder::found(cookie, 1000, state, socket)
                       .identity(local, remote, pid, comm, pid != 0 ? TF_OWNER_SNAPSHOT : TF_OWNER_UNKNOWN));
    }
    SnapshotBuilder &hold(std::uint64_t cookie, std::uint32_t pid, std::uint32_t fd, std::string_view comm)
    {
        tf_holder holder{};
        holder.cookie = cookie;
        holder.pid = holder.tid = pid;
        holder.fd = fd;
        comm.copy(holder.comm, sizeof(holder.comm) - 1);
        holders_.push_back(holder);
        return *this;
    }

    [[nodiscard]] SocketList list(const Filter &filter = {}) const { return {records_, holders_, filter, cgroups}; }

    Cgroups cgroups;

private:
    std::vector<std::byte> records_;
    std::vector<tf_holder> holders_;
};

} // namespace tcpflight::test

// The connections of an entry point, to the payload of a Known block and back.
#pragma once

#include "recording/columns.h"
#include "table/known_connection.h"

#include <cstddef>
#include <span>
#include <vector>

namespace tcpflight {

class KnownPacker {
public:
    // At most max_block_count before pack().
    void add(const KnownConnection &connection);
    [[nodiscard]] std::size_t count() const { return connections_.size(); }
    // Appends the payload; then it begins anew.
    void pack(ByteBuffer &out);

private:
    std::vector<StoredConnection> connections_;
    std::vector<tf_identity> identities_;
    std::vector<tf_owner_place> places_;
    ColumnWriter columns_;
};

// Appends what is in the payload of `count` connections, at most max_block_count; behind it at least 8 more bytes must
// be readable. False: it is damaged, and `out` as it was. What only newer versions know is counted in `unknown`.
bool unpack_known(std::span<const std::byte> payload, std::size_t count, std::vector<KnownConnection> &out,
                  std::uint64_t &unknown);

} // namespace tcpflight

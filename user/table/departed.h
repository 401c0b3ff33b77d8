// The connections that ended last. The kernel sends an active RST after it has told of > CLOSE, so that there is a
// little to say of them still.
#pragma once

#include "model/event.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tcpflight {

class Departed {
public:
    struct Connection {
        std::uint64_t cookie = 0;
        TcpState state = TcpState::Close; // the last one before CLOSE
        bool identity_known = false;
        bool wanted = true;
        bool incomplete = false;
        Identity identity;
    };

    // Valid until `capacity` more have ended.
    const Connection &add(Connection &&connection)
    {
        auto &place = recent_[next_++ % capacity];
        place = std::move(connection);
        return place;
    }

    // Null: it ended too long ago, or was never seen.
    [[nodiscard]] const Connection *find(std::uint64_t cookie) const
    {
        for (std::size_t back = 1; back <= capacity; back++) {
            const auto &candidate = recent_[(next_ - back) % capacity];
            if (candidate.cookie == cookie)
                return &candidate;
        }
        return nullptr;
    }

    // A RST follows within microseconds: so many others end in between on no machine.
    static constexpr std::size_t capacity = 128;

private:
    std::array<Connection, capacity> recent_;
    std::size_t next_ = 0;
};

} // namespace tcpflight

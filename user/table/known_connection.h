// What the table knows of a live connection. With it and the records from here on, another table makes the same events
// as one that has seen the connection from its begin; a recording stores it for readers that start in the middle.
//
// The table keeps this very struct, so that nothing it learns to remember can be forgotten here; and the recording's
// codec takes it apart by structured binding, so that a new field does not compile until it is stored.
#pragma once

#include "model/admission.h"
#include "model/cgroups.h"
#include "model/event.h"
#include "model/tcp_state.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace tcpflight {

struct KnownConnection {
    std::uint64_t cookie = 0;
    std::uint64_t changed_ns = 0; // CLOCK_BOOTTIME at which it entered `state`; meaningful if `entry_seen`
    std::uint64_t last_seen_ns = 0;
    std::uint64_t queued_ns = 0;  // when it entered the accept queue of its listener; 0: not seen
    std::uint64_t syn_ns = 0;     // when its SYN came, or the SYN-ACK was sent; 0: not known
    std::uint64_t expires_ns = 0; // of a handshake: by when it is over if nothing comes; 0: not known
    std::uint32_t gaps_seen = 0;  // gaps wholly behind its last event
    TcpState state = TcpState::Close;
    bool entry_seen = false;
    bool found = false;       // it was there in `state` at `changed_ns`, or that is when it entered it (entry_seen)
    bool opened_here = false; // it was seen in SYN_SENT
    bool time_wait_socket = false; // the socket is gone, and what took its place is in `state`
    bool identity_known = false;
    bool incomplete = false;
    bool acknowledged = false; // of a handshake: see Handshake
    bool drops_known = false;
    std::uint8_t timeouts_seen = 0; // at its last retransmission: one more than its time-outs in a row; 0: not known
    Admission admission = Admission::Yes; // the table's filter's; of nobody's business else, and not stored
    Identity identity;
    std::uint32_t drops = 0;     // of a listener, if drops_known: what it had dropped when that was told last
    std::uint32_t overflows = 0; // likewise, of those what it had dropped while a queue was full
    std::uint32_t last_seq = 0;  // of the last retransmitted segment
    std::uint32_t attempt = 0;   // how often that segment was; 0: none was
};
// There can be a million of them.
static_assert(sizeof(KnownConnection) == 192);

// The gaps that the table knows of, which no connection owns.
struct KnownGaps {
    // Records lost on `cpu` for `reason` that were told (tf_loss::total).
    struct Told {
        std::uint32_t cpu = 0;
        std::uint32_t reason = 0;
        std::uint64_t total = 0;
    };
    std::vector<Told> told;
    std::uint32_t count = 0;    // as KnownConnection::gaps_seen counts
    std::uint64_t until_ns = 0; // the last one goes on until here
};

// Who knows the connections that are alive now. The order is the caller's to choose; the recording is smallest and its
// reader fastest when they come by cookie.
class KnownSource {
public:
    using Visit = std::function<void(const KnownConnection &)>;

    KnownSource() = default;
    KnownSource(const KnownSource &) = delete;
    KnownSource &operator=(const KnownSource &) = delete;
    virtual ~KnownSource() = default;

    [[nodiscard]] virtual KnownGaps known_gaps() const = 0;
    // Those that records have told of and may name again.
    [[nodiscard]] virtual std::vector<KnownCgroup> known_cgroups() const = 0;
    virtual void for_each_known(const Visit &visit) const = 0;
};

} // namespace tcpflight

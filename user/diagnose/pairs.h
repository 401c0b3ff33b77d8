// Which connection is the other end of which, where both are on this host (or in the same recording): found by the
// tuple. Of a loopback address the network namespace belongs to it.
//
// Most connections lead to other hosts, and need no entry in a hash table: only what leads to an address that was seen
// as a local one can have its other end here.
#pragma once

#include "model/event.h"
#include "model/slot_index.h"
#include "model/slots.h"

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

namespace tcpflight {

class Pairs {
public:
    struct End {
        std::uint64_t connection = 0;
        std::uint32_t slot = no_slot; // where it lives; no_slot: it has left
    };

    // Which connection lives in a slot, of those that were added and have not left.
    using ConnectionIn = std::function<std::uint64_t(std::uint32_t slot)>;

    explicit Pairs(ConnectionIn connection_in) : connection_in_(std::move(connection_in)) {}

    // `slot`: as in Diagnosis; it must be free. False: the ends are not known yet.
    bool add(End end, const Identity &identity);
    // The connection leaves its slot, and can still be found until forget(), for which what is returned is.
    std::uint64_t leave(const End &end);
    void forget(std::uint64_t connection, std::uint64_t ends);
    // Both at once. Could it be found until now?
    bool drop(std::uint32_t slot);
    // The other end of the connection with this identity; none: it is not here, or not known.
    [[nodiscard]] std::optional<End> other_end_of(const Identity &identity) const;
    // Forgets everything.
    void clear();

    // More local addresses are not told apart: then every connection gets its entry. So it is as soon as going through
    // the slots for new addresses costs more than the entries would.
    static constexpr std::size_t max_addresses = 4096;

private:
    // Twelve bytes, for there can be a million.
    struct Ends {
        std::uint32_t high = 0; // of the hash of the tuple
        std::uint32_t low = 0;
        std::uint32_t remote = 0; // of the hash of the other address, see short_of(); 0: the slot is free

        [[nodiscard]] std::uint64_t ends() const { return std::uint64_t{high} << 32 | low; }
    };
    struct Hash {
        std::size_t operator()(std::uint64_t mixed) const { return mixed >> 20; }
    };

    [[nodiscard]] bool is_here(const Address &address, std::uint64_t hash) const;
    void learn_address(const Address &address);
    [[nodiscard]] std::uint32_t find(std::uint64_t ends) const
    {
        return by_ends_.find(ends, [this](std::uint32_t slot) { return slots_[slot].ends(); });
    }
    void enter(std::uint32_t slot);

    ConnectionIn connection_in_;
    Slots<Ends> slots_;
    SlotIndex by_ends_;                                       // of those that can have their other end here
    tsl::robin_map<std::uint64_t, std::uint64_t, Hash> left_; // ends > connection
    tsl::robin_set<std::uint64_t, Hash> addresses_;           // local ones, hashed
    std::uint64_t added_ = 0;                                 // ends
    std::uint64_t scanned_ = 0;                               // slots, for new addresses
    bool all_here_ = false;                                   // as far as one has to look
};

} // namespace tcpflight

// The connections that are alive, as far as the records tell. Turns a record into an event: adds the identity that was
// said earlier, the time spent in the old state, and whether a gap lies in between.
#pragma once

#include "decode/decode.h"
#include "model/admission.h"
#include "model/cgroups.h"
#include "model/direction.h"
#include "model/event.h"
#include "model/slot_index.h"
#include "model/slots.h"
#include "table/departed.h"
#include "table/known_connection.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace tcpflight {

class Table : public KnownSource {
public:
    // Does the user want this connection? Asked when the identity is known, and again when it changes until the answer
    // is yes: a connection once wanted stays wanted, so that no timeline is cut in the middle.
    using Wanted = std::function<Admission(const Identity &, Direction)>;

    // Empty `wanted`: all are. At most `capacity` connections (at least 1) are kept; see forgotten().
    explicit Table(Wanted wanted = {}, std::size_t capacity = default_capacity);

    // The event's identity is valid until the next call. None: the record repeats a loss that is already known, or
    // tells of a socket that was found and is known already or not wanted, or of the end of one that is not known.
    std::optional<Event> observe(const Record &record);

    enum class Passing : std::uint8_t { Unwanted, All };
    // Does the same without telling of it, if the record is about a connection of which both ends are known, and shows
    // no more than a change of state. Is it wanted? None: that is not so, or it is wanted and only others are to pass;
    // nothing was done.
    std::optional<bool> pass(const Record &record, Passing passing);

    // What the last record has ended besides, just before its own event: a TIME_WAIT whose place a new connection took,
    // or one that answered a segment with a RST. Valid until the next call of observe().
    [[nodiscard]] const std::optional<Event> &ended() const { return ended_; }
    // Handshakes are over some time after their last SYN-ACK, whether the kernel tells or not. The next one that was
    // over by `time_ns`, up to which all records were observed; its event is as observe() makes them.
    std::optional<Event> expire(std::uint64_t time_ns)
    {
        return expiries_.empty() || expiries_.begin()->first > time_ns ? std::nullopt : expire_first();
    }
    // When the next one will be; none: none is under way.
    [[nodiscard]] std::optional<std::uint64_t> next_expiry_ns() const;

    // From now on; connections that are there are not asked for again.
    void set_wanted(Wanted wanted) { wanted_ = std::move(wanted); }

    // What it knows, for another table to go on from. In the order of cookies; without what is in TIME_WAIT, which is
    // often the most and of which only the end is left to tell.
    [[nodiscard]] KnownGaps known_gaps() const override;
    [[nodiscard]] std::vector<KnownCgroup> known_cgroups() const override { return cgroups_.known(); }
    void for_each_known(const Visit &visit) const override;
    // Really all.
    void for_each(const Visit &visit) const;
    void for_each_unordered(const Visit &visit) const;

    // What another table knew of cgroups; before restore() or heal(), which name them. None: forget all.
    void restore_cgroups(std::span<const KnownCgroup> cgroups);

    // Forgets everything, and goes on as if it had seen what another table knew. More than `capacity` connections are
    // left out, and counted as forgotten. Whether a connection is wanted is asked anew.
    void restore(const KnownGaps &gaps, std::span<const KnownConnection> connections);
    // The same in the middle, where records are missing that another table has seen: what is told of each connection
    // from here on is right again, but its next event comes after a gap, unless one since the last gap was seen. What
    // is in TIME_WAIT stays.
    void heal(std::span<const KnownConnection> connections);

    // Of a connection that is alive; null: it is not known. Valid until the next observe().
    [[nodiscard]] const Identity *identity_of(std::uint64_t cookie) const;

    // Where the connection of the last event of observe() lives: its own until it ends. no_slot: it was about no
    // connection that is alive or has just ended.
    [[nodiscard]] std::uint32_t slot() const { return slot_; }
    [[nodiscard]] std::uint32_t slot_of(std::uint64_t cookie) const
    {
        return index_.find(cookie, [this](std::uint32_t slot) { return slots_[slot].cookie; });
    }

    // Connections alive now, without those below.
    [[nodiscard]] std::size_t size() const { return index_.size() - time_wait_count_; }
    // What the kernel keeps in the place of sockets: TIME_WAIT, and FIN_WAIT2 of orphans. Of more than
    // `time_wait_capacity` the oldest are forgotten: their end is not told.
    [[nodiscard]] std::size_t time_waits() const { return time_wait_count_; }
    // Null: it is not known.
    [[nodiscard]] const KnownConnection *find(std::uint64_t cookie) const;
    // Connections dropped to make room for new ones. When this has grown, the kernel should be asked to say the
    // identities again (Tracer::say_again).
    [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

    static constexpr std::size_t default_capacity = std::size_t{1} << 20;
    // As many as the kernel itself keeps in a namespace (net.ipv4.tcp_max_tw_buckets) on a large host.
    static constexpr std::size_t time_wait_capacity = std::size_t{1} << 18;

private:
    // What every event touches comes first. Cookie 0: the slot is free.
    struct Connection : KnownConnection {
        [[nodiscard]] bool wanted() const { return admission != Admission::No; }
    };
    static_assert(sizeof(Connection) == sizeof(KnownConnection));

    std::optional<Event> observe_socket(const Record &record);
    std::optional<Event> observe_loss(const Record &record);
    Event observe_stray_reset(const Record &record);
    std::optional<Event> observe_handshake_end(const Record &record);
    std::optional<Event> observe_queue(const Record &record);
    std::optional<Event> observe_found(const Record &record);
    std::optional<Event> expire_first();
    std::optional<Event> observe_waiting(const Record &record);
    void complete(Connection &connection, const Identity &found);
    static std::optional<Event> found_queue(Connection &connection, const Record &record);
    void enter(const Record &record, const Identity &identity, Admission admission);
    std::optional<Event> observe_gone(const Record &record);
    void linger(Connection &connection);
    void stop_lingering(const Connection &connection);
    void take_place(const Connection &connection, const Record &record);
    Event end_time_wait(std::uint32_t slot, std::uint64_t time_ns, TimeWaitEnd end, std::uint64_t after_ns,
                        std::uint64_t by_ns);
    void begin_event(Event &event, Connection &connection, std::uint64_t time_ns) const;
    [[nodiscard]] Event event_of(Connection &connection, std::uint64_t time_ns) const;
    Connection &find_or_add(const Record &record);
    Connection &add(std::uint64_t cookie);
    void put(const KnownConnection &connection);
    void learn_identity(Connection &connection, const Record &record);
    static void learn_of_call(Connection &connection, const Record &record);
    static void change_state(Connection &connection, const Record &record, StateChange &change);
    static void enter_state(Connection &connection, const tf_header &header);
    const Identity &depart(std::uint32_t slot, TcpState last_state);
    void depart(std::uint32_t slot, TcpState last_state, Event &event);
    static Accept accept(Connection &connection, const Record &record);
    Handshake handshake(Connection &connection, const Record &record);
    void set_expiry(Connection &connection, std::uint64_t expires_ns)
    {
        if (connection.expires_ns != expires_ns)
            change_expiry(connection, expires_ns);
    }
    void change_expiry(Connection &connection, std::uint64_t expires_ns);
    Event end_handshake(std::uint32_t slot, std::uint64_t time_ns, const Handshake &handshake);
    static void begin_socket(Connection &connection, const Record &record);
    static std::optional<std::uint32_t> news_of_drops(Connection &connection, std::uint32_t drops);
    static std::uint32_t news_of_overflows(Connection &connection, const tf_queue &raw, std::uint32_t dropped);
    static Retransmit retransmit(Connection &connection, const Record &record, bool after_gap);
    [[nodiscard]] std::uint32_t gaps_at(std::uint64_t time_ns) const;
    void forget_all();
    void forget_one();
    void remove(std::uint32_t slot);

    Wanted wanted_;
    std::size_t capacity_;
    SlotIndex index_;
    Slots<Connection> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::size_t clock_hand_ = 0;
    tsl::robin_map<std::uint64_t, std::uint64_t> time_wait_ends_; // hash of the ends > cookie
    std::deque<std::uint64_t> time_waits_;                        // cookies, the oldest first; some have ended
    std::size_t time_wait_count_ = 0;
    std::optional<Event> ended_;
    Departed departed_;
    Cgroups cgroups_;
    std::set<std::pair<std::uint64_t, std::uint64_t>> expiries_;              // (when, cookie) of handshakes
    Identity passing_;                                                        // of an event without a connection
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> losses_; // (cpu, reason) > total told
    std::uint32_t gaps_ = 0;
    std::uint64_t gap_until_ns_ = 0; // the last gap goes on until here
    std::uint64_t forgotten_ = 0;
    std::uint32_t slot_ = no_slot;
};

} // namespace tcpflight

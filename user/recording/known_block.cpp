#include "recording/known_block.h"

#include "decode/decode.h"
#include "table/convert.h"

#include <algorithm>
#include <utility>

namespace tcpflight {
namespace {

enum Bit : std::uint8_t {
    entry_seen_bit = 1,
    opened_here_bit = 2,
    identity_known_bit = 4,
    incomplete_bit = 8,
    found_bit = 16,
    time_wait_bit = 32,
    acknowledged_bit = 64,
    drops_known_bit = 128,
};

std::uint8_t bit_if(bool value, Bit bit)
{
    return value ? bit : 0;
}

// Without the identity, and the place of the owner.
StoredConnection to_stored(const KnownConnection &known)
{
    // All fields by name: a new one does not compile until it is stored.
    const auto &[cookie, changed_ns, last_seen_ns, queued_ns, syn_ns, expires_ns, gaps_seen, state, entry_seen, found,
                 opened_here, time_wait_socket, identity_known, incomplete, acknowledged, drops_known, timeouts_seen,
                 admission, identity, drops, overflows, last_seq, attempt] = known;
    return {.cookie = cookie,
            .changed_ns = changed_ns,
            .last_seen_ns = last_seen_ns,
            .gaps_seen = gaps_seen,
            .last_seq = last_seq,
            .attempt = attempt,
            .state = static_cast<std::uint8_t>(state),
            .bits = static_cast<std::uint8_t>(
                bit_if(entry_seen, entry_seen_bit) | bit_if(opened_here, opened_here_bit) |
                bit_if(identity_known, identity_known_bit) | bit_if(incomplete, incomplete_bit) |
                bit_if(found, found_bit) | bit_if(time_wait_socket, time_wait_bit) |
                bit_if(acknowledged, acknowledged_bit) | bit_if(drops_known, drops_known_bit)),
            .timeouts_seen = timeouts_seen,
            .queued_ns = queued_ns,
            .syn_ns = syn_ns,
            .expires_ns = expires_ns,
            .drops = drops,
            .overflows = overflows};
}

KnownConnection to_known(const StoredConnection &stored, const tf_identity &raw, const tf_owner_place &place)
{
    auto identity = to_identity(raw);
    set_place(identity.owner, place);
    return {.cookie = stored.cookie,
            .changed_ns = stored.changed_ns,
            .last_seen_ns = stored.last_seen_ns,
            .queued_ns = stored.queued_ns,
            .syn_ns = stored.syn_ns,
            .expires_ns = stored.expires_ns,
            .gaps_seen = stored.gaps_seen,
            .state = TcpState{stored.state},
            .entry_seen = (stored.bits & entry_seen_bit) != 0,
            .found = (stored.bits & found_bit) != 0,
            .opened_here = (stored.bits & opened_here_bit) != 0,
            .time_wait_socket = (stored.bits & time_wait_bit) != 0,
            .identity_known = (stored.bits & identity_known_bit) != 0,
            .incomplete = (stored.bits & incomplete_bit) != 0,
            .acknowledged = (stored.bits & acknowledged_bit) != 0,
            .drops_known = (stored.bits & drops_known_bit) != 0,
            .timeouts_seen = stored.timeouts_seen,
            .identity = std::move(identity),
            .drops = stored.drops,
            .overflows = stored.overflows,
            .last_seq = stored.last_seq,
            .attempt = stored.attempt};
}

template <typename T> std::byte *bytes_of(std::vector<T> &structs)
{
    return reinterpret_cast<std::byte *>(structs.data());
}

Places places_of(std::size_t count, std::size_t size)
{
    Places places;
    for (std::size_t i = 0; i < count; i++)
        places.add(i * size, static_cast<std::uint16_t>(i));
    return places;
}

} // namespace

void KnownPacker::add(const KnownConnection &connection)
{
    connections_.push_back(to_stored(connection));
    identities_.push_back(to_raw(connection.identity));
    places_.push_back(place_of(connection.identity.owner));
}

void KnownPacker::pack(ByteBuffer &out)
{
    columns_.add(connection_part, bytes_of(connections_), Rows(count(), sizeof(StoredConnection)));
    columns_.add(identity_part, bytes_of(identities_), Rows(count(), sizeof(tf_identity)));
    columns_.add(owner_place_part, bytes_of(places_), Rows(count(), sizeof(tf_owner_place)));
    columns_.finish(out);
    connections_.clear();
    identities_.clear();
    places_.clear();
}

bool unpack_known(std::span<const std::byte> payload, std::size_t count, std::vector<KnownConnection> &out,
                  std::uint64_t &unknown)
{
    auto columns = find_columns(payload);
    if (!columns)
        return false;
    std::vector<StoredConnection> connections(count);
    std::vector<tf_identity> identities(count);
    std::vector<tf_owner_place> owner_places(count);
    auto connection_places = places_of(count, sizeof(StoredConnection));
    auto identity_places = places_of(count, sizeof(tf_identity));
    auto owner_place_places = places_of(count, sizeof(tf_owner_place));
    for (const auto &column : *columns) {
        bool sound = true;
        if (column.entry.part == connection_part.number)
            sound = fill_column(column, connection_part.size, bytes_of(connections), connection_places, unknown);
        else if (column.entry.part == identity_part.number)
            sound = fill_column(column, identity_part.size, bytes_of(identities), identity_places, unknown);
        else if (column.entry.part == owner_place_part.number)
            sound = fill_column(column, owner_place_part.size, bytes_of(owner_places), owner_place_places, unknown);
        else
            unknown++;
        if (!sound)
            return false;
    }
    if (!std::ranges::all_of(connections, [](const auto &stored) { return is_valid(TcpState{stored.state}); }) ||
        !std::ranges::all_of(identities, [](const auto &raw) { return check_identity(raw) == DecodeError::None; }))
        return false;
    out.reserve(out.size() + count);
    for (std::size_t i = 0; i < count; i++)
        out.push_back(to_known(connections[i], identities[i], owner_places[i]));
    return true;
}

} // namespace tcpflight

#include "record_stream.h"

#include "model/tcp_state.h"
#include "support/record_builder.h"

#include <algorithm>
#include <array>

namespace tcpflight::bench {
namespace {

using test::RecordBuilder;

struct Change {
    TcpState from;
    TcpState to;
    bool owned; // by a system call of the owner, and not by a packet
};

// Of a connection: its end, which is the begin of its successor's turn.
constexpr unsigned first_opening_step = 3;
constexpr unsigned retransmit_step = 5;
constexpr std::array<Change, 5> outgoing{{
    {TcpState::Established, TcpState::FinWait1, true},
    {TcpState::FinWait1, TcpState::FinWait2, false},
    {TcpState::FinWait2, TcpState::Close, false},
    {TcpState::Close, TcpState::SynSent, true},
    {TcpState::SynSent, TcpState::Established, false},
}};
constexpr std::array<Change, 5> incoming{{
    {TcpState::Established, TcpState::CloseWait, false},
    {TcpState::CloseWait, TcpState::LastAck, true},
    {TcpState::LastAck, TcpState::Close, false},
    {TcpState::Listen, TcpState::SynRecv, false},
    {TcpState::SynRecv, TcpState::Established, false},
}};

bool is_outgoing(std::uint32_t number)
{
    return number % 2 == 0;
}

// 10.x.y.z to 192.0.2.x, from a range of 60,000 ports.
tf_identity identity_of(std::uint32_t number)
{
    tf_identity id{};
    constexpr std::array<std::uint8_t, 16> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::ranges::copy(mapped, id.local_addr);
    std::ranges::copy(mapped, id.remote_addr);
    id.local_addr[12] = 10;
    id.local_addr[15] = 1;
    id.remote_addr[12] = 192;
    id.remote_addr[14] = 2;
    id.remote_addr[15] = static_cast<std::uint8_t>(number);
    id.netns = 4026531840;
    id.uid = 1000;
    id.pid = 1000 + number % 7;
    id.tid = id.pid;
    auto ephemeral = static_cast<std::uint16_t>(5000 + number % 60'000);
    // A connect is traced before its port is chosen.
    id.local_port = is_outgoing(number) ? 0 : 8080;
    id.remote_port = is_outgoing(number) ? 443 : ephemeral;
    id.family = AF_INET;
    id.owner_source = is_outgoing(number) ? TF_OWNER_CONNECT : TF_OWNER_INHERITED;
    constexpr std::string_view comm = "haproxy";
    comm.copy(id.comm, sizeof(id.comm));
    return id;
}

std::uint16_t local_port_of(std::uint32_t number)
{
    return is_outgoing(number) ? static_cast<std::uint16_t>(5000 + number % 60'000) : 8080;
}

} // namespace

void RecordBatch::clear()
{
    bytes_.clear();
    ends_.clear();
}

void RecordBatch::add(std::span<const std::byte> record)
{
    bytes_.insert(bytes_.end(), record.begin(), record.end());
    ends_.push_back(bytes_.size());
}

RecordStream::RecordStream(std::uint32_t live) : slots_(live)
{
    for (auto &slot : slots_)
        renew(slot);
    constexpr std::size_t at_once = 8;
    for (std::size_t i = 0; i < std::min<std::size_t>(at_once, live); i++)
        turns_.push_back(next_turn());
}

void RecordStream::open_all(RecordBatch &out)
{
    for (const auto &slot : slots_) {
        emit(slot, first_opening_step, out);
        emit(slot, first_opening_step + 1, out);
    }
}

void RecordStream::append(std::size_t records, RecordBatch &out)
{
    for (auto end = out.size() + records; out.size() < end;)
        step(turns_[random_() % turns_.size()], out);
}

void RecordStream::step(Turn &turn, RecordBatch &out)
{
    auto &slot = slots_[turn.slot];
    if (turn.step == first_opening_step)
        renew(slot);
    if (turn.step < retransmit_step || slot.number % 100 == 0)
        emit(slot, turn.step, out);
    if (turn.step++ == retransmit_step)
        turn = next_turn();
}

void RecordStream::emit(const Slot &slot, unsigned step, RecordBatch &out)
{
    auto port = local_port_of(slot.number);
    now_us_++;
    if (step == retransmit_step) {
        auto established = static_cast<std::uint8_t>(TcpState::Established);
        out.add(RecordBuilder::retransmit(slot.cookie, now_us_, established, 1, 1449, 0x18).local_port(port).bytes());
        return;
    }
    const auto &change = (is_outgoing(slot.number) ? outgoing : incoming).at(step);
    auto record = RecordBuilder::state(slot.cookie, now_us_, static_cast<std::uint8_t>(change.from),
                                       static_cast<std::uint8_t>(change.to))
                      .local_port(port);
    if (change.owned)
        record = std::move(record).owned();
    if (step == first_opening_step) {
        auto identity = identity_of(slot.number);
        record = std::move(record).identity(identity).local_port(identity.local_port);
    }
    out.add(record.bytes());
}

void RecordStream::renew(Slot &slot)
{
    slot.cookie = next_cookie_++;
    slot.number = next_number_++;
}

// A slot that is not in a turn already.
RecordStream::Turn RecordStream::next_turn()
{
    auto slot = static_cast<std::uint32_t>(random_() % slots_.size());
    auto taken = [this](std::uint32_t candidate) {
        return std::ranges::any_of(
            turns_, [candidate](const Turn &turn) { return turn.slot == candidate && turn.step <= retransmit_step; });
    };
    while (taken(slot))
        slot = (slot + 1) % static_cast<std::uint32_t>(slots_.size());
    return {.slot = slot, .step = 0};
}

} // namespace tcpflight::bench

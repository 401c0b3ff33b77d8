// One line an event, in tcpdump's shape. The format is told in docs/output.md.
#pragma once

#include "sink/clock_text.h"
#include "sink/fold.h"
#include "sink/recent_text.h"
#include "sink/sink.h"
#include "sink/style.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tcpflight {

class TextSink : public Sink {
public:
    explicit TextSink(const OutputStyle &style);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }
    void set_host(std::string_view host) override { host_ = host; }

private:
    struct Ends {
        Endpoint local;
        Endpoint remote;
        Family family = Family::IPv4;
        bool has_remote = false;
        bool operator==(const Ends &) const = default;
    };
    struct Process {
        std::uint32_t pid = 0;
        std::array<char, 16> comm{};
        // Not that of std::array, which calls memcmp().
        bool operator==(const Process &other) const
        {
            using Words = std::array<std::uint64_t, 2>;
            return pid == other.pid && std::bit_cast<Words>(comm) == std::bit_cast<Words>(other.comm);
        }
    };
    // Padded, so that it can be copied whole.
    template <std::size_t Room> struct Padded {
        std::array<char, Room> text{};
        std::uint8_t size = 0;

        Padded() = default;
        explicit Padded(std::string_view of) : size(static_cast<std::uint8_t>(of.copy(text.data(), Room))) {}
        void put(LineWriter &line) const { line.put_padded(text, size); }
    };
    using StateName = Padded<16>;
    using ChangeName = Padded<32>; // "NEW_SYN_RECV -> ESTABLISHED" takes 27

    void put_time(LineWriter &line, std::uint64_t time_ns);
    void put_host(LineWriter &line) const;
    void put_tuple(LineWriter &line, const Event &event);
    void put_state(LineWriter &line, TcpState state) const;
    void put_states(LineWriter &line, TcpState from, TcpState to) const;
    void put_in_color(LineWriter &line, std::string_view code) const;
    void put_gap(LineWriter &line, const Event &event) const;
    void put_length(LineWriter &line, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const StateChange &change);
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit);
    void put_what(LineWriter &line, const Event &event, const Accept &accept);
    void put_what(LineWriter &line, const Event &event, const Lost &lost);
    void put_what(LineWriter &line, const Event &event, const Reset &reset);
    void put_what(LineWriter &line, const Event &event, const Found &found);
    void put_what(LineWriter &line, const Event &event, const CongestionChange &change);
    void put_what(LineWriter &line, const Event &event, const Probe &probe);
    void put_what(LineWriter &line, const Event &event, const Verdict &verdict);
    void put_what(LineWriter &line, const Event &event, const Gone &gone);
    void put_what(LineWriter &line, const Event &event, const Handshake &handshake);
    void put_what(LineWriter &line, const Event &event, const ListenQueue &queue);
    void put_owner(LineWriter &line, const Identity *identity);
    void put_details(LineWriter &line, const Identity *identity, const Metrics *metrics, bool with_rto) const;

    OutputStyle style_;
    ClockAnchor anchor_;
    std::optional<std::string> host_;                         // none: not shown
    std::variant<std::monostate, ClockText, DeltaText> time_; // none for -t
    Folder folder_;
    std::array<StateName, tcp_states> state_names_;
    std::array<std::array<ChangeName, tcp_states>, tcp_states> change_names_; // without colours
    RecentText<Ends, 112> tuples_; // IPv6 takes up to 107
    RecentText<Process, 64> owners_;
};

} // namespace tcpflight

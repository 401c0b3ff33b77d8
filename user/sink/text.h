// One line an event, in tcpdump's shape. The format is told in docs/output.md.
#pragma once

#include "sink/clock_text.h"
#include "sink/fold.h"
#include "sink/recent_text.h"
#include "sink/sink.h"
#include "sink/state_text.h"
#include "sink/style.h"

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
        CommName comm{};
        bool operator==(const Process &other) const { return pid == other.pid && is_same(comm, other.comm); }
    };

    void put_time(LineWriter &line, std::uint64_t time_ns);
    void put_host(LineWriter &line) const;
    void put_tuple(LineWriter &line, const Event &event);
    void put_state(LineWriter &line, TcpState state) const { states_.put(line, state); }
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
    StateText states_;
    RecentText<Ends, 112> tuples_; // IPv6 takes up to 107
    RecentText<Process, 64> owners_;
};

} // namespace tcpflight

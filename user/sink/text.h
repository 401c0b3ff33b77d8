// One line an event, in tcpdump's shape. The format is told in docs/output.md.
#pragma once

#include "sink/clock_text.h"
#include "sink/fold.h"
#include "sink/sink.h"
#include "sink/style.h"

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
    void put_time(LineWriter &line, std::uint64_t time_ns);
    void put_host(LineWriter &line) const;
    void put_tuple(LineWriter &line, const Event &event) const;
    void put_state(LineWriter &line, TcpState state) const;
    void put_in_color(LineWriter &line, std::string_view code) const;
    void put_gap(LineWriter &line, const Event &event) const;
    void put_what(LineWriter &line, const Event &event, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit) const;
    void put_what(LineWriter &line, const Event &event, const Accept &accept) const;
    void put_what(LineWriter &line, const Event &event, const Lost &lost) const;
    void put_what(LineWriter &line, const Event &event, const Reset &reset) const;
    void put_what(LineWriter &line, const Event &event, const Found &found) const;
    void put_what(LineWriter &line, const Event &event, const CongestionChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Probe &probe) const;
    void put_what(LineWriter &line, const Event &event, const Verdict &verdict) const;
    void put_what(LineWriter &line, const Event &event, const Gone &gone) const;
    void put_length(LineWriter &line, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Handshake &handshake) const;
    void put_what(LineWriter &line, const Event &event, const ListenQueue &queue) const;
    void put_owner(LineWriter &line, const Identity *identity) const;
    void put_details(LineWriter &line, const Identity *identity, const Metrics *metrics, bool with_rto) const;

    OutputStyle style_;
    ClockAnchor anchor_;
    std::optional<std::string> host_;                         // none: not shown
    std::variant<std::monostate, ClockText, DeltaText> time_; // none for -t
    Folder folder_;
};

} // namespace tcpflight

// One flat JSON object a line. The schema is in docs/json.md; what is written here must obey it.
#pragma once

#include "sink/clock_text.h"
#include "sink/sink.h"
#include "sink/style.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tcpflight {

class JsonSink : public Sink {
public:
    explicit JsonSink(TimePrecision precision);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }
    void set_host(std::string_view host) override { host_ = host; }

private:
    void put_host(LineWriter &line) const;
    void put_what(LineWriter &line, const Event &event, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit) const;
    void put_what(LineWriter &line, const Event &event, const Accept &accept) const;
    void put_what(LineWriter &line, const Event &event, const Lost &lost) const;
    static void put_what(LineWriter &line, const Event &event, const Reset &reset);
    void put_what(LineWriter &line, const Event &event, const Found &found) const;
    void put_what(LineWriter &line, const Event &event, const Verdict &verdict) const;
    void put_what(LineWriter &line, const Event &event, const Gone &gone) const;
    void put_duration(LineWriter &line, std::string_view key, std::optional<std::uint64_t> duration_ns) const;
    static void put_what(LineWriter &line, const Event &event, const CongestionChange &change);
    void put_what(LineWriter &line, const Event &event, const Probe &probe) const;
    void put_what(LineWriter &line, const Event &event, const Handshake &handshake) const;
    static void put_what(LineWriter &line, const Event &event, const ListenQueue &queue);

    bool nano_;
    ClockAnchor anchor_;
    std::optional<std::string> host_; // none: not shown
    ClockText time_;
};

} // namespace tcpflight

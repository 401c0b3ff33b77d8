// One flat JSON object a line. The schema is in docs/json.md; what is written here must obey it.
#pragma once

#include "sink/clock_text.h"
#include "sink/recent_text.h"
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
    struct Whose {
        const Identity &identity;
        bool has_remote;
    };
    struct Connection {
        Identity identity;
        bool has_remote = false;

        bool operator==(const Whose &whose) const
        {
            return identity == whose.identity && has_remote == whose.has_remote;
        }
        Connection &operator=(const Whose &whose)
        {
            identity = whose.identity;
            has_remote = whose.has_remote;
            return *this;
        }
    };

    void put_host(LineWriter &line) const;
    void put_connection(LineWriter &line, const Event &event);
    void put_duration(LineWriter &line, std::string_view key, std::optional<std::uint64_t> duration_ns) const;
    void put_what(LineWriter &line, const Event &event, const StateChange &change);
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit);
    void put_what(LineWriter &line, const Event &event, const Accept &accept);
    void put_what(LineWriter &line, const Event &event, const Lost &lost);
    void put_what(LineWriter &line, const Event &event, const Reset &reset);
    void put_what(LineWriter &line, const Event &event, const Found &found);
    void put_what(LineWriter &line, const Event &event, const Verdict &verdict);
    void put_what(LineWriter &line, const Event &event, const Gone &gone);
    void put_what(LineWriter &line, const Event &event, const CongestionChange &change);
    void put_what(LineWriter &line, const Event &event, const Probe &probe);
    void put_what(LineWriter &line, const Event &event, const Handshake &handshake);
    void put_what(LineWriter &line, const Event &event, const ListenQueue &queue);

    bool nano_;
    ClockAnchor anchor_;
    std::optional<std::string> host_; // none: not shown
    ClockText time_;
    RecentText<Connection, 384> connections_;
};

} // namespace tcpflight

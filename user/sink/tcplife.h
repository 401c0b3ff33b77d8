// --format tcplife: a line each connection when it ends, in the columns of the tool of that name (bcc, libbpf-tools).
// The format, and where it differs on purpose, is told in docs/output.md.
#pragma once

#include "sink/sink.h"
#include "sink/style.h"
#include "sink/time_column.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tcpflight {

class TcplifeSink : public Sink {
public:
    explicit TcplifeSink(const OutputStyle &style = {}, std::size_t most_births = default_births)
        : time_(style), most_births_(most_births)
    {
    }

    void begin(std::string &out) override;
    void write(const Event &event, std::string &out) override;
    [[nodiscard]] bool shows(const Event &event) const override;
    void finish(std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { time_.set_clock(anchor); }

    static constexpr std::string_view header = "PID     COMM             LADDR           LPORT RADDR           RPORT "
                                               "TX_KB  RX_KB  MS\n";
    // Connections of which it is kept when they began, as many as the table knows. Of more, the length is not known.
    static constexpr std::size_t default_births = std::size_t{1} << 20;

private:
    struct Birth {
        std::uint64_t time_ns = 0;
        bool connecting = false; // that is when the connection attempt began
    };

    void learn(const Event &event, const StateChange &change);
    [[nodiscard]] std::optional<std::uint64_t> length_ns(const Event &event, const StateChange &change) const;

    TimeColumn time_;
    std::size_t most_births_;
    tsl::robin_map<std::uint64_t, Birth> births_; // of connections that are alive
};

} // namespace tcpflight

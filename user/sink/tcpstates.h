// --format tcpstates: a line each change of state, in the columns of the tool of that name (bcc, libbpf-tools). The
// format, and where it differs on purpose, is told in docs/output.md.
#pragma once

#include "sink/sink.h"
#include "sink/style.h"
#include "sink/time_column.h"

#include <string>
#include <string_view>

namespace tcpflight {

class TcpstatesSink : public Sink {
public:
    explicit TcpstatesSink(const OutputStyle &style = {}) : time_(style) {}
    void begin(std::string &out) override;
    void write(const Event &event, std::string &out) override;
    [[nodiscard]] bool shows(const Event &event) const override;
    void set_clock(const ClockAnchor &anchor) override { time_.set_clock(anchor); }

    static constexpr std::string_view header = "SKADDR           PID     COMM       LADDR           LPORT RADDR        "
                                               "   RPORT OLDSTATE    -> NEWSTATE    MS\n";

private:
    TimeColumn time_;
};

} // namespace tcpflight

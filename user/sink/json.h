// One flat JSON object a line. The schema is in docs/json.md; what is written here must obey it.
#pragma once

#include "sink/clock_text.h"
#include "sink/sink.h"
#include "sink/style.h"

namespace tcpflight {

class JsonSink : public Sink {
public:
    explicit JsonSink(TimePrecision precision);

    void write(const Event &event, std::string &out) override;
    void set_clock(const ClockAnchor &anchor) override { anchor_ = anchor; }

private:
    void put_what(LineWriter &line, const Event &event, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit) const;
    void put_what(LineWriter &line, const Event &event, const Lost &lost) const;
    static void put_what(LineWriter &line, const Event &event, const Reset &reset);

    bool nano_;
    ClockAnchor anchor_;
    ClockText time_;
};

} // namespace tcpflight

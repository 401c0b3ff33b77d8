// Where events go.
#pragma once

#include "model/clock.h"
#include "model/event.h"

#include <string>
#include <string_view>

namespace tcpflight {

// Turns events into bytes at the end of a buffer. The buffer belongs to the caller, who writes it out; a sink keeps no
// reference to it.
class Sink {
public:
    Sink() = default;
    Sink(const Sink &) = delete;
    Sink &operator=(const Sink &) = delete;
    virtual ~Sink() = default;

    // What comes before all events. Not of the sinks of which several write to the same output in turns.
    virtual void begin(std::string & /*out*/) {}
    // `event.identity` may be null (see Event). Called for wanted events only.
    virtual void write(const Event &event, std::string &out) = 0;

    // Does write() show this event? Others count for nothing.
    [[nodiscard]] virtual bool shows(const Event & /*event*/) const { return true; }

    // No more events, or those of another recording: what was kept until now.
    virtual void finish(std::string & /*out*/) {}

    // From now on times are converted with `anchor`: called before the first event, and again after a clock step.
    virtual void set_clock(const ClockAnchor &anchor) = 0;
    // From now on events are of this host, which is shown with them; untrusted, and empty where it is not known.
    // A sink for timelines has one host only.
    virtual void set_host(std::string_view /*host*/) {}

    // Where several sinks write to the same output in turns: was a block written (a timeline), and one was by another.
    [[nodiscard]] virtual bool has_written_block() const { return false; }
    virtual void follow_block() {}
};

} // namespace tcpflight

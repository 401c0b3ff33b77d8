// What happened, as a line of a timeline says it: as in the stream, without what the block's head and the times beside
// it say already.
#pragma once

#include "model/event.h"
#include "sink/line_writer.h"
#include "sink/state_text.h"
#include "sink/style.h"

#include <cstdint>

namespace tcpflight {

// Retransmissions in a row, which become one line.
struct RetransmitRun {
    Retransmit first;
    std::uint64_t first_ns = 0; // CLOCK_BOOTTIME
    std::uint64_t last_ns = 0;
    std::uint64_t bytes = 0; // payload of all
    std::uint32_t times = 0; // 0: there is none
    std::uint32_t max_rto_us = 0;
    std::uint32_t unseen = 0; // time-outs, see Retransmit
    bool same_segment = true;

    // One more, which is not a failed one.
    void add(const Retransmit &retransmit, std::uint64_t time_ns);
};

// Probes of one kind in a row, likewise.
struct ProbeRun {
    Probe last;
    std::uint64_t first_ns = 0; // CLOCK_BOOTTIME
    std::uint64_t last_ns = 0;
    std::uint32_t times = 0; // 0: there is none

    [[nodiscard]] bool takes(const Probe &probe) const { return times == 0 || probe.kind == last.kind; }
    void add(const Probe &probe, std::uint64_t time_ns);
};

class TimelineWords {
public:
    explicit TimelineWords(const OutputStyle &style) : style_(style), states_(style.color) {}

    // Retransmit, Lost and Verdict have lines of their own.
    void put(LineWriter &line, const Event &event) const;
    void put(LineWriter &line, const RetransmitRun &run) const;
    void put(LineWriter &line, const ProbeRun &run) const;
    void put_state(LineWriter &line, TcpState state) const { states_.put(line, state); }
    void put_trouble(LineWriter &line, std::string_view text) const;
    // "telnet[2231]", "unknown".
    void put_owner(LineWriter &line, const Identity *identity) const;
    // "sent 5001 bytes in 12 segments (3 sent again), received 2048 in 9 segments, rtt 1.2ms (min 300us), cwnd 10".
    // `traffic` is null where it is not known.
    void put_carried(LineWriter &line, const ByteCounts &bytes, const Traffic *traffic) const;

private:
    void put_what(LineWriter &line, const Event &event, const StateChange &change) const;
    void put_what(LineWriter &line, const Event &event, const Accept &accept) const;
    void put_what(LineWriter &line, const Event &event, const Reset &reset) const;
    void put_what(LineWriter &line, const Event &event, const Found &found) const;
    void put_what(LineWriter &line, const Event &event, const Gone &gone) const;
    void put_what(LineWriter &line, const Event &event, const CongestionChange &change) const;
    static void put_what(LineWriter & /*line*/, const Event & /*event*/, const Probe & /*probe*/) {} // all become runs
    void put_what(LineWriter &line, const Event &event, const Handshake &handshake) const;
    void put_what(LineWriter &line, const Event &event, const ListenQueue &queue) const;
    void put_what(LineWriter &line, const Event &event, const Retransmit &retransmit) const;
    static void put_what(LineWriter & /*line*/, const Event & /*event*/, const Lost & /*lost*/) {}
    static void put_what(LineWriter & /*line*/, const Event & /*event*/, const Verdict & /*verdict*/) {}
    void put_sender(LineWriter &line, const Metrics &metrics) const;
    void put_in_color(LineWriter &line, std::string_view code) const;

    OutputStyle style_;
    StateText states_;
};

} // namespace tcpflight

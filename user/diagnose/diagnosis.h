// Follows every connection by its events and says what they mean: verdicts, which are events too.
//
// Which verdicts fall, and where in the stream, depends on the events and their times alone, not on when they were
// read: a recording is judged as it was live.
//
// Each connection that is alive has a story of one cache line, in the same slot as in the table: so that following it
// needs no search. What has ended moves out of its slot and waits to be judged.
#pragma once

#include "diagnose/pairs.h"
#include "diagnose/pressure.h"
#include "diagnose/scarcity.h"
#include "diagnose/story.h"
#include "diagnose/stuck.h"
#include "diagnose/thresholds.h"
#include "model/event.h"
#include "model/queue.h"
#include "model/slots.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace tcpflight {

class Diagnosis {
public:
    // The event's identity is valid during the call.
    using Emit = std::function<void(const Event &)>;
    // The identity of a connection that is alive; null: not known. Valid until the next event.
    using Identify = std::function<const Identity *(std::uint64_t connection)>;

    struct Settings {
        Thresholds thresholds;
        Severity least = Severity::Normal; // what is less severe is not said
    };

    Diagnosis(const Settings &settings, Emit emit, Identify identify);

    // An event, before it is passed on: the end of the same socket's life before it is judged. `slot`: where the
    // connection lives in the table (Table::slot): its own until it ends, and then free for another one.
    void expect(const Event &event, std::uint32_t slot);
    // The same, after it was passed on. What it means at once is emitted now.
    void observe(const Event &event, std::uint32_t slot);
    // The connection is not followed any more: nothing that follows from its events is said, and it is nobody's other
    // end.
    void drop(std::uint64_t connection, std::uint32_t slot);
    // No event earlier than `time_ns` is still to come: judges what ended long enough ago. Before each event.
    void advance(std::uint64_t time_ns)
    {
        while (!ended_.empty() && ended_.front().due_ns <= time_ns)
            judge_first();
        if (stuck_.is_looking() && stuck_.look_ns() < time_ns)
            judge_stuck();
    }
    // So much is taken of something, at `time_ns`.
    void weigh(const Usage &usage, std::uint64_t time_ns);
    // See Settings::least; from now on.
    void set_least(Severity least) { settings_.least = least; }
    // How a network namespace is set, from now on.
    void learn(const NetnsSettings &settings);
    // No more events: judges what has ended. Connections that are alive get no verdict.
    void finish();
    // Forgets everything.
    void restart();
    // The table has moved the connections: where each one lives now; no_slot: it is not known any more.
    void move(const std::function<std::uint32_t(std::uint64_t connection)> &slot_of);

    // Is anything waiting that advance() could set free?
    [[nodiscard]] bool is_holding() const { return !ended_.empty() || stuck_.is_looking(); }

private:
    struct Ended {
        std::uint64_t due_ns = 0;
        Story story; // connection 0: it was judged already
        Identity identity;
        std::uint64_t ends = 0; // in pairs_, if ends_known
        bool identity_known = false;
        bool incomplete = false;
    };
    struct CookieHash {
        std::size_t operator()(std::uint64_t cookie) const { return (cookie * 0x9e3779b97f4a7c15U) >> 32; }
    };

    Story *find(std::uint64_t connection, std::uint32_t slot);
    Story &find_or_begin(const Event &event, std::uint32_t slot);
    void add(Story &story, const Event &event, std::uint32_t slot);
    void add_late(const Event &event, std::uint32_t slot);
    Ended *find_ended(std::uint64_t connection);
    const Story *other_end_of(const Story &story, const Identity *identity, const Identity *&other_identity);
    void leave(Story &story, std::uint32_t slot);
    void end(Story &story, std::uint32_t slot, const Event &event);
    void observe_change(const Event &event, const StateChange &change, std::uint32_t slot);
    void judge_silent(Story &story, const Event &event);
    void judge_answered(Story &story, const Event &event)
    {
        if (story.trouble != nullptr)
            judge_recovered(story, event);
    }
    void judge_recovered(Story &story, const Event &event);
    void judge_waiting(Story &story, const Event &event, const Found &found);
    void judge_lossy(Story &story, const Event &event);
    void judge_slow(Story &story, const Event &event);
    void judge_path(const Story &story, const Event &event, std::uint32_t sent, std::uint32_t repeated);
    void judge_ended(const Story &story, const Event &event, const StateChange &change);
    void judge_pressure(const Event &event);
    void judge_handshake(const Event &event);
    void judge_time_wait(const Event &event, const StateChange &change);
    void judge_stuck();
    void judge_first();
    void judge(Ended &ended);
    Story *deserted_by(VerdictKind end, const Ended &ended);
    void judge_left(Story &left, const Verdict &end, const Ended &ended);
    void name_other_end(const Story &story, const Identity *identity, Verdict &verdict);
    [[nodiscard]] bool is_told(VerdictKind kind) const { return severity_of(kind) >= settings_.least; }
    void emit(const Verdict &verdict, std::uint64_t connection, std::uint64_t time_ns, const Identity *identity,
              bool wanted, bool incomplete);

    struct Netns {
        NetnsSettings settings;
        Thresholds thresholds;
    };
    [[nodiscard]] const Netns *netns_of(const Identity *identity) const;
    [[nodiscard]] const Thresholds &thresholds_of(const Identity *identity) const;

    // Network namespaces; when there are more, which a damaged recording can have, all are forgotten.
    static constexpr std::size_t most_netns = 65'536;

    Settings settings_;
    tsl::robin_map<std::uint32_t, Netns> netns_; // by inode number
    Emit emit_;
    Identify identify_;
    Slots<Story> stories_;
    Pairs pairs_;
    Stuck stuck_;
    Pressure pressure_;
    Scarcity scarcity_;
    Queue<Ended> ended_;                                                   // in the order of their ends
    tsl::robin_map<std::uint64_t, std::uint64_t, CookieHash> ended_index_; // cookie > its number in ended_
};

} // namespace tcpflight

// Follows every connection by its events and says what they mean: verdicts, which are events too.
//
// Which verdicts fall, and where in the stream, depends on the events and their times alone, not on when they were
// read: a recording is judged as it was live.
#pragma once

#include "diagnose/story.h"
#include "diagnose/thresholds.h"
#include "model/event.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace tcpflight {

class Diagnosis {
public:
    // The event's identity is valid during the call.
    using Emit = std::function<void(const Event &)>;
    // The identity of a connection that is alive; null: not known. Valid until the next event.
    using Identify = std::function<const Identity *(std::uint64_t connection)>;

    struct Settings {
        Thresholds thresholds;
        // A verdict for each end, also for the orderly ones; otherwise only alarms and notices.
        bool every_end = true;
        std::size_t capacity = default_capacity; // connections followed at once; see unfollowed()
    };

    Diagnosis(const Settings &settings, Emit emit, Identify identify);

    // An event, before it is passed on: the end of the same socket's life before it is judged.
    void expect(const Event &event);
    // The same, after it was passed on. What it means at once is emitted now.
    void observe(const Event &event);
    // No event earlier than `time_ns` is still to come: judges what ended long enough ago. Before each event.
    void advance(std::uint64_t time_ns)
    {
        while (!ended_.empty() && ended_.front().due_ns <= time_ns)
            judge_first();
    }
    // No more events: judges what has ended. Connections that are alive get no verdict.
    void finish();
    // Forgets everything.
    void restart();

    // Is anything waiting that advance() could set free?
    [[nodiscard]] bool is_holding() const { return !ended_.empty(); }
    // Connections that were not followed because there were too many: they got no verdict.
    [[nodiscard]] std::uint64_t unfollowed() const { return unfollowed_; }

    static constexpr std::size_t default_capacity = std::size_t{1} << 20;

private:
    struct Followed : Story {
        std::uint64_t ends = 0;       // of the tuple, seen from here; 0: not known yet
        std::uint64_t other_ends = 0; // the same, seen from the other end
    };
    struct Ended {
        std::uint64_t due_ns = 0;
        std::uint64_t connection = 0; // 0: it was judged already
        Identity identity;
        bool identity_known = false;
        bool incomplete = false;
    };
    struct CookieHash {
        std::size_t operator()(std::uint64_t cookie) const { return (cookie * 0x9e3779b97f4a7c15U) >> 32; }
    };
    using Slots = tsl::robin_map<std::uint64_t, std::uint32_t, CookieHash>;

    Followed *find(std::uint64_t connection);
    Followed *find_or_add(const Event &event);
    Followed *other_end_of(const Followed &story);
    void learn_ends(Followed &story, const Identity &identity);
    void forget(std::uint64_t connection);
    void end(const Followed &story, const Event &event);
    void judge_first();
    void judge_early(std::uint64_t connection);
    void judge(const Ended &ended);
    void look_for_deserted(const Followed &story, const Verdict &end, const Ended &ended);
    void name_other_end(const Followed &story, Verdict &verdict);
    void emit(const Verdict &verdict, std::uint64_t connection, std::uint64_t time_ns, const Identity *identity,
              bool wanted, bool incomplete);

    Settings settings_;
    Emit emit_;
    Identify identify_;
    Slots index_; // cookie > slot
    Slots ends_;  // ends of a tuple > slot
    std::deque<Followed> stories_;
    std::vector<std::uint32_t> free_;
    std::deque<Ended> ended_; // in the order of their ends
    std::uint64_t unfollowed_ = 0;
};

} // namespace tcpflight

// Order for the eye. A connect is traced before the kernel has chosen the local port, and on older kernels a child
// before its remote end is set; such an event waits for its connection's next one, which has what is missing.
//
// So that a stream stays in the order of time, everything behind a waiting event waits too, but for no more than
// `window_ns`: a handshake on this host or nearby is over by then. An event that waits longer (a SYN to a far or dead
// host) lets the others pass and is delivered just before the event that completes it, or at the end as it is.
//
// What is delivered, and in which order, depends on the events and their times alone, not on when they were read: a
// recording replays as it was seen.
#pragma once

#include "model/event.h"
#include "model/queue.h"

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

namespace tcpflight {

class Sequencer {
public:
    // The event and its identity are valid during the call.
    using Deliver = std::function<void(const Event &)>;

    explicit Sequencer(Deliver deliver) : deliver_(std::move(deliver)) {}

    void push(const Event &event);
    // The clock stands at `time_ns`, and no earlier event is still to come.
    void advance(std::uint64_t time_ns)
    {
        if (!queue_.empty())
            release(time_ns);
    }
    // No more events: deliver all that waits.
    void finish();

    // Does an event wait for the next one of this connection?
    [[nodiscard]] bool awaits(std::uint64_t connection) const
    {
        return (!waiting_.empty() && waiting_.contains(connection)) || (!late_.empty() && late_.contains(connection));
    }
    // Is anything waiting that advance() could set free?
    [[nodiscard]] bool is_holding() const { return !queue_.empty(); }
    // Of the oldest event that waits for whatever reason; none: nothing waits. Looks at all of them.
    [[nodiscard]] std::optional<std::uint64_t> oldest_ns() const;

    static constexpr std::uint64_t window_ns = 20'000'000;
    // More late events than this are delivered as they are: memory is bounded.
    static constexpr std::size_t max_late = 65536;

private:
    // Of so many events the memory is kept when nothing waits any more.
    static constexpr std::size_t most_idle = 1024;

    struct Held {
        Event event;
        Identity identity;
        bool waiting = false;
    };

    void complete(const Event &news);
    void enqueue(const Event &event);
    void release(std::uint64_t time_ns);
    void deliver(Held &held);
    void set_late(Held &&held);

    Deliver deliver_;
    Queue<Held> queue_;
    tsl::robin_map<std::uint64_t, std::uint64_t> waiting_; // connection > number of its event in the queue
    std::unordered_map<std::uint64_t, Held> late_;         // connection > its event, no longer in the queue
};

} // namespace tcpflight

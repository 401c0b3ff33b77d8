#include "live/timeline.h"

#include "live/precision.h"
#include "model/clock.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <unistd.h>

namespace tcpflight::test {
namespace {

// How far the wall clock, in which JSON has its times, may be moved against CLOCK_BOOTTIME during a test.
const std::int64_t clock_slack_ns = 5'000'000 * patience();

std::string endpoint(const SocketAddress &address)
{
    return address.text() + "." + std::to_string(address.port());
}

std::string endpoint(const TraceEvent &event, const char *address, const char *port)
{
    if (event.is_null(address) && event.is_null(port))
        return "*";
    return event.text(address) + "." + std::to_string(event.number(port));
}

bool is_one_of(const std::string &word, const std::string &alternatives)
{
    return ("|" + alternatives + "|").find("|" + word + "|") != std::string::npos;
}

std::string change_text(const std::string &from, const std::string &to, const std::string &error)
{
    // How long `from` lasted is known unless this socket did not enter it while it was watched.
    const bool lasted = from != "CLOSE" && !(from == "LISTEN" && to == "SYN_RECV");
    return from + " -> " + to + (lasted ? " after a time" : "") + (error.empty() ? "" : ", error " + error);
}

std::string segment_text(const std::string &flags, std::uint64_t length, std::uint64_t offset)
{
    return "retransmit " + flags + " length " + std::to_string(length) + " at " + std::to_string(offset);
}

std::string reset_text(const std::string &direction_and_state, const std::string &reason)
{
    return "reset " + direction_and_state + (reason.empty() ? "" : ": " + reason);
}

// How long it waited is known unless its handshake was not seen.
std::string accept_text(const std::string &state)
{
    return "accepted in " + state + " after a time";
}

// Nanoseconds from CLOCK_BOOTTIME to the wall clock, in which JSON tells its times.
std::int64_t boot_to_wall_ns()
{
    const ClockAnchor anchor = read_clock_anchor();
    return anchor.to_wall(0);
}

bool begins_with_syn(const std::vector<TraceEvent> &events)
{
    return !events.empty() && is_syn_received(events.front());
}

std::string objection(const TraceEvent &event, const std::string &what)
{
    return what + ": " + event.json().dump() + "\n";
}

} // namespace

bool is_syn_received(const TraceEvent &event)
{
    return event.is("handshake") && event.text("step") == "syn_received";
}

Timeline::Timeline(const ActorSocket &socket, std::string state) : state_(std::move(state))
{
    set_ends(socket);
}

Timeline Timeline::of_listener(const ActorSocket &listener)
{
    Timeline timeline(listener, "CLOSE");
    timeline.ends_ = listener.local.family() + " " + endpoint(listener.local) + " > *";
    return timeline;
}

Timeline Timeline::of_stray_reset(const SocketAddress &local, const SocketAddress &remote, const std::string &state,
                                  const std::string &reason)
{
    Timeline timeline({.local = local, .remote = remote, .step = {}}, state);
    timeline.owner_ = timeline.sources_ = "unknown";
    timeline.stray_ = true;
    return timeline.sends_reset(reason);
}

void Timeline::set_ends(const ActorSocket &socket)
{
    ends_ = socket.remote.family() + " " + endpoint(socket.local) + " > " + endpoint(socket.remote);
}

Timeline &Timeline::by(const Actor &owner, std::string sources)
{
    owner_ = owner.name() + "[" + std::to_string(owner.pid()) + "]";
    place_.clear();
    sources_ = std::move(sources);
    return *this;
}

Timeline &Timeline::in_thread(pid_t tid)
{
    place_ += ", thread " + std::to_string(tid);
    return *this;
}

Timeline &Timeline::inside(std::uint32_t inner_pid, const std::string &container)
{
    place_ += inner_pid != 0 ? ", inner pid " + std::to_string(inner_pid) : "";
    place_ += container.empty() ? "" : ", container " + container;
    return *this;
}

Timeline &Timeline::to(std::string state, const Step &step)
{
    items_.push_back({.ends = ends_,
                      .from = state_,
                      .to = state,
                      .detail = {},
                      .owner = owner_,
                      .place = place_,
                      .sources = sources_,
                      .during = step});
    state_ = std::move(state);
    return *this;
}

Timeline &Timeline::leaves(const std::string &states, const Step &step)
{
    to(states, step);
    items_.back().is_left = true;
    return *this;
}

Timeline &Timeline::with_error(std::string error)
{
    items_.back().detail = std::move(error);
    return *this;
}

Timeline &Timeline::retransmits(std::string flags, std::size_t at_least, std::uint32_t length, std::uint32_t offset)
{
    items_.push_back({.ends = ends_,
                      .from = state_,
                      .to = {},
                      .detail = segment_text(flags, length, offset),
                      .at_least = at_least,
                      .owner = owner_,
                      .place = place_,
                      .sources = sources_,
                      .during = {}});
    return *this;
}

Timeline &Timeline::accepted(const Actor &owner, const Step &step)
{
    return by(owner, "accept").accepted_here(step);
}

Timeline &Timeline::accepted_here(const Step &step)
{
    items_.push_back({.ends = ends_,
                      .from = state_,
                      .to = {},
                      .detail = accept_text(state_),
                      .owner = owner_,
                      .place = place_,
                      .sources = sources_,
                      .during = step});
    return *this;
}

Timeline &Timeline::resets(const std::string &direction, const std::string &reason)
{
    items_.push_back(
        {.ends = ends_,
         .from = state_,
         .to = {},
         .detail = direction + " in " +
                   (!items_.empty() && (state_ == "CLOSE" || items_.back().is_left) ? items_.back().from : state_),
         .reasons = reason,
         .is_reset = true,
         // What takes a socket's place is found by reading memory, and whose RST that is, by its reason.
         .at_least = !items_.empty() && items_.back().is_left &&
                             !(kernel_has(Precision::Memory) && kernel_has(Precision::Reasons))
                         ? 0U
                         : 1U,
         .owner = owner_,
         .place = place_,
         .sources = sources_,
         .during = {}});
    return *this;
}

Timeline &Timeline::again_as(const ActorSocket &socket)
{
    set_ends(socket);
    return *this;
}

std::size_t Timeline::minimum() const
{
    return std::accumulate(items_.begin(), items_.end(), std::size_t{0},
                           [](std::size_t sum, const Item &item) { return sum + item.at_least; });
}

std::string Timeline::expected(const std::vector<TraceEvent> &actual) const
{
    std::string text;
    std::size_t at = 0;
    std::map<std::string, std::size_t> attempts; // of each segment
    auto line = [&](const Item &item, const std::string &what) {
        std::string source = item.sources.substr(0, item.sources.find('|'));
        if (at < actual.size() && is_one_of(actual[at].text("owner"), item.sources))
            source = actual[at].text("owner");
        text += item.ends + ": " + what + ", " + item.owner + " by " + source + item.place + "\n";
        ++at;
    };
    if (begins_with_syn(actual) && !items_.empty() && items_.front().from == "LISTEN")
        line(items_.front(), "SYN received");
    for (const Item &item : items_) {
        if (!item.to.empty()) {
            std::string state = item.to.substr(0, item.to.find('|'));
            if (at < actual.size() && actual[at].is("state")) {
                const std::string seen = actual[at].text("new_state");
                if (is_one_of(seen, item.to) || (item.is_left && seen == "CLOSE" && is_one_of("FIN_WAIT2", item.to) &&
                                                 lacks(Precision::Memory, "where the socket went from FIN_WAIT2")))
                    state = seen;
            }
            line(item, change_text(item.from, state + (item.is_left && state != "CLOSE" ? " left" : ""), item.detail));
            continue;
        }
        if (item.is_reset) {
            std::string reason = item.reasons.substr(0, item.reasons.find('|'));
            if (at == actual.size() && item.at_least == 0) {
                less_precise("no RST of what took a socket's place");
                continue;
            }
            if (at < actual.size() && actual[at].is("reset") && actual[at].is_null("reason"))
                reason = lacks(Precision::Reasons, "not why a RST was sent") ? "" : reason;
            else if (at < actual.size() && actual[at].is("reset") && is_one_of(actual[at].text("reason"), item.reasons))
                reason = actual[at].text("reason");
            line(item, reset_text(item.detail, reason));
            continue;
        }
        if (item.detail.starts_with("accepted")) {
            line(item, item.detail);
            continue;
        }
        std::size_t &attempt = attempts[item.detail];
        for (std::size_t n = 0; n < item.at_least || (at < actual.size() && actual[at].is("retransmit")); ++n)
            line(item, item.detail + " #" + std::to_string(++attempt) + " in " + item.from);
    }
    return text;
}

std::string Timeline::objections_to_times(const std::vector<TraceEvent> &actual) const
{
    std::string text;
    const std::int64_t boot_to_wall = boot_to_wall_ns();
    std::uint64_t entered = 0; // the state that is now left
    std::uint64_t last = 0;
    auto item = items_.begin();
    for (const TraceEvent &event : actual) {
        const std::uint64_t time = event.wall_ns();
        if (time < last)
            text += objection(event, "earlier than the event before");
        last = time;
        if (!event.is("state"))
            continue;
        item = std::find_if(item, items_.end(), [](const Item &next) { return !next.to.empty(); });
        if (item == items_.end())
            break;
        if (!event.is_null("duration_us")) {
            // Two times and a duration, each cut to microseconds.
            const auto told = static_cast<std::int64_t>(event.number("duration_us"));
            const auto between = static_cast<std::int64_t>((time - entered) / 1000);
            if (std::abs(told - between) > 1)
                text += objection(event, "not the time since its last change, " + std::to_string(between) + " us");
        }
        entered = time;
        if (item->during.end_ns) {
            const std::int64_t boot = static_cast<std::int64_t>(time) - boot_to_wall;
            if (boot < static_cast<std::int64_t>(item->during.begin_ns) - clock_slack_ns ||
                boot > static_cast<std::int64_t>(item->during.end_ns) + clock_slack_ns)
                text += objection(event, "not at the time of the step that caused it");
        }
        ++item;
    }
    return text;
}

std::string summary(const TraceEvent &event)
{
    std::string text = event.text("family") + " " + endpoint(event, "local_addr", "local_port") + " > " +
                       endpoint(event, "remote_addr", "remote_port") + ": ";
    if (event.is("retransmit")) {
        text += segment_text(event.text("flags"), event.number("length"), event.number("offset")) + " #" +
                std::to_string(event.number("attempt")) + " in " + event.text("state");
        if (!event.is_null("send_error"))
            text += ", not sent: " + event.text("send_error");
    } else if (event.is("reset")) {
        text += reset_text(event.text("direction") + " in " + event.text("state"),
                           event.is_null("reason") ? "" : event.text("reason"));
    } else if (is_syn_received(event)) {
        text += "SYN received";
    } else if (event.is("handshake")) {
        text += event.text("step") + " #" + std::to_string(event.number("attempt"));
    } else if (event.is("listen_queue")) {
        text += "dropped " + std::to_string(event.number("dropped"));
    } else if (event.is("accept")) {
        text += event.is_null("queued_us") ? "accepted in " + event.text("state") : accept_text(event.text("state"));
    } else {
        text += event.text("old_state") + " -> " + event.text("new_state");
        text += event.json().at("time_wait_socket") == true ? " left" : "";
        text += event.is_null("duration_us") ? "" : " after a time";
        text += event.is_null("error") ? "" : ", error " + event.text("error");
        if (event.is_null("error") != event.is_null("errno") ||
            (!event.is_null("errno") &&
             event.text("error") != strerrorname_np(static_cast<int>(event.number("errno")))))
            text += " under the number " + event.json().at("errno").dump();
    }
    if (event.is_null("pid"))
        text += ", unknown by " + event.text("owner");
    else
        text += ", " + event.text("comm") + "[" + std::to_string(event.number("pid")) + "] by " + event.text("owner");
    if (!event.is_null("tid") && event.number("tid") != event.number("pid"))
        text += ", thread " + std::to_string(event.number("tid"));
    if (!event.is_null("inner_pid"))
        text += ", inner pid " + std::to_string(event.number("inner_pid"));
    if (!event.is_null("container"))
        text += ", container " + event.text("container");
    if (!event.is_null("uid") && event.number("uid") != geteuid())
        text += ", uid " + std::to_string(event.number("uid"));
    if (event.json().at("incomplete") != false)
        text += ", incomplete";
    return text + "\n";
}

std::vector<std::vector<TraceEvent>> by_connection(const std::vector<TraceEvent> &events)
{
    std::vector<std::vector<TraceEvent>> groups;
    std::map<std::uint64_t, std::size_t> group_of;
    for (const TraceEvent &event : events) {
        if (event.is_null("conn")) {
            groups.push_back({event});
            continue;
        }
        auto [found, is_new] = group_of.try_emplace(event.number("conn"), groups.size());
        if (is_new)
            groups.emplace_back();
        groups[found->second].push_back(event);
    }
    return groups;
}

namespace {

// What takes a socket's place goes on when it likes, and when it is found out: time_wait_test.cpp is about that.
std::vector<TraceEvent> without_afterwards(const std::vector<TraceEvent> &events)
{
    std::vector<TraceEvent> kept;
    std::map<std::uint64_t, bool> left;
    for (const TraceEvent &event : events) {
        const bool is_left = event.is("state") && event.json().at("time_wait_socket") == true;
        if (is_left && left[event.number("conn")])
            continue;
        if (is_left)
            left[event.number("conn")] = true;
        kept.push_back(event);
    }
    return kept;
}

} // namespace

Totals expect_exactly(Tracer &tracer, const std::vector<Timeline> &timelines)
{
    std::vector<Timeline> missing = timelines;
    std::erase_if(missing, [](const Timeline &timeline) { return timeline.is_stray() && lacks_strays(); });
    const std::size_t count =
        std::accumulate(missing.begin(), missing.end(), std::size_t{0},
                        [](std::size_t sum, const Timeline &timeline) { return sum + timeline.minimum(); });
    // If they do not all come, the comparison tells which ones.
    tracer.wait_until([&] {
        const auto &events = tracer.events();
        return events.size() - static_cast<std::size_t>(std::count_if(events.begin(), events.end(), is_syn_received)) >=
               count;
    });
    Totals totals = tracer.stop();
    EXPECT_EQ(totals.status, exited(0));
    EXPECT_EQ(totals.lost, 0U);

    std::string unexpected;
    for (const std::vector<TraceEvent> &group : by_connection(without_afterwards(tracer.events()))) {
        std::string actual;
        for (const TraceEvent &event : group)
            actual += summary(event);
        auto match = std::find_if(missing.begin(), missing.end(),
                                  [&](const Timeline &timeline) { return timeline.expected(group) == actual; });
        if (match == missing.end()) {
            unexpected += actual + "\n";
            continue;
        }
        EXPECT_EQ(match->objections_to_times(group), "");
        missing.erase(match);
    }
    std::string absent;
    for (const Timeline &timeline : missing)
        absent += timeline.expected({}) + "\n";
    EXPECT_TRUE(unexpected.empty() && absent.empty()) << "expected, but not seen:\n"
                                                      << absent << "seen, but not expected:\n"
                                                      << unexpected;
    return totals;
}

} // namespace tcpflight::test

#include "sink/summary.h"

#include "sink/address.h"
#include "sink/duration.h"
#include "sink/escape.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

// A line made by put(LineWriter&).
template <typename Put> void add_line(std::string &out, const Put &put)
{
    LineWriter line(out);
    put(line);
    line.finish();
}

template <typename Put> std::string text_of(const Put &put)
{
    std::string text;
    add_line(text, put);
    text.pop_back();
    return text;
}

std::uint64_t total(const std::array<std::uint64_t, verdict_kinds> &kinds)
{
    return std::accumulate(kinds.begin(), kinds.end(), std::uint64_t{0});
}

// Right-aligned, so that numbers stand below each other.
void put_count(LineWriter &line, std::uint64_t count)
{
    constexpr std::size_t width = 10;
    const auto digits = std::to_string(count);
    for (auto i = digits.size(); i < width; i++)
        line.put(' ');
    line.put(std::string_view(digits));
}

// The kinds that occur, the most frequent first.
std::vector<VerdictKind> by_count(const std::array<std::uint64_t, verdict_kinds> &kinds)
{
    std::vector<VerdictKind> order;
    for (std::size_t i = 0; i < verdict_kinds; i++) {
        if (kinds[i] != 0)
            order.push_back(static_cast<VerdictKind>(i));
    }
    std::stable_sort(order.begin(), order.end(), [&](VerdictKind a, VerdictKind b) {
        return kinds[static_cast<std::size_t>(a)] > kinds[static_cast<std::size_t>(b)];
    });
    return order;
}

constexpr const char *others = "(others)";

} // namespace

SummarySink::SummarySink(const OutputStyle &style)
    : every_ns_(style.summary_ns.value_or(0)), clock_(ClockText::Shape::DateClock, TimePrecision::Micro)
{
}

void SummarySink::write(const Event &event, std::string &out)
{
    if (begun_ && every_ns_ != 0 && event.time_ns >= interval_.begin_ns + every_ns_) {
        print(out);
        const auto passed = (event.time_ns - interval_.begin_ns) / every_ns_;
        const auto begin_ns = interval_.begin_ns + passed * every_ns_;
        interval_ = {};
        interval_.begin_ns = begin_ns;
    }
    if (!begun_) {
        interval_.begin_ns = event.time_ns;
        begun_ = true;
    }
    interval_.end_ns = std::max(interval_.end_ns, event.time_ns);
    if (const auto *verdict = std::get_if<Verdict>(&event.what))
        count(event, *verdict);
    else if (const auto *lost = std::get_if<Lost>(&event.what))
        interval_.lost += lost->count;
}

void SummarySink::count(const Event &event, const Verdict &verdict)
{
    const auto kind = static_cast<std::size_t>(verdict.kind);
    // What is said a second time of one that was left behind is about keepalive.
    if (verdict.kind == VerdictKind::ListenerClosed || verdict.keepalive != Keepalive::Unknown)
        return;
    if (verdict.over) {
        auto &alarms = interval_.alarms.at(kind);
        alarms -= alarms != 0 ? 1 : 0;
        interval_.over.at(kind)++;
        return;
    }
    if (verdict.ended) {
        interval_.ends.at(kind)++;
        interval_.retransmits += verdict.retransmits;
        interval_.retransmitting += verdict.retransmits != 0 ? 1 : 0;
        if (verdict.handshake_ns != 0)
            interval_.handshakes.add(verdict.handshake_ns);
        if (verdict.lasted_ns != 0)
            interval_.lifetimes.add(verdict.lasted_ns);
    } else {
        interval_.alarms.at(kind)++;
    }
    if (severity_of(verdict.kind) == Severity::Normal || event.identity == nullptr)
        return;
    const auto &identity = *event.identity;
    count_trouble(interval_.peers, text_of([&](LineWriter &line) { put_address(line, identity.remote.address); }),
                  verdict.kind);
    if (identity.owner.is_known())
        count_trouble(interval_.processes,
                      text_of([&](LineWriter &line) { put_escaped(line, identity.owner.comm_view()); }), verdict.kind);
}

void SummarySink::count_trouble(ByName &names, std::string name, VerdictKind kind)
{
    if (names.size() >= counted_names && !names.contains(name))
        name = others;
    names[std::move(name)].at(static_cast<std::size_t>(kind))++;
}

void SummarySink::finish(std::string &out)
{
    if (begun_)
        print(out);
    interval_ = {};
    begun_ = false;
}

void SummarySink::print(std::string &out)
{
    const auto ended = total(interval_.ends);
    add_line(out, [&](LineWriter &line) {
        line.put("== ");
        clock_.put(line, anchor_.to_wall(interval_.begin_ns));
        line.put(", ");
        put_duration(line, interval_.end_ns - interval_.begin_ns, TimePrecision::Micro);
        line.put(": ");
        line.put_decimal(ended);
        line.put(ended == 1 ? std::string_view(" connection ended") : std::string_view(" connections ended"));
    });
    print_ends(out, "", interval_.ends);
    print_ends(out, ", and goes on", interval_.alarms);
    print_ends(out, ", and is over", interval_.over);
    if (interval_.retransmitting != 0) {
        add_line(out, [&](LineWriter &line) {
            put_count(line, interval_.retransmitting);
            line.put(" had retransmissions: ");
            line.put_decimal(interval_.retransmits);
            line.put(interval_.retransmits == 1 ? std::string_view(" segment") : std::string_view(" segments"));
        });
    }
    if (interval_.lost != 0) {
        add_line(out, [&](LineWriter &line) {
            put_count(line, interval_.lost);
            line.put(" events were lost: some ends may be missing or unclear");
        });
    }
    print_times(out, "   handshake", interval_.handshakes);
    print_times(out, "   lifetime ", interval_.lifetimes);
    print_trouble(out, "   peers with trouble:", interval_.peers);
    print_trouble(out, "   processes with trouble:", interval_.processes);
}

void SummarySink::print_ends(std::string &out, std::string_view suffix, const ByKind &kinds)
{
    for (const auto kind : by_count(kinds)) {
        add_line(out, [&](LineWriter &line) {
            put_count(line, kinds[static_cast<std::size_t>(kind)]);
            line.put(' ');
            line.put(name(kind));
            line.put(suffix);
        });
    }
}

void SummarySink::print_times(std::string &out, std::string_view title, const Histogram &times)
{
    if (times.count() == 0)
        return;
    add_line(out, [&](LineWriter &line) {
        line.put(title);
        for (const auto &[label, percent] :
             {std::pair(" p50 ", 50U), std::pair(", p90 ", 90U), std::pair(", p99 ", 99U)}) {
            line.put(std::string_view(label));
            put_duration(line, times.percentile(percent), TimePrecision::Micro);
        }
        line.put(", max ");
        put_duration(line, times.max(), TimePrecision::Micro);
    });
}

void SummarySink::print_trouble(std::string &out, std::string_view title, const ByName &names)
{
    if (names.empty())
        return;
    std::vector<ByName::const_iterator> order;
    for (auto one = names.begin(); one != names.end(); ++one)
        order.push_back(one);
    std::stable_sort(order.begin(), order.end(), [](auto a, auto b) { return total(a->second) > total(b->second); });
    add_line(out, [&](LineWriter &line) { line.put(title); });
    for (std::size_t i = 0; i < std::min(order.size(), shown_names); i++) {
        add_line(out, [&](LineWriter &line) {
            put_count(line, total(order[i]->second));
            line.put(' ');
            line.put(std::string_view(order[i]->first));
            std::string_view before = ": ";
            for (const auto kind : by_count(order[i]->second)) {
                line.put(before);
                before = ", ";
                line.put_decimal(order[i]->second[static_cast<std::size_t>(kind)]);
                line.put(' ');
                line.put(name(kind));
            }
        });
    }
    if (order.size() > shown_names) {
        add_line(out, [&](LineWriter &line) {
            put_count(line, order.size() - shown_names);
            line.put(" more");
        });
    }
}

} // namespace tcpflight

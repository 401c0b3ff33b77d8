#include "top/choice.h"

#include "filter/parser.h"

#include <variant>

namespace tcpflight {

Result<Filter> parse_choice(std::string_view text, const Names &names)
{
    auto expression = parse_expression(text, names);
    if (!expression)
        return tl::unexpected(expression.error());
    if (any_term(*expression, [](const auto &term) { return std::holds_alternative<EventTerm>(term.node); }))
        return failure("a row is a connection and no event: leave out event, or give it on the command line");
    if (asks_for(*expression, Quantity::Bytes))
        return failure("bytes are known at the end only: leave them out, or give them on the command line");
    return is_open(*expression) ? Filter() : Filter(std::move(*expression));
}

bool is_chosen(const Filter &filter, const Row &row, std::uint64_t now_ns)
{
    if (filter.is_open())
        return true;
    Found found;
    found.state = shown_state(row.state);
    Event event;
    event.time_ns = now_ns;
    event.connection = row.connection;
    event.identity = &row.identity;
    event.what = found;
    Numbers numbers;
    numbers.duration_ns = row.age_ns(now_ns);
    numbers.retransmits = row.retransmits;
    numbers.from_begin = true; // as it is shown
    numbers.is_over = true;    // now, and not what it may come to
    constexpr std::uint64_t ns_per_us = 1000;
    if (row.rtt_us != 0)
        numbers.min_rtt_ns = numbers.max_rtt_ns = row.rtt_us * ns_per_us;
    return filter.judge({.identity = &row.identity,
                         .direction = row.direction,
                         .event = &event,
                         .numbers = &numbers,
                         .holders = {}}) == Answer::Yes;
}

} // namespace tcpflight

#include "filter/expression.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace tcpflight {
namespace {

template <typename... Visitors> struct Overloaded : Visitors... {
    using Visitors::operator()...;
};
template <typename... Visitors> Overloaded(Visitors...) -> Overloaded<Visitors...>;

std::string_view end_text(End end)
{
    switch (end) {
    case End::Local: return "local ";
    case End::Remote: return "remote ";
    case End::Both: return "src and dst ";
    case End::Either: break;
    }
    return "";
}

std::string address_text(const Address &address)
{
    std::array<char, INET6_ADDRSTRLEN> room{};
    if (address.is_v4())
        inet_ntop(AF_INET, address.bytes.data() + 12, room.data(), room.size());
    else
        inet_ntop(AF_INET6, address.bytes.data(), room.data(), room.size());
    return room.data();
}

std::string net_text(const NetTerm &net)
{
    if (net.bits == 128)
        return fmt::format("{}host {}", end_text(net.end), address_text(net.address));
    int bits = net.address.is_v4() && net.bits >= 96 ? net.bits - 96 : net.bits;
    return fmt::format("{}net {}/{}", end_text(net.end), address_text(net.address), bits);
}

// As it is where it is one word, otherwise in quotation marks: patterns have none of their own (normal_pattern).
std::string pattern_text(std::string_view pattern)
{
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@+#[]*?,~%^";
    bool is_word = !pattern.empty() && pattern.find_first_not_of(plain) == std::string_view::npos;
    if (is_word && pattern != "and" && pattern != "or" && pattern != "not")
        return std::string(pattern);
    return fmt::format("'{}'", pattern);
}

std::string_view number_name(Number number)
{
    switch (number) {
    case Number::Pid: return "pid";
    case Number::Uid: return "uid";
    case Number::Netns: break;
    }
    return "netns";
}

std::string quantity_text(const QuantityTerm &term)
{
    auto value = is_time(term.quantity)             ? time_text(term.value)
                 : term.quantity == Quantity::Bytes ? size_text(term.value)
                                                    : fmt::format("{}", term.value);
    return fmt::format("{} {} {}", name(term.quantity), name(term.relation), value);
}

bool is_compound(const Expression &expression)
{
    const auto *all = std::get_if<AllOf>(&expression.node);
    return std::holds_alternative<AnyOf>(expression.node) || (all != nullptr && !all->parts.empty());
}

std::string part_text(const Expression &part)
{
    if (is_open(part))
        return "tcp";
    return is_compound(part) ? "(" + to_text(part) + ")" : to_text(part);
}

// Of what is a number or an address, the keyword: the next value needs none. (Names could be taken for keywords.)
std::string_view keyword_of(const Expression &part, std::string_view text)
{
    bool has_plain_value = std::holds_alternative<NetTerm>(part.node) || std::holds_alternative<PortTerm>(part.node) ||
                           std::holds_alternative<NumberTerm>(part.node);
    return has_plain_value ? text.substr(0, text.rfind(' ') + 1) : std::string_view();
}

std::string join(const std::vector<Expression> &parts, std::string_view between)
{
    std::string text;
    std::string last_keyword;
    for (const auto &part : parts) {
        auto next = part_text(part);
        std::string keyword(keyword_of(part, next));
        text += text.empty() ? "" : between;
        text += !keyword.empty() && keyword == last_keyword ? next.substr(keyword.size()) : next;
        last_keyword = std::move(keyword);
    }
    return text;
}

struct Branch {
    std::string_view title;
    const std::vector<Expression> *parts = nullptr;
};

Branch branch_of(const Expression &expression)
{
    return std::visit(Overloaded{[](const AllOf &all) {
                                     return Branch{"and", &all.parts};
                                 },
                                 [](const AnyOf &any) {
                                     return Branch{"or", &any.parts};
                                 },
                                 [](const NotThat &negated) {
                                     return Branch{"not", &negated.parts};
                                 },
                                 [](const auto & /*term*/) { return Branch{}; }},
                      expression.node);
}

} // namespace

bool AllOf::operator==(const AllOf &other) const
{
    return parts == other.parts;
}

bool AnyOf::operator==(const AnyOf &other) const
{
    return parts == other.parts;
}

bool NotThat::operator==(const NotThat &other) const
{
    return parts == other.parts;
}

void add_condition(Expression &expression, Expression more)
{
    if (is_open(more))
        return;
    if (is_open(expression)) {
        expression = std::move(more);
        return;
    }
    AllOf both;
    for (auto *side : {&expression, &more}) {
        if (auto *all = std::get_if<AllOf>(&side->node))
            std::move(all->parts.begin(), all->parts.end(), std::back_inserter(both.parts));
        else
            both.parts.push_back(std::move(*side));
    }
    expression.node = std::move(both);
}

bool is_open(const Expression &expression)
{
    const auto *all = std::get_if<AllOf>(&expression.node);
    return all != nullptr && all->parts.empty();
}

std::string to_text(const Expression &expression)
{
    return std::visit(
        Overloaded{
            [](const AllOf &all) { return join(all.parts, " and "); },
            [](const AnyOf &any) { return any.parts.empty() ? "not tcp" : join(any.parts, " or "); },
            [](const NotThat &negated) { return "not " + join(negated.parts, " "); },
            [](const NetTerm &net) { return net_text(net); },
            [](const PortTerm &port) {
                return port.first == port.last
                           ? fmt::format("{}port {}", end_text(port.end), port.first)
                           : fmt::format("{}portrange {}-{}", end_text(port.end), port.first, port.last);
            },
            [](const FamilyTerm &term) { return std::string(term.family == Family::IPv4 ? "ip" : "ip6"); },
            [](const NumberTerm &term) { return fmt::format("{} {}", number_name(term.what), term.value); },
            [](const NameTerm &term) { return fmt::format("{} {}", name(term.what), pattern_text(term.pattern)); },
            [](const DirectionTerm &term) {
                return std::string(term.direction == Direction::Outgoing ? "outgoing" : "incoming");
            },
            [](const StateTerm &term) { return fmt::format("state {}", name(term.state)); },
            [](const EventTerm &term) { return fmt::format("event {}", name(term.event)); },
            [](const QuantityTerm &term) { return quantity_text(term); }},
        expression.node);
}

std::string to_tree(const Expression &expression, int indent)
{
    std::string text(static_cast<std::size_t>(indent), ' ');
    auto branch = branch_of(expression);
    if (branch.parts == nullptr || branch.parts->empty())
        return text + (is_open(expression) ? "everything" : to_text(expression)) + '\n';
    text += branch.title;
    text += '\n';
    for (const auto &part : *branch.parts)
        text += to_tree(part, indent + 2);
    return text;
}

bool any_term(const Expression &expression, const std::function<bool(const Expression &)> &test)
{
    auto branch = branch_of(expression);
    if (branch.parts == nullptr)
        return test(expression);
    return std::any_of(branch.parts->begin(), branch.parts->end(),
                       [&](const Expression &part) { return any_term(part, test); });
}

bool asks_for(const Expression &expression, Quantity quantity)
{
    return any_term(expression, [quantity](const Expression &term) {
        const auto *number = std::get_if<QuantityTerm>(&term.node);
        return number != nullptr && number->quantity == quantity;
    });
}

std::string_view name(Name what)
{
    switch (what) {
    case Name::Comm: return "comm";
    case Name::Cgroup: return "cgroup";
    case Name::Container: break;
    }
    return "container";
}

std::string_view name(EventClass event)
{
    switch (event) {
    case EventClass::State: return "state";
    case EventClass::Error: return "error";
    case EventClass::Retransmit: return "retransmit";
    case EventClass::Reset: return "reset";
    case EventClass::Accept: return "accept";
    case EventClass::Handshake: return "handshake";
    case EventClass::Queue: return "queue";
    case EventClass::Probe: return "probe";
    case EventClass::Congestion: return "congestion";
    case EventClass::Found: return "found";
    case EventClass::Gone: return "gone";
    case EventClass::Verdict: break;
    }
    return "verdict";
}

std::string_view name(Quantity quantity)
{
    switch (quantity) {
    case Quantity::Duration: return "duration";
    case Quantity::Retransmits: return "retransmits";
    case Quantity::Rtt: return "rtt";
    case Quantity::Bytes: break;
    }
    return "bytes";
}

bool is_time(Quantity quantity)
{
    return quantity == Quantity::Duration || quantity == Quantity::Rtt;
}

std::string size_text(std::uint64_t bytes)
{
    static constexpr std::string_view units = "KMGT";
    std::string unit;
    for (std::size_t at = 0; at < units.size() && bytes != 0 && bytes % 1024 == 0; at++) {
        bytes /= 1024;
        unit = units[at];
    }
    return fmt::format("{}{}", bytes, unit);
}

std::string_view name(Relation relation)
{
    switch (relation) {
    case Relation::Less: return "<";
    case Relation::LessOrEqual: return "<=";
    case Relation::Greater: return ">";
    case Relation::GreaterOrEqual: return ">=";
    case Relation::Equal: return "=";
    case Relation::NotEqual: break;
    }
    return "!=";
}

std::string time_text(std::uint64_t time_ns)
{
    static constexpr std::array<std::pair<std::uint64_t, std::string_view>, 6> units{{{86'400'000'000'000, "d"},
                                                                                      {3'600'000'000'000, "h"},
                                                                                      {60'000'000'000, "m"},
                                                                                      {1'000'000'000, "s"},
                                                                                      {1'000'000, "ms"},
                                                                                      {1'000, "us"}}};
    for (const auto &[unit, letter] : units) {
        if (time_ns < unit || time_ns % (unit / 1000) != 0)
            continue;
        // Days, hours and minutes only where they come out even: nobody reads 1.083m.
        bool is_even = time_ns % unit == 0;
        if (!is_even && unit > 1'000'000'000)
            continue;
        auto text = is_even ? fmt::format("{}", time_ns / unit)
                            : fmt::format("{}.{:03}", time_ns / unit, time_ns % unit / (unit / 1000));
        while (!is_even && text.back() == '0')
            text.pop_back();
        return text + std::string(letter);
    }
    return fmt::format("{}ns", time_ns);
}

} // namespace tcpflight

#include "filter/eval.h"

#include "filter/cgroup_match.h"
#include "filter/glob.h"

#include <algorithm>
#include <type_traits>

namespace tcpflight {
namespace {

constexpr Answer answer(bool holds)
{
    return holds ? Answer::Yes : Answer::No;
}

constexpr Answer opposite(Answer given)
{
    return given == Answer::Open ? Answer::Open : answer(given == Answer::No);
}

// What is true of either end, or of both.
template <typename AskEnd> Answer of_ends(End end, const AskEnd &ask)
{
    switch (end) {
    case End::Local: return ask(true);
    case End::Remote: return ask(false);
    case End::Both: return std::min(ask(true), ask(false));
    case End::Either: break;
    }
    return std::max(ask(true), ask(false));
}

bool is_unspecified(const Address &address)
{
    auto first = address.is_v4() ? address.bytes.begin() + 12 : address.bytes.begin();
    return std::all_of(first, address.bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// A remote port of 0 belongs to a listener, or to a child that the kernel has not finished; and a local address that is
// not there, to a socket that is neither bound nor connected any more.
bool is_known(const Identity &identity, bool local)
{
    if (!local)
        return identity.remote.port != 0;
    return identity.remote.port == 0 || !is_unspecified(identity.local.address);
}

bool contains(const NetTerm &net, const Address &address)
{
    // ::/0 is no network of IPv4 addresses, though they are stored as if it was.
    if (address.is_v4() != net.address.is_v4() || (address.is_v4() && net.bits < 96))
        return false;
    std::size_t whole = net.bits / 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    net.address.bytes.begin()))
        return false;
    unsigned rest = net.bits % 8U;
    return rest == 0 || (address.bytes.at(whole) ^ net.address.bytes.at(whole)) >> (8 - rest) == 0;
}

// A number that only grows: what is larger stays so, and what is smaller is known at the end.
Answer compare(Relation relation, std::uint64_t number, bool is_final, std::uint64_t value)
{
    auto otherwise = is_final ? Answer::No : Answer::Open;
    switch (relation) {
    case Relation::Greater: return number > value ? Answer::Yes : otherwise;
    case Relation::GreaterOrEqual: return number >= value ? Answer::Yes : otherwise;
    case Relation::Less: return opposite(compare(Relation::GreaterOrEqual, number, is_final, value));
    case Relation::LessOrEqual: return opposite(compare(Relation::Greater, number, is_final, value));
    case Relation::Equal: return number > value ? Answer::No : number == value && is_final ? Answer::Yes : otherwise;
    case Relation::NotEqual: break;
    }
    return opposite(compare(Relation::Equal, number, is_final, value));
}

// It goes up and down: any of its values will do, and until one does it is open.
Answer compare_rtt(const QuantityTerm &term, const Numbers &numbers)
{
    auto without = numbers.is_over ? Answer::No : Answer::Open;
    if (!numbers.max_rtt_ns || !numbers.min_rtt_ns)
        return without;
    bool holds = false;
    switch (term.relation) {
    case Relation::Greater: holds = *numbers.max_rtt_ns > term.value; break;
    case Relation::GreaterOrEqual: holds = *numbers.max_rtt_ns >= term.value; break;
    case Relation::Less: holds = *numbers.min_rtt_ns < term.value; break;
    case Relation::LessOrEqual: holds = *numbers.min_rtt_ns <= term.value; break;
    case Relation::Equal:
    case Relation::NotEqual: break; // the parser takes neither
    }
    return holds ? Answer::Yes : without;
}

class Evaluation {
public:
    Evaluation(const Subject &subject, const Outlook &outlook) : subject_(subject), outlook_(outlook) {}

    [[nodiscard]] Answer of(const Expression &expression, bool negated) const
    {
        return std::visit([&](const auto &node) { return of_node(node, negated); }, expression.node);
    }

private:
    [[nodiscard]] Answer of_node(const AllOf &all, bool negated) const { return combine(all.parts, negated, negated); }
    [[nodiscard]] Answer of_node(const AnyOf &any, bool negated) const { return combine(any.parts, !negated, negated); }
    [[nodiscard]] Answer of_node(const NotThat &negation, bool negated) const
    {
        return of(negation.parts.front(), !negated);
    }
    // Negated, "all of" is "any of the negated".
    [[nodiscard]] Answer combine(const std::vector<Expression> &parts, bool one_will_do, bool negated) const
    {
        auto sum = answer(!one_will_do);
        for (const auto &part : parts) {
            auto next = of(part, negated);
            sum = one_will_do ? std::max(sum, next) : std::min(sum, next);
            if (sum == answer(one_will_do))
                break;
        }
        return sum;
    }
    template <typename Term> [[nodiscard]] Answer of_node(const Term &term, bool negated) const
    {
        constexpr bool is_future =
            std::is_same_v<Term, StateTerm> || std::is_same_v<Term, EventTerm> || std::is_same_v<Term, QuantityTerm>;
        if (is_future && outlook_.future_is_kind)
            return Answer::Yes;
        auto given = ask(term);
        if (given == Answer::Open && !is_future && outlook_.unknown_is_no)
            given = Answer::No;
        return negated ? opposite(given) : given;
    }

    [[nodiscard]] Answer ask(const NetTerm &net) const
    {
        if (subject_.identity == nullptr)
            return Answer::Open;
        const auto &identity = *subject_.identity;
        return of_ends(net.end, [&](bool local) {
            if (!is_known(identity, local))
                return Answer::Open;
            return answer(contains(net, local ? identity.local.address : identity.remote.address));
        });
    }

    [[nodiscard]] Answer ask(const PortTerm &term) const
    {
        if (subject_.identity == nullptr)
            return Answer::Open;
        const auto &identity = *subject_.identity;
        return of_ends(term.end, [&](bool local) {
            auto port = local ? identity.local.port : identity.remote.port;
            return port == 0 ? Answer::Open : answer(port >= term.first && port <= term.last);
        });
    }

    [[nodiscard]] Answer ask(const FamilyTerm &term) const
    {
        return subject_.identity == nullptr ? Answer::Open : answer(subject_.identity->family == term.family);
    }

    [[nodiscard]] Answer ask(const NumberTerm &term) const
    {
        if (subject_.identity == nullptr)
            return Answer::Open;
        const auto &identity = *subject_.identity;
        switch (term.what) {
        case Number::Pid: return of_owners([&](const auto &process) { return process.pid == term.value; });
        case Number::Uid: return identity.uid == unknown_uid ? Answer::Open : answer(identity.uid == term.value);
        case Number::Netns: break;
        }
        return answer(identity.netns == term.value);
    }

    [[nodiscard]] Answer ask(const NameTerm &term) const
    {
        if (subject_.identity == nullptr)
            return Answer::Open;
        switch (term.what) {
        case Name::Comm:
            return of_owners([&](const auto &process) { return glob_matches(term.pattern, process.comm_view()); });
        case Name::Cgroup:
            return of_place([&](const Cgroup &place) { return cgroup_matches(term.pattern, place.path); });
        case Name::Container: break;
        }
        return of_place([&](const Cgroup &place) { return container_matches(term.pattern, place.container); });
    }

    // Until the owner is known it is the socket's, and the owner may be somewhere else.
    template <typename Ask> [[nodiscard]] Answer of_place(const Ask &holds) const
    {
        const auto &identity = *subject_.identity;
        if (identity.where == nullptr)
            return Answer::Open;
        if (holds(*identity.where))
            return Answer::Yes;
        return identity.owner.is_known() ? Answer::No : Answer::Open;
    }

    // Whoever has it open is as good as the owner.
    template <typename Ask> [[nodiscard]] Answer of_owners(const Ask &holds) const
    {
        const auto &owner = subject_.identity->owner;
        if (std::any_of(subject_.holders.begin(), subject_.holders.end(), holds))
            return Answer::Yes;
        return owner.is_known() ? answer(holds(owner)) : Answer::Open;
    }

    [[nodiscard]] Answer ask(const DirectionTerm &term) const
    {
        return subject_.direction == Direction::Unknown ? Answer::Open : answer(subject_.direction == term.direction);
    }

    [[nodiscard]] Answer ask(const StateTerm &term) const
    {
        return subject_.event == nullptr ? Answer::Open : answer(state_after(*subject_.event) == term.state);
    }

    [[nodiscard]] Answer ask(const EventTerm &term) const
    {
        return subject_.event == nullptr ? Answer::Open : answer(is_of(*subject_.event, term.event));
    }

    [[nodiscard]] Answer ask(const QuantityTerm &term) const
    {
        if (subject_.numbers == nullptr)
            return Answer::Open;
        const auto &numbers = *subject_.numbers;
        if (term.quantity == Quantity::Rtt)
            return compare_rtt(term, numbers);
        if (term.quantity == Quantity::Bytes)
            return numbers.bytes ? compare(term.relation, *numbers.bytes, true, term.value) : Answer::Open;
        auto number = term.quantity == Quantity::Duration ? numbers.duration_ns : numbers.retransmits;
        // How small it was in all is not known where its begin was not seen.
        bool is_final = numbers.is_over && numbers.from_begin;
        return compare(term.relation, number, is_final, term.value);
    }

    const Subject &subject_;
    const Outlook &outlook_;
};

} // namespace

Answer evaluate(const Expression &expression, const Subject &subject, const Outlook &outlook)
{
    return Evaluation(subject, outlook).of(expression, false);
}

bool is_of_both_ends(const Expression &expression)
{
    return !any_term(expression, [](const Expression &term) {
        if (const auto *net = std::get_if<NetTerm>(&term.node))
            return net->end != End::Either && net->end != End::Both;
        if (const auto *port = std::get_if<PortTerm>(&term.node))
            return port->end != End::Either && port->end != End::Both;
        return !std::holds_alternative<FamilyTerm>(term.node);
    });
}

bool asks_beyond_identity(const Expression &expression)
{
    return any_term(expression, [](const Expression &term) {
        return std::holds_alternative<StateTerm>(term.node) || std::holds_alternative<EventTerm>(term.node) ||
               std::holds_alternative<QuantityTerm>(term.node);
    });
}

std::optional<TcpState> state_after(const Event &event)
{
    return std::visit(
        [](const auto &what) -> std::optional<TcpState> {
            if constexpr (requires {
                              what.to;
                              what.time_wait_socket;
                          })
                return what.to;
            else if constexpr (requires { what.state; })
                return what.state;
            else
                return std::nullopt;
        },
        event.what);
}

bool is_of(const Event &event, EventClass what)
{
    switch (what) {
    case EventClass::State: return std::holds_alternative<StateChange>(event.what);
    case EventClass::Error: {
        const auto *change = std::get_if<StateChange>(&event.what);
        return change != nullptr && change->error != 0;
    }
    case EventClass::Retransmit: return std::holds_alternative<Retransmit>(event.what);
    case EventClass::Reset: return std::holds_alternative<Reset>(event.what);
    case EventClass::Accept: return std::holds_alternative<Accept>(event.what);
    case EventClass::Handshake: return std::holds_alternative<Handshake>(event.what);
    case EventClass::Queue: return std::holds_alternative<ListenQueue>(event.what);
    case EventClass::Probe: return std::holds_alternative<Probe>(event.what);
    case EventClass::Congestion: return std::holds_alternative<CongestionChange>(event.what);
    case EventClass::Found: return std::holds_alternative<Found>(event.what);
    case EventClass::Gone: return std::holds_alternative<Gone>(event.what);
    case EventClass::Verdict: break;
    }
    return std::holds_alternative<Verdict>(event.what);
}

} // namespace tcpflight

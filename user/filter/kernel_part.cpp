#include "filter/kernel_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace tcpflight {
namespace {

template <typename Node>
constexpr bool is_branch = std::is_same_v<Node, AllOf> || std::is_same_v<Node, AnyOf> || std::is_same_v<Node, NotThat>;

// Names are left out: those of processes change, and those of cgroups are not at hand. The rest is not there yet when
// the kernel decides.
template <typename Node>
constexpr bool is_for_kernel =
    std::is_same_v<Node, NetTerm> || std::is_same_v<Node, PortTerm> || std::is_same_v<Node, FamilyTerm> ||
    std::is_same_v<Node, NumberTerm> || std::is_same_v<Node, DirectionTerm>;

Expression reduce(const Expression &expression, bool negated);

Expression reduce_parts(const std::vector<Expression> &parts, bool one_will_do, bool negated)
{
    std::vector<Expression> kept;
    for (const auto &part : parts) {
        auto reduced = reduce(part, negated);
        if (!is_open(reduced))
            kept.push_back(std::move(reduced));
        else if (one_will_do)
            return {};
    }
    if (one_will_do)
        return kept.size() == 1 ? std::move(kept.front()) : Expression{AnyOf{std::move(kept)}};
    return kept.size() == 1 ? std::move(kept.front()) : Expression{AllOf{std::move(kept)}};
}

// With "not" before single criteria only, and without what the kernel cannot know: then whatever is left out can only
// let more through.
Expression reduce(const Expression &expression, bool negated)
{
    return std::visit(
        [&](const auto &node) -> Expression {
            using Node = std::decay_t<decltype(node)>;
            if constexpr (std::is_same_v<Node, NotThat>) {
                return reduce(node.parts.front(), !negated);
            } else if constexpr (is_branch<Node>) {
                return reduce_parts(node.parts, std::is_same_v<Node, AnyOf> != negated, negated);
            } else if constexpr (is_for_kernel<Node>) {
                if (negated)
                    return {NotThat{{{node}}}};
                return {node};
            } else {
                return {};
            }
        },
        expression.node);
}

std::uint8_t end_code(End end)
{
    switch (end) {
    case End::Local: return TF_END_LOCAL;
    case End::Remote: return TF_END_REMOTE;
    case End::Both: return TF_END_BOTH;
    case End::Either: break;
    }
    return TF_END_EITHER;
}

void fill(const NetTerm &net, tf_filter_op &op)
{
    op.code = TF_ASK_NET;
    op.end = end_code(net.end);
    op.ipv4 = net.address.is_v4() && net.bits >= 96;
    std::memcpy(op.address, net.address.bytes.data(), sizeof(op.address));
    std::array<std::uint8_t, 16> mask{};
    for (std::size_t i = 0; i < mask.size(); i++)
        mask.at(i) = static_cast<std::uint8_t>(
            0xff00U >> static_cast<unsigned>(std::clamp<int>(net.bits - static_cast<int>(i * 8), 0, 8)));
    std::memcpy(op.mask, mask.data(), sizeof(op.mask));
}

void fill(const PortTerm &term, tf_filter_op &op)
{
    op.code = TF_ASK_PORT;
    op.end = end_code(term.end);
    op.first = term.first;
    op.last = term.last;
}

void fill(const FamilyTerm &term, tf_filter_op &op)
{
    op.code = TF_ASK_FAMILY;
    op.ipv4 = term.family == Family::IPv4;
}

void fill(const NumberTerm &term, tf_filter_op &op)
{
    switch (term.what) {
    case Number::Pid: op.code = TF_ASK_PID; break;
    case Number::Uid: op.code = TF_ASK_UID; break;
    case Number::Netns: op.code = TF_ASK_NETNS; break;
    }
    op.value = term.value;
}

void fill(const DirectionTerm &term, tf_filter_op &op)
{
    op.code = TF_ASK_DIRECTION;
    op.value = term.direction == Direction::Outgoing ? TF_DIRECTION_OUTGOING : TF_DIRECTION_INCOMING;
}

class Compiler {
public:
    // Of a reduced expression.
    void add(const Expression &expression, std::uint8_t join)
    {
        std::visit([&](const auto &node) { add_node(node, join); }, expression.node);
    }
    [[nodiscard]] std::vector<tf_filter_op> take() { return std::move(ops_); }

private:
    void add_node(const AllOf &all, std::uint8_t join) { add_parts(all.parts, TF_JOIN_AND, join); }
    void add_node(const AnyOf &any, std::uint8_t join) { add_parts(any.parts, TF_JOIN_OR, join); }
    void add_node(const NotThat &negation, std::uint8_t join)
    {
        add(negation.parts.front(), join);
        ops_.back().negated = 1;
    }
    template <typename Term> void add_node(const Term &term, std::uint8_t join)
    {
        tf_filter_op op{};
        if constexpr (is_for_kernel<Term>)
            fill(term, op);
        op.join = join;
        ops_.push_back(op);
    }
    // The first part begins a result of its own, which the others are joined with; then that is joined with what was
    // there before.
    void add_parts(const std::vector<Expression> &parts, std::uint8_t between, std::uint8_t join)
    {
        for (const auto &part : parts)
            add(part, &part == &parts.front() ? static_cast<std::uint8_t>(TF_JOIN_PUSH) : between);
        if (join != TF_JOIN_PUSH) {
            tf_filter_op op{};
            op.code = TF_ASK_RESULT;
            op.join = join;
            ops_.push_back(op);
        }
    }

    std::vector<tf_filter_op> ops_;
};

std::vector<tf_filter_op> compile(const Expression &reduced)
{
    if (is_open(reduced))
        return {};
    Compiler compiler;
    compiler.add(reduced, TF_JOIN_PUSH);
    return compiler.take();
}

// Of what must all hold, as much as there is room for; the rest is left to user space.
Expression fitting(const Expression &reduced)
{
    if (compile(reduced).size() <= TF_FILTER_OPS)
        return reduced;
    Expression kept;
    if (const auto *all = std::get_if<AllOf>(&reduced.node)) {
        for (const auto &part : all->parts) {
            auto more = kept;
            add_condition(more, part);
            if (compile(more).size() <= TF_FILTER_OPS)
                kept = std::move(more);
        }
    }
    return kept;
}

void collect_left(const Expression &expression, std::vector<std::string> &left)
{
    std::visit(
        [&](const auto &node) {
            using Node = std::decay_t<decltype(node)>;
            if constexpr (is_branch<Node>) {
                for (const auto &part : node.parts)
                    collect_left(part, left);
            } else if constexpr (!is_for_kernel<Node>) {
                auto text = to_text(expression);
                if (std::find(left.begin(), left.end(), text) == left.end())
                    left.push_back(std::move(text));
            }
        },
        expression.node);
}

} // namespace

KernelPart kernel_part(const Expression &expression)
{
    KernelPart part;
    part.decided = fitting(reduce(expression, false));
    part.ops = compile(part.decided);
    return part;
}

std::string explain(const Expression &expression)
{
    if (is_open(expression))
        return "no expression: everything is shown\n";
    auto reduced = reduce(expression, false);
    auto part = kernel_part(expression);
    std::vector<std::string> left;
    collect_left(expression, left);
    auto text = fmt::format("expression: {}\n\n{}\n", to_text(expression), to_tree(expression, 2));
    text += "the kernel decides, once per connection:\n";
    text += is_open(part.decided) ? "  nothing: each event is sent\n" : to_tree(part.decided, 2);
    if (part.decided != reduced)
        text += fmt::format("  (it has room for {} criteria: the others are left to user space)\n", TF_FILTER_OPS);
    text += "left to user space:\n";
    for (const auto &criterion : left)
        text += fmt::format("  {}\n", criterion);
    if (left.empty())
        text += part.decided == reduced ? "  nothing but what the kernel did not know yet\n" : "  what is not above\n";
    return text;
}

} // namespace tcpflight

#include "filter/parser.h"

#include "filter/lexer.h"
#include "filter/quote.h"
#include "filter/values.h"
#include "model/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

using Kind = Token::Kind;

// What values without a keyword of their own belong to.
struct Head {
    enum class What : std::uint8_t {
        Host,
        Net,
        Port,
        PortRange,
        Pid,
        Comm,
        Uid,
        Cgroup,
        Container,
        Netns,
        State,
        Event
    };
    What what = What::Host;
    End end = End::Either;
    std::optional<Family> family; // "ip host"
};

struct Noun {
    std::string_view word;
    Head::What what;
    std::string_view wants;
};
constexpr std::array<Noun, 12> nouns{{{"host", Head::What::Host, "an address"},
                                      {"net", Head::What::Net, "a network"},
                                      {"port", Head::What::Port, "a port"},
                                      {"portrange", Head::What::PortRange, "a range of ports"},
                                      {"pid", Head::What::Pid, "a process id"},
                                      {"comm", Head::What::Comm, "a process name"},
                                      {"uid", Head::What::Uid, "a user"},
                                      {"cgroup", Head::What::Cgroup, "the path of a cgroup"},
                                      {"container", Head::What::Container, "the id of a container"},
                                      {"netns", Head::What::Netns, "a network namespace"},
                                      {"state", Head::What::State, "a state"},
                                      {"event", Head::What::Event, "a kind of event"}}};

constexpr std::array<std::pair<std::string_view, End>, 4> end_words{
    {{"src", End::Local}, {"local", End::Local}, {"dst", End::Remote}, {"remote", End::Remote}}};

constexpr std::array<std::pair<std::string_view, Quantity>, 4> quantities{{{"duration", Quantity::Duration},
                                                                           {"retransmits", Quantity::Retransmits},
                                                                           {"rtt", Quantity::Rtt},
                                                                           {"bytes", Quantity::Bytes}}};

constexpr std::array<std::pair<std::string_view, Relation>, 7> relations{{{"<", Relation::Less},
                                                                          {"<=", Relation::LessOrEqual},
                                                                          {">", Relation::Greater},
                                                                          {">=", Relation::GreaterOrEqual},
                                                                          {"=", Relation::Equal},
                                                                          {"==", Relation::Equal},
                                                                          {"!=", Relation::NotEqual}}};

// Words that stand for themselves.
constexpr std::array<std::string_view, 5> lone_words{"tcp", "ip", "ip6", "outgoing", "incoming"};

// What pcap-filter(7) or the future has and a socket has not: why not.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> refused{
    {{"udp", "udp: only TCP is traced"},
     {"sctp", "sctp: only TCP is traced"},
     {"icmp", "icmp: only TCP is traced"},
     {"icmp6", "icmp6: only TCP is traced"},
     {"arp", "arp: only TCP is traced"},
     {"ether", "ether: a socket has no link-layer address"},
     {"gateway", "gateway: a socket has no link-layer address"},
     {"vlan", "vlan: a socket has none"},
     {"mpls", "mpls: a socket has none"},
     {"proto", "proto: only TCP is traced"},
     {"broadcast", "broadcast: TCP has none"},
     {"multicast", "multicast: TCP has none"},
     {"less", "less: packets have a length, connections have not"},
     {"greater", "greater: packets have a length, connections have not"}}};

template <typename Entry, std::size_t size>
const Entry *find_word(const std::array<Entry, size> &table, std::string_view word)
{
    auto found =
        std::find_if(table.begin(), table.end(), [&](const Entry &entry) { return std::get<0>(entry) == word; });
    return found == table.end() ? nullptr : &*found;
}

const Noun *find_noun(std::string_view word)
{
    const auto *found = std::find_if(nouns.begin(), nouns.end(), [&](const Noun &noun) { return noun.word == word; });
    return found == nouns.end() ? nullptr : found;
}

bool is_keyword(std::string_view word)
{
    return find_noun(word) != nullptr || find_word(end_words, word) != nullptr ||
           find_word(quantities, word) != nullptr || find_word(refused, word) != nullptr ||
           std::find(lone_words.begin(), lone_words.end(), word) != lone_words.end();
}

std::vector<std::string_view> all_keywords()
{
    std::vector<std::string_view> words(lone_words.begin(), lone_words.end());
    for (const auto &noun : nouns)
        words.push_back(noun.word);
    for (const auto &[word, end] : end_words)
        words.push_back(word);
    for (const auto &[word, quantity] : quantities)
        words.push_back(word);
    for (auto word : {"and", "or", "not"})
        words.emplace_back(word);
    return words;
}

// The part of the text around the place, and a caret below it.
std::string point_at(std::string_view text, std::size_t offset, std::size_t size)
{
    constexpr std::size_t before = 40;
    constexpr std::size_t width = 74;
    std::size_t begin = offset > before + 3 ? offset - before : 0;
    std::size_t end = std::min(text.size(), begin + width);
    std::string line = begin == 0 ? "" : "...";
    std::size_t column = line.size() + offset - begin;
    for (char character : text.substr(begin, end - begin)) {
        bool plain = character >= ' ' && character <= '~';
        line += plain ? character : '?'; // one column each
    }
    if (end != text.size())
        line += "...";
    auto tail = std::min(size, end > offset ? end - offset : 0);
    return fmt::format("\n    {}\n    {:{}}^{:~>{}}", line, "", column, "", tail > 1 ? tail - 1 : 0);
}

// An operand, and how deep its tree is.
struct Operand {
    Expression expression;
    int depth = 1;
};

class Parser {
public:
    Parser(std::string_view text, const Names &names) : text_(text), names_(names), tokens_(tokenize(text)) {}

    Result<Expression> parse()
    {
        if (text_.size() > max_expression_bytes)
            return failure(fmt::format("the expression is too long: give at most {} bytes", max_expression_bytes));
        if (peek().is(Kind::End))
            return Expression{};
        auto all = chain(0, [this](int depth) { return operand(depth); });
        if (!all)
            return tl::unexpected(all.error());
        if (!peek().is(Kind::End))
            return tl::unexpected(after_operand());
        return std::move(all->expression);
    }

private:
    [[nodiscard]] const Token &peek(std::size_t ahead = 0) const
    {
        return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
    }
    const Token &take()
    {
        const auto &token = peek();
        next_ = std::min(next_ + 1, tokens_.size() - 1);
        return token;
    }

    [[nodiscard]] Error error_at(const Token &token, std::string_view sentence) const
    {
        return {fmt::format("{}{}", sentence, point_at(text_, token.offset, token.size))};
    }
    [[nodiscard]] tl::unexpected<Error> fail(const Token &token, std::string_view sentence) const
    {
        return tl::unexpected(error_at(token, sentence));
    }

    static std::string shown(const Token &token) { return token.is(Kind::End) ? "the end" : quote(token.text); }

    // Something stands where "and", "or" or the end should.
    [[nodiscard]] Error after_operand() const
    {
        const auto &token = peek();
        if (token.is(Kind::Close))
            return error_at(token, "')' closes nothing: there is no '(' before it");
        if (token.is(Kind::Stray) || token.is(Kind::Unclosed))
            return error_at(token, unreadable(token));
        if (token.is(Kind::Relation))
            return error_at(
                token,
                fmt::format("{} compares nothing: give duration, retransmits, rtt or bytes before it", shown(token)));
        if (token.is(Kind::Word) && !is_keyword(token.text)) {
            std::array<std::string_view, 2> words{"and", "or"};
            if (auto near = token.text.size() > 1 ? nearest(token.text, words) : std::nullopt;
                near && token.text != "no")
                return error_at(token, fmt::format("{} is no keyword: did you mean '{}'?", shown(token), *near));
        }
        return error_at(token, fmt::format("expected 'and' or 'or' before {}", shown(token)));
    }

    static std::string unreadable(const Token &token)
    {
        if (token.is(Kind::Unclosed))
            return "this quotation mark is not closed";
        return fmt::format("a single {}: did you mean '{}{}'?", shown(token), token.text, token.text);
    }

    // operand { and-or operand }, from the left.
    template <typename ParseOperand> Result<Operand> chain(int depth, const ParseOperand &parse_operand)
    {
        auto left = parse_operand(depth);
        if (!left)
            return left;
        std::optional<Kind> last;
        while (peek().is(Kind::And) || peek().is(Kind::Or)) {
            const auto &sign = take();
            auto right = parse_operand(depth);
            if (!right)
                return right;
            left->depth = std::max(left->depth, right->depth + 1);
            if (last != sign.kind) {
                left->depth++;
                Expression both;
                both.node = sign.is(Kind::And) ? decltype(both.node)(AllOf{}) : decltype(both.node)(AnyOf{});
                parts_of(both).push_back(std::move(left->expression));
                left->expression = std::move(both);
                last = sign.kind;
            }
            parts_of(left->expression).push_back(std::move(right->expression));
            if (depth + left->depth > max_expression_depth)
                return fail(sign, too_deep);
        }
        return left;
    }

    static std::vector<Expression> &parts_of(Expression &expression)
    {
        if (auto *all = std::get_if<AllOf>(&expression.node))
            return all->parts;
        return std::get<AnyOf>(expression.node).parts;
    }

    // { not } inner
    template <typename ParseInner> Result<Operand> negatable(int depth, const ParseInner &parse_inner)
    {
        bool negated = false;
        for (; peek().is(Kind::Not); take())
            negated = !negated;
        auto inner = parse_inner(depth);
        if (!inner || !negated)
            return inner;
        NotThat negation;
        negation.parts.push_back(std::move(inner->expression));
        return Operand{{std::move(negation)}, inner->depth + 1};
    }

    template <typename ParseInside> Result<Operand> parenthesised(int depth, const ParseInside &parse_inside)
    {
        const auto &open = take();
        if (depth >= max_expression_depth)
            return fail(open, too_deep);
        auto inside = chain(depth + 1, parse_inside);
        if (!inside)
            return inside;
        if (peek().is(Kind::End))
            return fail(open, "this '(' is not closed");
        if (!peek().is(Kind::Close))
            return tl::unexpected(after_operand());
        take();
        return inside;
    }

    Result<Operand> operand(int depth)
    {
        return negatable(depth, [this](int inner) -> Result<Operand> {
            const auto &token = peek();
            if (token.is(Kind::Open))
                return parenthesised(inner, [this](int inside) { return operand(inside); });
            if (token.is(Kind::Word) && is_keyword(token.text) && !is_event_value(token))
                return primitive(inner);
            return bare_value();
        });
    }

    // "event error or state": "state" is what an event is called as well as a keyword of its own.
    [[nodiscard]] bool is_event_value(const Token &token) const
    {
        return head_ && head_->what == Head::What::Event && token.is_word("state") && !peek(1).is(Kind::Word) &&
               !peek(1).is(Kind::Quoted) && !peek(1).is(Kind::Open) && !peek(1).is(Kind::Not);
    }

    Result<Operand> bare_value()
    {
        const auto &token = peek();
        bool is_value = token.is(Kind::Word) || token.is(Kind::Quoted);
        if (head_ && is_value) {
            auto parsed = value(*head_);
            if (parsed || token.is(Kind::Quoted))
                return parsed;
            // Most likely it was to be a keyword: "port 80 or prot 443".
            bool another_follows = peek().is(Kind::Word) && !is_keyword(peek().text);
            if (auto near = nearest(token.text, all_keywords()); near && another_follows)
                return fail(token, fmt::format("{} is no keyword: did you mean '{}'?", shown(token), *near));
            return parsed;
        }
        if (is_value && (parse_address(token.text) || token.text.find('/') != std::string_view::npos)) {
            head_ = Head{};
            return value(*head_);
        }
        return tl::unexpected(no_operand(token));
    }

    [[nodiscard]] Error no_operand(const Token &token) const
    {
        if (token.is(Kind::Stray) || token.is(Kind::Unclosed))
            return error_at(token, unreadable(token));
        if (token.is(Kind::End) || !token.is(Kind::Word))
            return error_at(token, fmt::format("expected a criterion such as 'port 443' instead of {}", shown(token)));
        if (token.text.find_first_not_of("0123456789-") == std::string_view::npos)
            return error_at(token, fmt::format("{} stands alone: give a keyword before it, such as port {}",
                                               shown(token), token.text));
        if (auto near = nearest(token.text, all_keywords()))
            return error_at(token, fmt::format("{} is no keyword: did you mean '{}'?", shown(token), *near));
        return error_at(
            token, fmt::format("{} is no keyword: see FILTER EXPRESSION in tcpflight(1), or --help", shown(token)));
    }

    Result<Operand> primitive(int depth)
    {
        const auto &first = peek();
        if (const auto *why = find_word(refused, first.text))
            return fail(first, why->second);
        if (const auto *quantity = find_word(quantities, first.text))
            return comparison(quantity->second);
        if (first.is_word("outgoing") || first.is_word("incoming")) {
            head_.reset();
            return Operand{{DirectionTerm{take().text == "outgoing" ? Direction::Outgoing : Direction::Incoming}}};
        }
        return qualified(depth);
    }

    Result<Operand> comparison(Quantity quantity)
    {
        head_.reset();
        take();
        const auto *relation = peek().is(Kind::Relation) ? find_word(relations, peek().text) : nullptr;
        if (relation == nullptr)
            return fail(peek(),
                        fmt::format("expected >, >=, <, <=, = or != after {}, not {}", name(quantity), shown(peek())));
        const auto &sign = take();
        const auto &token = peek();
        if (!token.is(Kind::Word))
            return fail(token, fmt::format("expected {} after {} {}, not {}", is_time(quantity) ? "a time" : "a number",
                                           name(quantity), sign.text, shown(token)));
        auto value = parse_quantity_value(quantity, token.text);
        if (!value)
            return fail(token, value.error().message);
        bool is_exact = relation->second == Relation::Equal || relation->second == Relation::NotEqual;
        if (is_exact && is_time(quantity))
            return fail(sign, fmt::format("{} is never exactly that: give <, <=, > or >=", name(quantity)));
        take();
        return Operand{{QuantityTerm{quantity, relation->second, *value}}};
    }

    // [family | "tcp"] [ends] [noun] values
    Result<Operand> qualified(int depth)
    {
        Head head;
        const Token *protocol = nullptr;
        if (peek().is_word("tcp") || peek().is_word("ip") || peek().is_word("ip6")) {
            protocol = &take();
            if (protocol->text != "tcp")
                head.family = protocol->text == "ip" ? Family::IPv4 : Family::IPv6;
        }
        bool has_ends = find_end(peek()) != nullptr;
        if (has_ends) {
            auto ends = parse_ends();
            if (!ends)
                return tl::unexpected(ends.error());
            head.end = *ends;
            if (find_end(peek()) != nullptr)
                return fail(peek(), "an end follows another: give 'or' or 'and' between them");
        }
        const auto *noun = peek().is(Kind::Word) ? find_noun(peek().text) : nullptr;
        bool goes_with_ends = noun != nullptr && noun->what <= Head::What::PortRange;
        if (protocol != nullptr && !has_ends && !goes_with_ends)
            return alone(head);
        if (noun != nullptr && !goes_with_ends && has_ends)
            return fail(peek(), fmt::format("{} has no ends: leave out what stands before it", noun->word));
        if (noun != nullptr) {
            head.what = noun->what;
            take();
        }
        if (auto fitting = check_protocol(protocol, head); !fitting)
            return tl::unexpected(fitting.error());
        head_ = head;
        if (peek().is(Kind::Open))
            return parenthesised(depth, [this](int inside) { return listed(inside); });
        return value(head);
    }

    // "tcp", "ip" and "ip6" by themselves.
    Result<Operand> alone(const Head &head)
    {
        head_.reset();
        if (head.family)
            return Operand{{FamilyTerm{*head.family}}};
        return Operand{};
    }

    Result<void> check_protocol(const Token *protocol, const Head &head) const
    {
        if (protocol == nullptr)
            return {};
        bool is_port = head.what == Head::What::Port || head.what == Head::What::PortRange;
        if (is_port == (protocol->text == "tcp"))
            return {};
        return fail(*protocol,
                    is_port ? fmt::format("{} does not go with port: give {} and port", protocol->text, protocol->text)
                            : "tcp does not go with host or net: leave it out");
    }

    static const std::pair<std::string_view, End> *find_end(const Token &token)
    {
        return token.is(Kind::Word) ? find_word(end_words, token.text) : nullptr;
    }

    Result<End> parse_ends()
    {
        auto first = find_end(take())->second;
        bool is_pair = (peek().is(Kind::Or) || peek().is(Kind::And)) && find_end(peek(1)) != nullptr;
        // "src host A or dst host B" has its noun in between; "src or dst" has not.
        if (!is_pair)
            return first;
        auto both = take().is(Kind::And);
        const auto &token = take();
        if (find_end(token)->second == first)
            return fail(token, fmt::format("{} is the same end again: give the other one", token.text));
        return both ? End::Both : End::Either;
    }

    Result<Operand> listed(int depth)
    {
        return negatable(depth, [this](int inner) -> Result<Operand> {
            if (peek().is(Kind::Open))
                return parenthesised(inner, [this](int inside) { return listed(inside); });
            return value(*head_);
        });
    }

    // `head` may be *head_.
    Result<Operand> value(const Head &head)
    {
        const auto &token = peek();
        const auto &noun =
            *std::find_if(nouns.begin(), nouns.end(), [&](const Noun &n) { return n.what == head.what; });
        if (token.is(Kind::Stray) || token.is(Kind::Unclosed))
            return fail(token, unreadable(token));
        if (!token.is(Kind::Word) && !token.is(Kind::Quoted))
            return fail(token, fmt::format("expected {} after {}, not {}", noun.wants, noun.word, shown(token)));
        take();
        auto term = term_of(head, token);
        if (!term)
            return fail(token, term.error().message);
        return Operand{std::move(*term)};
    }

    template <typename Term> static Result<Expression> wrap(Result<Term> term)
    {
        if (!term)
            return tl::unexpected(term.error());
        return Expression{std::move(*term)};
    }

    template <typename Term> static Result<Expression> wrap_end(Result<Term> term, End end)
    {
        if (term)
            term->end = end;
        return wrap(std::move(term));
    }

    Result<Expression> term_of(const Head &head, const Token &token)
    {
        switch (head.what) {
        case Head::What::Host: return of_family(head, parse_host_value(token.text));
        case Head::What::Net: return of_family(head, parse_net_value(token.text, take_mask()));
        case Head::What::Port: return wrap_end(parse_port_value(token.text, names_), head.end);
        case Head::What::PortRange: return wrap_end(parse_port_range_value(token.text, names_), head.end);
        case Head::What::Pid: return wrap(parse_pid_value(token.text));
        case Head::What::Uid: return wrap(parse_uid_value(token.text, names_));
        case Head::What::Comm: return wrap(parse_comm_value(token.text));
        case Head::What::Cgroup: return wrap(parse_cgroup_value(token.text));
        case Head::What::Container: return wrap(parse_container_value(token.text));
        case Head::What::Netns: return wrap(parse_netns_value(token.text, names_));
        case Head::What::State: return wrap(parse_state_value(token.text));
        case Head::What::Event: break;
        }
        return wrap(parse_event_value(token.text));
    }

    static Result<Expression> of_family(const Head &head, Result<NetTerm> net)
    {
        if (net && head.family && net->address.is_v4() != (*head.family == Family::IPv4))
            return failure(fmt::format("this is not an {} address", *head.family == Family::IPv4 ? "ip" : "ip6"));
        return wrap_end(std::move(net), head.end);
    }

    std::string_view take_mask()
    {
        if (!peek().is_word("mask") || !peek(1).is(Kind::Word))
            return {};
        take();
        return take().text;
    }

    static constexpr std::string_view too_deep =
        "the expression is too deep: use fewer parentheses, or and and or less "
        "mixed";

    std::string_view text_;
    const Names &names_;
    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    std::optional<Head> head_;
};

} // namespace

Result<Expression> parse_expression(std::string_view text, const Names &names)
{
    return Parser(text, names).parse();
}

bool begins_expression(std::string_view word)
{
    const auto tokens = tokenize(word);
    const auto &first = tokens.front();
    return first.is(Kind::Open) || first.is(Kind::Not) || (first.is(Kind::Word) && is_keyword(first.text));
}

} // namespace tcpflight

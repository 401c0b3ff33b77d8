#include "filter/filter.h"

#include <utility>

namespace tcpflight {

Filter::Filter(Expression expression)
{
    if (tcpflight::is_open(expression))
        return;
    beyond_identity_ = tcpflight::asks_beyond_identity(expression);
    both_ends_ = tcpflight::is_of_both_ends(expression);
    expression_ = std::make_shared<const Expression>(std::move(expression));
}

Admission Filter::admits(const Identity &identity, Direction direction) const
{
    if (is_open())
        return Admission::Yes;
    const Subject subject{.identity = &identity, .direction = direction};
    auto answer = evaluate(*expression_, subject, {.unknown_is_no = false, .future_is_kind = true});
    if (answer != Answer::Open)
        return answer == Answer::Yes ? Admission::Yes : Admission::No;
    answer = evaluate(*expression_, subject, {.unknown_is_no = true, .future_is_kind = true});
    return answer == Answer::No ? Admission::No : Admission::Provisional;
}

Answer Filter::judge(const Subject &subject) const
{
    return is_open() ? Answer::Yes : evaluate(*expression_, subject, {.unknown_is_no = true, .future_is_kind = false});
}

const Expression &Filter::expression() const
{
    static const Expression open;
    return expression_ ? *expression_ : open;
}

Filter both(const Filter &one, const Filter &other)
{
    Expression expression = one.expression();
    add_condition(expression, other.expression());
    return Filter(std::move(expression));
}

} // namespace tcpflight

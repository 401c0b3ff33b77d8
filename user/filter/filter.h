// Which connections and events are shown. This is the truth; what the kernel decides of it (kernel_part.h) is a safe
// superset.
#pragma once

#include "filter/eval.h"
#include "filter/expression.h"
#include "model/admission.h"
#include "model/event.h"

#include <memory>
#include <string>

namespace tcpflight {

// Copies share the expression.
class Filter {
public:
    // Lets everything through.
    Filter() = default;
    explicit Filter(Expression expression);

    // Does it let everything through?
    [[nodiscard]] bool is_open() const { return expression_ == nullptr; }

    // Is the connection one the user asked for? What only events and numbers tell is not looked at (judge).
    [[nodiscard]] Admission admits(const Identity &identity, Direction direction = Direction::Unknown) const;

    // The same of one of these, at this moment: what is not known does not hold.
    [[nodiscard]] bool matches(const Identity &identity) const { return admits(identity) != Admission::No; }

    // Are there criteria that the identity alone cannot answer?
    [[nodiscard]] bool asks_beyond_identity() const { return beyond_identity_; }
    // Does it want either both ends of a connection or none?
    [[nodiscard]] bool is_of_both_ends() const { return both_ends_; }
    // Of these, the whole expression.
    [[nodiscard]] Answer judge(const Subject &subject) const;

    // Open: one that says nothing.
    [[nodiscard]] const Expression &expression() const;

    // For "listening on": "port 443 and pid 12"; empty if open. Means the same when it is parsed again.
    [[nodiscard]] std::string describe() const { return to_text(expression()); }

private:
    std::shared_ptr<const Expression> expression_; // null: open
    bool beyond_identity_ = false;
    bool both_ends_ = true;
};

// Lets through what both do.
Filter both(const Filter &one, const Filter &other);

} // namespace tcpflight

// What each verdict means, by which rule it falls, and what to look at next: for `tcpflight explain` and
// docs/verdicts.md, which is made from it.
#pragma once

#include "model/verdict.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcpflight {

struct VerdictEntry {
    VerdictKind kind;
    std::string_view meaning; // sentences
    std::string_view rule;    // from which events it follows
    std::string_view source;  // RFC and section, or file of the kernel
    std::string_view look;    // at what next; empty: nothing has to be done
};

// In the order of VerdictKind, one for each.
std::span<const VerdictEntry> verdict_catalogue();

// For people: name, severity and the entry, in lines of at most 80 columns.
std::string explain(VerdictKind kind);
// All thresholds, likewise: `tcpflight explain thresholds`.
std::string explain_thresholds();
// The names with their severity, a line each.
std::string list_verdicts();
// The name that was probably meant: other case, '_' for '-', a letter or two wrong, or its begin. None: there is none.
std::optional<std::string_view> nearest_verdict(std::string_view given);
// docs/verdicts.md.
std::string verdicts_document();

} // namespace tcpflight

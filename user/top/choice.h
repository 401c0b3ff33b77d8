// Which rows are shown: the filter line, which speaks the language of filter expressions about what is on the screen.
#pragma once

#include "filter/filter.h"
#include "filter/names.h"
#include "model/result.h"
#include "top/row.h"

#include <cstdint>
#include <string_view>

namespace tcpflight {

// An error is a sentence, and of the grammar two lines more: the place, and a caret below it. Events and bytes are not
// known of a row, and refused.
Result<Filter> parse_choice(std::string_view text, const Names &names);

// As it is now: a number that is not known yet does not hold.
bool is_chosen(const Filter &filter, const Row &row, std::uint64_t now_ns);

} // namespace tcpflight

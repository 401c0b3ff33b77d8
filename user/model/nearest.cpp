#include "model/nearest.h"

#include <algorithm>
#include <vector>

namespace tcpflight {

std::size_t edit_distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> two_above(right.size() + 1);
    std::vector<std::size_t> above(right.size() + 1);
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t column = 0; column <= right.size(); ++column)
        row[column] = column;
    for (std::size_t line = 1; line <= left.size(); ++line) {
        two_above.swap(above);
        above.swap(row);
        row[0] = line;
        for (std::size_t column = 1; column <= right.size(); ++column) {
            std::size_t changed = above[column - 1] + (left[line - 1] == right[column - 1] ? 0 : 1);
            row[column] = std::min({changed, above[column] + 1, row[column - 1] + 1});
            bool exchanged =
                line > 1 && column > 1 && left[line - 1] == right[column - 2] && left[line - 2] == right[column - 1];
            if (exchanged)
                row[column] = std::min(row[column], two_above[column - 2] + 1);
        }
    }
    return row.back();
}

std::optional<std::string_view> nearest(std::string_view given, std::span<const std::string_view> words)
{
    constexpr std::size_t longest = 32; // nothing that is known is longer, and the work grows with the square
    if (given.size() < 2 || given.size() > longest)
        return std::nullopt;
    std::optional<std::string_view> best;
    // A third of the letters: "prot" may become "port", "xy" may not become "pid".
    std::size_t best_distance = std::max<std::size_t>(given.size() / 3, 1) + 1;
    for (auto word : words) {
        bool one_begins_the_other = word.starts_with(given) || given.starts_with(word);
        std::size_t edits = one_begins_the_other ? 1 : edit_distance(given, word);
        if (edits < best_distance) {
            best = word;
            best_distance = edits;
        }
    }
    return best;
}

} // namespace tcpflight

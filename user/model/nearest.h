// What a word that nobody knows was probably meant to be.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace tcpflight {

// Edits that turn one into the other: a letter more, less or changed, or two neighbours exchanged.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The nearest of `words`, by a third of the letters at most or by its beginning. None: nothing is near.
std::optional<std::string_view> nearest(std::string_view given, std::span<const std::string_view> words);

} // namespace tcpflight

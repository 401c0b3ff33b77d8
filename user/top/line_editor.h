// A line of text that is being typed.
#pragma once

#include "top/key.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tcpflight {

class LineEditor {
public:
    explicit LineEditor(std::string text = {}) : text_(std::move(text)), cursor_(text_.size()) {}

    // Keys that do not edit are passed over.
    void take(const Key &key);

    [[nodiscard]] const std::string &text() const { return text_; }
    [[nodiscard]] std::size_t cursor() const { return cursor_; }

    // The part that `width` columns (at least 1) have room for, the cursor within; and where that is.
    [[nodiscard]] std::pair<std::string_view, std::size_t> window(std::size_t width) const;

    // More is not taken.
    static constexpr std::size_t max_size = 4096;

private:
    std::string text_;
    std::size_t cursor_;
};

} // namespace tcpflight

// A filter expression in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tcpflight {

struct Token {
    enum class Kind : std::uint8_t {
        Word,   // anything without blanks and the signs below
        Quoted, // between ' or ": `text` is what stands in between, backslashes included
        Open,
        Close,
        And, // "and", "&&"
        Or,  // "or", "||"
        Not, // "not", "!"
        Relation,
        End,
        Unclosed, // a quotation that does not end
        Stray,    // a single "&" or "|"
    };
    Kind kind = Kind::End;
    std::size_t offset = 0; // bytes from the begin of the text
    std::size_t size = 0;   // in the text, quotation marks included; 0 at the end
    std::string_view text;

    [[nodiscard]] bool is(Kind other) const { return kind == other; }
    [[nodiscard]] bool is_word(std::string_view word) const { return kind == Kind::Word && text == word; }
};

// The last is End. The tokens look into `text`.
std::vector<Token> tokenize(std::string_view text);

} // namespace tcpflight

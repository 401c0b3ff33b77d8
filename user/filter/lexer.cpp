#include "filter/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tcpflight {
namespace {

constexpr std::string_view blanks = " \t\n\r\v\f";
constexpr std::string_view quotation_marks = "'\"";
// What ends a word, apart from blanks and quotation marks.
constexpr std::string_view signs = "()!<>=&|";

// Longer ones before their beginnings.
constexpr std::array<std::pair<std::string_view, Token::Kind>, 14> fixed{{{"(", Token::Kind::Open},
                                                                          {")", Token::Kind::Close},
                                                                          {"&&", Token::Kind::And},
                                                                          {"||", Token::Kind::Or},
                                                                          {"!=", Token::Kind::Relation},
                                                                          {"!", Token::Kind::Not},
                                                                          {"<=", Token::Kind::Relation},
                                                                          {">=", Token::Kind::Relation},
                                                                          {"==", Token::Kind::Relation},
                                                                          {"<", Token::Kind::Relation},
                                                                          {">", Token::Kind::Relation},
                                                                          {"=", Token::Kind::Relation},
                                                                          {"&", Token::Kind::Stray},
                                                                          {"|", Token::Kind::Stray}}};

// A backslash takes a byte with it.
std::size_t word_size(std::string_view rest)
{
    std::size_t size = 0;
    while (size < rest.size()) {
        char character = rest[size];
        if (character == '\\') {
            size = std::min(size + 2, rest.size());
            continue;
        }
        if (blanks.find(character) != std::string_view::npos || signs.find(character) != std::string_view::npos ||
            quotation_marks.find(character) != std::string_view::npos)
            break;
        size++;
    }
    return size;
}

Token quoted(std::string_view rest)
{
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != rest[0])
        end += rest[end] == '\\' ? 2U : 1U;
    if (end >= rest.size())
        return {.kind = Token::Kind::Unclosed, .offset = 0, .size = rest.size(), .text = rest};
    return {.kind = Token::Kind::Quoted, .offset = 0, .size = end + 1, .text = rest.substr(1, end - 1)};
}

Token next_token(std::string_view rest)
{
    if (quotation_marks.find(rest.front()) != std::string_view::npos)
        return quoted(rest);
    for (const auto &[text, kind] : fixed) {
        if (rest.starts_with(text))
            return {.kind = kind, .offset = 0, .size = text.size(), .text = text};
    }
    auto word = rest.substr(0, word_size(rest));
    auto kind = word == "and"   ? Token::Kind::And
                : word == "or"  ? Token::Kind::Or
                : word == "not" ? Token::Kind::Not
                                : Token::Kind::Word;
    return {.kind = kind, .offset = 0, .size = word.size(), .text = word};
}

} // namespace

std::vector<Token> tokenize(std::string_view text)
{
    std::vector<Token> tokens;
    std::size_t at = 0;
    while ((at = text.find_first_not_of(blanks, at)) != std::string_view::npos) {
        auto token = next_token(text.substr(at));
        token.offset = at;
        at += token.size;
        tokens.push_back(token);
    }
    tokens.push_back({.kind = Token::Kind::End, .offset = text.size(), .size = 0, .text = {}});
    return tokens;
}

} // namespace tcpflight

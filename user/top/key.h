// What was typed: the bytes of a terminal (ECMA-48, xterm's sequences for the keys of a PC) as keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

struct Key {
    enum class Kind : std::uint8_t {
        Char, // `letter`, printable ASCII
        Enter,
        Escape,
        Backspace,
        Delete,
        Up,
        Down,
        Left,
        Right,
        PageUp,
        PageDown,
        Home,
        End,
        Help,      // F1
        Redraw,    // ^L
        EraseLine, // ^U
        EraseWord, // ^W
    };
    Kind kind = Kind::Char;
    char letter = '\0';

    bool operator==(const Key &) const = default;
};

// Sequences may come in pieces. What is not known is passed over.
class KeyReader {
public:
    std::vector<Key> read(std::string_view bytes);

    // Was the last byte an ESC, or a sequence that is not over? Then it may be the key itself, if nothing follows.
    [[nodiscard]] bool is_open() const { return !rest_.empty(); }
    // Nothing has followed.
    std::vector<Key> close();

private:
    std::string rest_;
};

} // namespace tcpflight

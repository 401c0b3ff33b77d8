#include "top/key.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tcpflight {
namespace {

using Kind = Key::Kind;

constexpr char escape = '\x1b';

// What follows ESC, without parameters for modifiers.
constexpr std::array<std::pair<std::string_view, Kind>, 24> sequences{
    {{"[A", Kind::Up},     {"[B", Kind::Down},    {"[C", Kind::Right},     {"[D", Kind::Left},    {"OA", Kind::Up},
     {"OB", Kind::Down},   {"OC", Kind::Right},   {"OD", Kind::Left},      {"[H", Kind::Home},    {"[F", Kind::End},
     {"OH", Kind::Home},   {"OF", Kind::End},     {"[1~", Kind::Home},     {"[4~", Kind::End},    {"[7~", Kind::Home},
     {"[8~", Kind::End},   {"[5~", Kind::PageUp}, {"[6~", Kind::PageDown}, {"[3~", Kind::Delete}, {"OP", Kind::Help},
     {"[11~", Kind::Help}, {"[[A", Kind::Help},   {"OM", Kind::Enter},     {"[P", Kind::Help}}};

std::optional<Key> find(std::string_view sequence)
{
    const auto *found =
        std::find_if(sequences.begin(), sequences.end(), [&](const auto &known) { return known.first == sequence; });
    if (found == sequences.end())
        return std::nullopt;
    return Key{.kind = found->second};
}

// Does a sequence begin behind an ESC, as far as can be told? Otherwise it was the key itself.
bool begins_sequence(std::string_view text)
{
    return text.empty() || text.front() == '[' || text.front() == 'O';
}

// How many bytes the sequence behind an ESC takes: a CSI until its final byte, an SS3 one more. 0: it is not over.
std::size_t sequence_size(std::string_view text)
{
    if (text.empty())
        return 0;
    if (text.front() == 'O')
        return text.size() > 1 ? 2 : 0;
    if (text.size() > 1 && text[1] == '[') // the Linux console's F1
        return text.size() > 2 ? 3 : 0;
    const auto *const last = std::find_if(text.begin() + 1, text.end(), [](char c) { return c >= '@' && c <= '~'; });
    return last == text.end() ? 0 : static_cast<std::size_t>(last - text.begin()) + 1;
}

std::optional<Key> control(char byte)
{
    constexpr char ctrl_a = 1;
    constexpr char ctrl_e = 5;
    constexpr char ctrl_b = 2;
    constexpr char ctrl_f = 6;
    constexpr char ctrl_h = 8;
    constexpr char ctrl_l = 12;
    constexpr char ctrl_n = 14;
    constexpr char ctrl_p = 16;
    constexpr char ctrl_u = 21;
    constexpr char ctrl_w = 23;
    constexpr char rubout = 127;
    switch (byte) {
    case '\r':
    case '\n': return Key{.kind = Kind::Enter};
    case ctrl_a: return Key{.kind = Kind::Home};
    case ctrl_e: return Key{.kind = Kind::End};
    case ctrl_b: return Key{.kind = Kind::PageUp};
    case ctrl_f: return Key{.kind = Kind::PageDown};
    case ctrl_n: return Key{.kind = Kind::Down};
    case ctrl_p: return Key{.kind = Kind::Up};
    case ctrl_h:
    case rubout: return Key{.kind = Kind::Backspace};
    case ctrl_l: return Key{.kind = Kind::Redraw};
    case ctrl_u: return Key{.kind = Kind::EraseLine};
    case ctrl_w: return Key{.kind = Kind::EraseWord};
    default: break;
    }
    if (byte < ' ' || byte > '~')
        return std::nullopt;
    return Key{.kind = Kind::Char, .letter = byte};
}

} // namespace

std::vector<Key> KeyReader::read(std::string_view bytes)
{
    constexpr std::size_t longest = 32; // no key has such a sequence
    rest_ += bytes;
    std::vector<Key> keys;
    std::string_view text = rest_;
    while (!text.empty()) {
        std::optional<Key> key;
        std::size_t size = 1;
        if (text.front() == escape && !begins_sequence(text.substr(1))) {
            key = Key{.kind = Kind::Escape};
        } else if (text.front() == escape) {
            const auto follows = sequence_size(text.substr(1));
            if (follows == 0 && text.size() < longest)
                break;
            key = find(text.substr(1, follows));
            size += follows;
        } else {
            key = control(text.front());
        }
        if (key)
            keys.push_back(*key);
        text.remove_prefix(size);
    }
    rest_ = std::string(text);
    return keys;
}

std::vector<Key> KeyReader::close()
{
    const bool alone = rest_.size() == 1;
    rest_.clear();
    return alone ? std::vector<Key>{{.kind = Kind::Escape}} : std::vector<Key>();
}

} // namespace tcpflight

// States by their names. Two for nearly every line: they lie ready, padded, so that a copy is a move or two.
#pragma once

#include "model/tcp_state.h"
#include "sink/line_writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tcpflight {

class StateText {
public:
    explicit StateText(bool color);

    void put(LineWriter &line, TcpState state) const;
    // "CLOSE -> SYN_SENT".
    void put_change(LineWriter &line, TcpState from, TcpState to) const;

private:
    template <std::size_t Room> struct Padded {
        std::array<char, Room> text{};
        std::uint8_t size = 0;

        Padded() = default;
        explicit Padded(std::string_view of) : size(static_cast<std::uint8_t>(of.copy(text.data(), Room))) {}
        void put(LineWriter &line) const { line.put_padded(text, size); }
    };
    using Name = Padded<16>;
    using Change = Padded<32>; // "NEW_SYN_RECV -> ESTABLISHED" takes 27

    bool color_;
    std::array<Name, tcp_states> names_;
    std::array<std::array<Change, tcp_states>, tcp_states> changes_; // without colours
};

} // namespace tcpflight

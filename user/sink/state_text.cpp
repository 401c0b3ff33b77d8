#include "sink/state_text.h"

#include "sink/color.h"

#include <string>

namespace tcpflight {
namespace {

// Of its name: 0 for a value that is not a state.
std::size_t number_of(TcpState state)
{
    return is_valid(state) ? static_cast<std::size_t>(state) : 0;
}

std::string name_of(std::size_t number)
{
    return std::string(name(TcpState{static_cast<std::uint8_t>(number)}));
}

} // namespace

StateText::StateText(bool color) : color_(color)
{
    for (std::size_t from = 0; from < tcp_states; from++) {
        names_[from] = Name(name_of(from));
        for (std::size_t to = 0; to < tcp_states; to++)
            changes_[from][to] = Change(name_of(from) + " -> " + name_of(to));
    }
}

void StateText::put(LineWriter &line, TcpState state) const
{
    if (color_)
        line.put(color::of(state));
    names_[number_of(state)].put(line);
    if (color_)
        line.put(color::reset);
}

void StateText::put_change(LineWriter &line, TcpState from, TcpState to) const
{
    if (!color_) {
        changes_[number_of(from)][number_of(to)].put(line);
        return;
    }
    put(line, from);
    line.put(" -> ");
    put(line, to);
}

} // namespace tcpflight

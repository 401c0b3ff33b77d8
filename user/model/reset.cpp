#include "model/reset.h"

#include <array>

namespace tcpflight {
namespace {

struct Words {
    std::string_view name;
    std::string_view text;
};

constexpr std::array<Words, 22> words{{
    {"unknown", "reason not known"},
    {"kernel", "another reason"},
    {"no_socket", "no socket"},
    {"unread_data", "closed with unread data"},
    {"linger_0", "closed with linger 0"},
    {"linger2", "closed with TCP_LINGER2 below 0"},
    {"data_after_close", "data came after close"},
    {"unsent_data", "disconnected with unsent data"},
    {"disconnected", "disconnected"},
    {"aborted", "aborted"},
    {"keepalive", "keepalive timed out"},
    {"no_memory", "no memory for orphans"},
    {"time_wait", "already closed"},
    {"invalid_ack", "invalid ACK"},
    {"too_old_ack", "ACK too old"},
    {"old_ack", "old ACK"},
    {"ack_of_unsent", "ACK of what was not sent"},
    {"invalid_syn", "SYN in the middle"},
    {"flags", "flags without sense"},
    {"paws", "old timestamp"},
    {"mptcp", "refused by MPTCP"},
    {"not_accepted", "never accepted"},
}};
static_assert(words.size() == static_cast<std::size_t>(ResetReason::NotAccepted) + 1);

} // namespace

std::string_view name(ResetReason reason)
{
    return words.at(static_cast<std::size_t>(reason)).name;
}

std::string_view describe(ResetReason reason)
{
    return words.at(static_cast<std::size_t>(reason)).text;
}

} // namespace tcpflight

#include "probe/reset_reasons.h"

#include "probe/lockdown.h"
#include "tcpflight/control.h"

#include <bpf/libbpf.h>
#include <programs.skel.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// include/net/rstreason.h
constexpr std::array<std::pair<std::string_view, tf_reset_reason>, 26> names{{
    {"NOT_SPECIFIED", TF_RESET_UNKNOWN},
    {"NO_SOCKET", TF_RESET_NO_SOCKET},
    {"TCP_INVALID_ACK_SEQUENCE", TF_RESET_INVALID_ACK},
    {"TCP_RFC7323_PAWS", TF_RESET_PAWS},
    {"TCP_TOO_OLD_ACK", TF_RESET_TOO_OLD_ACK},
    {"TCP_ACK_UNSENT_DATA", TF_RESET_ACK_OF_UNSENT},
    {"TCP_FLAGS", TF_RESET_FLAGS},
    {"TCP_OLD_ACK", TF_RESET_OLD_ACK},
    {"TCP_ABORT_ON_DATA", TF_RESET_DATA_AFTER_CLOSE},
    {"TCP_TIMEWAIT_SOCKET", TF_RESET_TIME_WAIT},
    {"INVALID_SYN", TF_RESET_INVALID_SYN},
    {"TCP_ABORT_ON_CLOSE", TF_RESET_UNREAD_DATA},
    {"TCP_ABORT_ON_LINGER", TF_RESET_LINGER2},
    {"TCP_ABORT_ON_MEMORY", TF_RESET_NO_MEMORY},
    {"TCP_STATE", TF_RESET_ABORTED},
    {"TCP_KEEPALIVE_TIMEOUT", TF_RESET_KEEPALIVE},
    {"TCP_DISCONNECT_WITH_DATA", TF_RESET_UNSENT_DATA},
    {"MPTCP_RST_EUNSPEC", TF_RESET_MPTCP},
    {"MPTCP_RST_EMPTCP", TF_RESET_MPTCP},
    {"MPTCP_RST_ERESOURCE", TF_RESET_MPTCP},
    {"MPTCP_RST_EPROHIBIT", TF_RESET_MPTCP},
    {"MPTCP_RST_EWQ2BIG", TF_RESET_MPTCP},
    {"MPTCP_RST_EBADPERF", TF_RESET_MPTCP},
    {"MPTCP_RST_EMIDDLEBOX", TF_RESET_MPTCP},
    // Both stand for "none of the others".
    {"ERROR", TF_RESET_UNKNOWN},
    {"MAX", TF_RESET_UNKNOWN},
}};

tf_reset_reason reason_named(std::string_view name)
{
    constexpr std::string_view prefix = "SK_RST_REASON_";
    if (name.substr(0, prefix.size()) == prefix)
        name.remove_prefix(prefix.size());
    const auto *found =
        std::find_if(names.begin(), names.end(), [&](const auto &known) { return known.first == name; });
    return found != names.end() ? found->second : TF_RESET_OTHER;
}

} // namespace

void configure_resets(programs &skeleton, const KernelBtf &btf)
{
    auto *settings = skeleton.rodata;
    settings->may_probe_read = lockdown_mode() != "confidentiality";
    settings->reset_has_reason = btf.tracepoint_arguments("tcp_send_reset") >= 3;
    std::fill(std::begin(settings->reset_reasons), std::end(settings->reset_reasons), TF_RESET_OTHER);
    if (!settings->reset_has_reason)
        settings->reset_reasons[0] = TF_RESET_UNKNOWN;
    for (const auto &[name, number] : btf.enumerators("sk_rst_reason")) {
        if (number < std::size(settings->reset_reasons))
            settings->reset_reasons[number] = reason_named(name);
    }
}

} // namespace tcpflight

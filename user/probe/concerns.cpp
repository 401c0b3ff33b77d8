#include "probe/concerns.h"

#include <bpf/libbpf.h>
#include <programs.skel.h>

namespace tcpflight {

std::vector<Concern> concerns(programs &skeleton)
{
    const auto &programs = skeleton.progs;
    return {
        {{programs.on_transition}},
        // At once: what happens in between and it would rescue is counted as lost. Not before: it would take all for
        // itself.
        {{programs.on_nested_transition}},
        {{programs.on_retransmit}},
        {{programs.on_congestion}}, // if it was asked for
        {{programs.on_syn}},
        {{programs.on_syn_ack}},
        {{programs.on_drop, 3}, {programs.on_drop_kprobe, 3}},
        {{programs.on_request, 4}, {programs.on_request_kprobe, 4}},
        {{programs.on_reset_sent}},
        {{programs.on_reset_received}},
        {{programs.on_cgroup_made}},
        {{programs.on_graft}, {programs.on_graft_kprobe}, {programs.on_accept_exit}},
        {{programs.on_window_probe}, {programs.on_window_probe_kprobe}},
        {{programs.on_keepalive_probe}, {programs.on_keepalive_probe_kprobe}},
        {{programs.on_time_wait_segment}, {programs.on_time_wait_segment_kprobe}},
        {{programs.on_time_wait_wanted}, {programs.on_time_wait_wanted_kprobe}},
        {{programs.on_time_wait_abort}, {programs.on_time_wait_abort_kprobe}},
        {{programs.on_time_wait_taken}, {programs.on_time_wait_taken_kprobe}},
        {{programs.on_time_wait_timer}, {programs.on_time_wait_timer_kprobe}},
        {{programs.on_time_wait_schedule}, {programs.on_time_wait_schedule_kprobe}},
    };
}

} // namespace tcpflight

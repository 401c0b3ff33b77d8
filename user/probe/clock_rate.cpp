#include "probe/clock_rate.h"

#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <programs.skel.h>

#include <fstream>

namespace tcpflight {

unsigned measure_jiffy_us(programs &skeleton)
{
    long seconds = 0;
    if (!(std::ifstream("/proc/sys/net/ipv4/tcp_fin_timeout") >> seconds) || seconds <= 0)
        return 0;
    LIBBPF_OPTS(bpf_test_run_opts, options);
    if (bpf_prog_test_run_opts(bpf_program__fd(skeleton.progs.clock_rate), &options) != 0)
        return 0;
    long jiffies = skeleton.bss->fin_timeout_jiffies;
    if (jiffies <= 0 || jiffies % seconds != 0)
        return 0;
    constexpr long us_per_s = 1'000'000;
    return static_cast<unsigned>(us_per_s / (jiffies / seconds));
}

} // namespace tcpflight

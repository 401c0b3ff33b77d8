#include "probe/pushdown.h"

#include "tcpflight/control.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <programs.skel.h>

#include <algorithm>
#include <cstring>

namespace tcpflight {
namespace {

void push_ports(const std::shared_ptr<const PortSet> &ports, tf_port_end end, programs &skeleton)
{
    if (!ports)
        return;
    skeleton.rodata->filter_ports[end] = true;
    for (std::size_t port = 0; port < ports->size(); port++) {
        if (ports->test(port))
            skeleton.rodata->wanted_ports[end][port / 64] |= 1ULL << (port % 64);
    }
}

} // namespace

void push_down(const Filter &filter, programs &skeleton)
{
    auto *settings = skeleton.rodata;
    push_ports(filter.either_port, TF_PORT_EITHER, skeleton);
    push_ports(filter.local_port, TF_PORT_LOCAL, skeleton);
    push_ports(filter.remote_port, TF_PORT_REMOTE, skeleton);
    settings->filter_families =
        static_cast<unsigned char>((filter.ipv4 ? TF_FAMILY_IPV4 : 0) | (filter.ipv6 ? TF_FAMILY_IPV6 : 0));
    settings->filter_pids = !filter.pids.empty();
    settings->filter_active = settings->filter_pids || filter.either_port || filter.local_port || filter.remote_port ||
                              !filter.ipv4 || !filter.ipv6;
    bpf_map__set_max_entries(skeleton.maps.wanted_pids,
                             static_cast<__u32>(std::max<std::size_t>(filter.pids.size(), 1)));
}

Result<void> fill_pids(const Filter &filter, programs &skeleton)
{
    int map = bpf_map__fd(skeleton.maps.wanted_pids);
    for (__u32 pid : filter.pids) {
        __u8 listed = 1;
        if (int error = bpf_map_update_elem(map, &pid, &listed, BPF_ANY); error != 0)
            return failure(fmt::format("cannot tell the kernel about --pid {}: {}", pid, std::strerror(-error)));
    }
    return {};
}

} // namespace tcpflight

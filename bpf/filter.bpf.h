/*
 * The kernel's part of the filter. It is decided once per connection and must never refuse what user space would keep:
 * what cannot be known here counts as wanted, or stays open until it can.
 */
#ifndef TCPFLIGHT_FILTER_BPF_H
#define TCPFLIGHT_FILTER_BPF_H

#include <bpf/bpf_endian.h>

#include "emit.bpf.h"
#include "maps.bpf.h"

static __always_inline _Bool is_v4_mapped(const struct event *e)
{
	return SK_FIELD(e, __sk_common.skc_v6_daddr.in6_u.u6_addr32[0]) == 0 &&
	       SK_FIELD(e, __sk_common.skc_v6_daddr.in6_u.u6_addr32[1]) == 0 &&
	       SK_FIELD(e, __sk_common.skc_v6_daddr.in6_u.u6_addr32[2]) == bpf_htonl(0xffff);
}

static __always_inline _Bool port_listed(enum tf_port_end end, __u16 port)
{
	return wanted_ports[end][port / 64] >> (port % 64) & 1;
}

static __always_inline _Bool family_wanted(const struct event *e)
{
	__u8 bit = TF_FAMILY_IPV4;
	if (SK_FIELD(e, __sk_common.skc_family) == AF_INET6 && !is_v4_mapped(e))
		bit = TF_FAMILY_IPV6;
	return filter_families & bit;
}

/*
 * A port of 0 is not known yet, and an open question stays open: the record goes out, and user space has the last word.
 * A listener has no remote port and never will. Its own port is missing only if listen(2) was called without bind(2).
 */
static __always_inline enum verdict ports_verdict(__u16 local, __u16 remote, int state)
{
	_Bool local_open = local == 0;
	_Bool remote_open = remote == 0 && state != TCP_LISTEN;

	if (filter_ports[TF_PORT_EITHER] && !port_listed(TF_PORT_EITHER, local) && !port_listed(TF_PORT_EITHER, remote))
		return local_open || remote_open ? VERDICT_OPEN : VERDICT_REFUSED;
	if (filter_ports[TF_PORT_LOCAL] && !port_listed(TF_PORT_LOCAL, local))
		return local_open ? VERDICT_OPEN : VERDICT_REFUSED;
	if (filter_ports[TF_PORT_REMOTE] && !port_listed(TF_PORT_REMOTE, remote))
		return remote_open ? VERDICT_OPEN : VERDICT_REFUSED;
	return VERDICT_WANTED;
}

/* An owner that is not known (any more) is an open question too. It is asked again when one is learned (learn_owner).
 */
static __always_inline enum verdict decide(const struct event *e)
{
	__u16 remote = bpf_ntohs(SK_FIELD(e, __sk_common.skc_dport));
	__u32 pid = e->mem.pid;

	if (!family_wanted(e))
		/* On older kernels the address, and with it "v4-mapped", comes only after LISTEN > SYN_RECV. */
		return remote || e->new_state == TCP_LISTEN ? VERDICT_REFUSED : VERDICT_OPEN;
	enum verdict ports = ports_verdict(e->port, remote, e->new_state);
	if (!filter_pids || ports == VERDICT_REFUSED)
		return ports;
	if (!pid)
		return VERDICT_OPEN;
	return bpf_map_lookup_elem(&wanted_pids, &pid) ? ports : VERDICT_REFUSED;
}

/* Should this event be sent? The answer is kept, so that a connection nobody asked for costs the look-up and this test.
 */
static __always_inline _Bool wanted(struct event *e)
{
	if (!filter_active)
		return 1;
	if (e->mem.verdict == VERDICT_OPEN) {
		if (!e->port)
			e->port = event_port(e);
		e->mem.verdict = decide(e);
	}
	if (e->mem.verdict != VERDICT_REFUSED)
		return 1;
	count(&e->stage->filtered_out);
	return 0;
}

#endif

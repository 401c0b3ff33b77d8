/* The bounds of a connection's timers, as the kernel has them: include/net/tcp.h */
#ifndef TCPFLIGHT_TIMERS_BPF_H
#define TCPFLIGHT_TIMERS_BPF_H

#include <bpf/bpf_core_read.h>

#include "emit.bpf.h"
#include "maps.bpf.h"

#define RTO_MIN_MS 200    /* TCP_RTO_MIN */
#define RTO_MAX_MS 120000 /* TCP_RTO_MAX */

static __always_inline __u32 jiffies_to_ms(__u64 jiffies)
{
	return jiffies * jiffy_us / 1000;
}

/* Each socket has its own since Linux 6.15. */
static __always_inline __u32 rto_max_ms(const struct tcp_sock *tp, _Bool untyped)
{
	if (!bpf_core_field_exists(tp->inet_conn.icsk_rto_max))
		return RTO_MAX_MS;
	return jiffies_to_ms(FIELD(tp, inet_conn.icsk_rto_max, untyped));
}

#endif

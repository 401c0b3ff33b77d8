/*
 * How long a handshake took is known at its end, even where its begin was not traced: the kernel has just measured the
 * time from the SYN-ACK to its ACK (tcp_synack_rtt_meas() in net/ipv4/tcp_input.c), to the microsecond, if the SYN-ACK
 * went once.
 */
#ifndef TCPFLIGHT_SYN_QUEUE_BPF_H
#define TCPFLIGHT_SYN_QUEUE_BPF_H

#include "emit.bpf.h"
#include "maps.bpf.h"

#define US_PER_MS 1000

/*
 * Otherwise (retransmitted, or a SYN cookie) it comes from the time stamps: to a millisecond, and with a cookie in its
 * low bits. Such a time cannot be told from one that was measured to be whole milliseconds.
 */
static __always_inline __u32 measured_us(const struct tcp_sock *tp)
{
	const struct tcp_sock___usec *usec = (const void *)tp;
	__u32 rtt_us = tp->srtt_us >> 3;

	if (tp->total_retrans || rtt_us % US_PER_MS == 0)
		return 0;
	if (bpf_core_field_exists(usec->tcp_usec_ts) && BPF_CORE_READ_BITFIELD(usec, tcp_usec_ts))
		return 0;
	return rtt_us;
}

/* At SYN_RECV > ESTABLISHED. False: there is nothing to tell; the event is still to be sent. */
static __noinline int tell_syn_queue(struct event *e, enum sending how)
{
	struct tcp_sock *tp = e->sk ? (void *)bpf_skc_to_tcp_sock((void *)e->sk) : NULL;
	struct tf_syn_queue queue = {};

	if (syns_are_seen || !tp)
		return 0;
	queue.waited_us = measured_us(tp);
	if (!queue.waited_us)
		return 0;
	e->flags = TF_FLAG_SYN_QUEUE;
	send_event(e, (struct body){&queue, sizeof(queue)}, metrics_everywhere ? tp : NULL, how);
	return 1;
}

#endif

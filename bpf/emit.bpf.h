/* Filling in and sending records; counting those that could not be sent. */
#ifndef TCPFLIGHT_EMIT_BPF_H
#define TCPFLIGHT_EMIT_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "maps.bpf.h"
#include "tcpflight/records.h"

static __always_inline struct tf_cpu_counters *this_cpu_counters(void)
{
	return &counters[bpf_get_smp_processor_id() & (TF_CPU_LINES - 1)];
}

static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/*
 * Say where the gap is: the first record that gets through after a loss on this CPU is preceded by the news of it. If
 * that does not get through either, the gap is not over.
 */
static __always_inline void report_loss(struct tf_cpu_counters *line, __u64 now)
{
	struct {
		struct tf_header header;
		struct tf_loss loss;
	} * rec;
	__u64 total = line->ring_full;

	if (__builtin_expect(total == line->reported, 1))
		return;
	rec = bpf_ringbuf_reserve(&ring, sizeof(*rec), 0);
	if (!rec)
		return;
	__builtin_memset(rec, 0, sizeof(*rec));
	rec->header.time_ns = now;
	rec->header.type = TF_RECORD_LOST;
	rec->loss.total = total;
	rec->loss.cpu = bpf_get_smp_processor_id() & (TF_CPU_LINES - 1);
	rec->loss.reason = TF_LOSS_RING_FULL;
	line->reported = total;
	bpf_ringbuf_submit(rec, 0);
}

/* One event of a socket, as the programs pass it along. */
struct event {
	const struct sock *sk;
	struct remembered *mem; /* NULL: the kernel had no memory for it */
	struct tf_cpu_counters *line;
	__u64 now;
	__u16 port;
	__u8 type;
	__u8 old_state;
	__u8 new_state;
	__u8 flags;
};

/* What a retransmission adds. */
struct segment {
	const struct sk_buff *skb;
	int error;
};

/* The port is given back before > CLOSE is traced: then inet_sport still has it. Host order; 0: none chosen yet. */
static __always_inline __u16 local_port(const struct sock *sk)
{
	__u16 port = sk->__sk_common.skc_num;
	if (port)
		return port;
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	return tp ? bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport) : 0;
}

static __always_inline void fill_addresses(struct tf_identity *id, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	__u32 *local = (__u32 *)id->local_addr;
	__u32 *remote = (__u32 *)id->remote_addr;

	if (common->skc_family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			local[i] = common->skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			remote[i] = common->skc_v6_daddr.in6_u.u6_addr32[i];
		}
		return;
	}
	local[0] = remote[0] = 0;
	local[1] = remote[1] = 0;
	local[2] = remote[2] = bpf_htonl(0xffff);
	local[3] = common->skc_rcv_saddr;
	remote[3] = common->skc_daddr;
}

static __always_inline __u64 cgroup_id(const struct sock *sk)
{
	if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return 0;
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;
	return cgroup ? cgroup->kn->id : 0;
}

static __always_inline void fill_identity(struct tf_identity *id, const struct sock *sk, const struct remembered *mem,
					  __u16 port)
{
	fill_addresses(id, sk);
	id->cgroup = cgroup_id(sk);
	id->netns = sk->__sk_common.skc_net.net->ns.inum;
	id->uid = sk->sk_uid.val;
	id->local_port = port;
	id->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	id->family = sk->__sk_common.skc_family;
	id->reserved = 0;
	__u64 *comm = (__u64 *)id->comm;
	if (mem) {
		id->pid = mem->pid;
		id->tid = mem->tid;
		id->owner_source = mem->source;
		comm[0] = mem->comm[0];
		comm[1] = mem->comm[1];
	} else {
		id->pid = id->tid = 0;
		id->owner_source = TF_OWNER_UNKNOWN;
		comm[0] = comm[1] = 0;
	}
}

static __always_inline void fill_metrics(struct tf_metrics *m, const struct sock *sk, const struct tcp_sock *tp,
					 int state)
{
	m->rtt_us = tp->srtt_us >> 3;
	m->rttvar_us = tp->rttvar_us;
	m->rto_us = tp->inet_conn.icsk_rto * jiffy_us;
	m->cwnd = tp->snd_cwnd;
	m->ssthresh = tp->snd_ssthresh;
	m->send_queue = tp->write_seq - tp->snd_una;
	m->recv_queue = state == TCP_LISTEN ? sk->sk_ack_backlog : tp->rcv_nxt - tp->copied_seq;
	/* tcp_packets_in_flight() in include/net/tcp.h */
	m->in_flight = tp->packets_out - (tp->sacked_out + tp->lost_out) + tp->retrans_out;
}

static __always_inline __u16 segment_flags(const void *cb)
{
	const void *field = cb + bpf_core_field_offset(struct tcp_skb_cb, tcp_flags);
	return bpf_core_field_size(struct tcp_skb_cb, tcp_flags) == 1 ? *(__u8 *)field : *(__u16 *)field;
}

static __always_inline void fill_retransmission(struct tf_retransmission *r, const struct tcp_sock *tp,
						const struct segment *segment)
{
	const void *cb = segment->skb->cb;

	r->bytes_acked = tp->bytes_acked;
	r->seq = *(__u32 *)(cb + bpf_core_field_offset(struct tcp_skb_cb, seq));
	r->end_seq = *(__u32 *)(cb + bpf_core_field_offset(struct tcp_skb_cb, end_seq));
	r->snd_una = tp->snd_una;
	r->tcp_flags = segment_flags(cb);
	r->send_error = segment->error;
	r->ca_state = BPF_CORE_READ_BITFIELD(&tp->inet_conn, icsk_ca_state);
	r->rto_count = tp->inet_conn.icsk_retransmits;
	r->backoff = tp->inet_conn.icsk_backoff;
	r->timer = tp->inet_conn.icsk_pending;
	r->total = tp->total_retrans;
}

/*
 * Reserve, fill and submit one record. `segment` (or NULL), `metrics` (its tcp_sock, or NULL) and `identity` say which
 * blocks it has. Inlined with constants for all but the pointers' values, so that every reserve has a constant size.
 */
static __always_inline _Bool send_blocks(const struct event *e, const struct segment *segment,
					 const struct tcp_sock *tp, _Bool metrics, _Bool identity)
{
	const __u32 metrics_at = sizeof(struct tf_header) + (segment ? sizeof(struct tf_retransmission) : 0);
	const __u32 identity_at = metrics_at + (metrics ? sizeof(struct tf_metrics) : 0);
	const __u32 size = identity_at + (identity ? sizeof(struct tf_identity) : 0);
	void *rec = bpf_ringbuf_reserve(&ring, size, 0);

	if (!rec)
		return 0;
	struct tf_header *h = rec;
	h->time_ns = e->now;
	h->cookie = bpf_get_socket_cookie((void *)e->sk);
	h->type = e->type;
	h->flags = e->flags | (metrics ? TF_FLAG_METRICS : 0) | (identity ? TF_FLAG_IDENTITY : 0);
	h->local_port = e->port;
	h->old_state = e->old_state;
	h->new_state = e->new_state;
	h->error = e->sk->sk_err;
	if (segment)
		fill_retransmission(rec + sizeof(*h), tp, segment);
	if (metrics)
		fill_metrics(rec + metrics_at, e->sk, tp, e->new_state);
	if (identity)
		fill_identity(rec + identity_at, e->sk, e->mem, e->port);
	bpf_ringbuf_submit(rec, 0);
	return 1;
}

/*
 * Send an event, with the identity if that was not said yet.
 *
 * An identity that is not whole does not count as said: on kernels up to 6.12 a child's remote end is not set at
 * LISTEN > SYN_RECV, and its next record says it again. (A local port missing at SYN_SENT is in every later header.)
 * Nor does one that was not sent: so a loss heals itself. User space forgets a socket at CLOSE; should anything follow,
 * that begins anew.
 */
static __always_inline void send_event(const struct event *e, const struct segment *segment, const struct tcp_sock *tp)
{
	_Bool said = e->mem && e->mem->said == say_epoch;
	_Bool sent;

	report_loss(e->line, e->now);
	if (tp)
		sent = said ? send_blocks(e, segment, tp, 1, 0) : send_blocks(e, segment, tp, 1, 1);
	else
		sent = said ? send_blocks(e, NULL, NULL, 0, 0) : send_blocks(e, NULL, NULL, 0, 1);
	if (!sent)
		count(&e->line->ring_full);

	if (!e->mem)
		return;
	if (e->new_state == TCP_CLOSE)
		e->mem->said = 0;
	else if (sent && !said && (e->sk->__sk_common.skc_dport || e->new_state == TCP_LISTEN))
		e->mem->said = say_epoch;
}

#endif

/* Filling in and sending records; counting those that could not be sent. */
#ifndef TCPFLIGHT_EMIT_BPF_H
#define TCPFLIGHT_EMIT_BPF_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "maps.bpf.h"
#include "memory.bpf.h"
#include "owner.bpf.h"
#include "tcpflight/records.h"

/* One event of a socket, as the programs pass it along. */
struct event {
	const struct sock *sk;
	struct task_struct *task; /* the owner, if it caused the event; otherwise NULL */
	struct tf_stage *stage;   /* of this CPU */
	__u64 cookie;
	__u64 time_ns; /* when it happened, if not just now; otherwise 0 */
	struct remembered mem;
	struct kept_owner owner; /* as it is to be told; set by find_owner(), as the next two */
	__u64 cgroup;            /* of the socket */
	__u32 netns;
	__u16 port; /* local; 0: none chosen yet, or given back already */
	__u8 type;
	__u8 old_state;
	__u8 new_state;
	_Bool placed; /* its place is to be told */
	__u8 flags;   /* of enum tf_record_flag, those that tell of a block in the body, and TF_FLAG_OWNED */
	__u8 left;    /* at > CLOSE, the state in which the connection goes on without a socket; or 0 */
	__u16 undone; /* at > CLOSE with an error, the upper bits of header.error; or 0 */
	/*
	 * `sk` was found by following pointers, and the verifier does not know it for a socket: it is read with a
	 * helper, which costs time. A constant wherever it is used, and of eight bytes, so that the verifier knows it
	 * for one also where it went through memory.
	 */
	__u64 untyped;
};

/*
 * TYPED_ONLY, in an object file: all its programs are handed their sockets. Then what reads others is not even
 * compiled, for the verifier to find out at each start that it is never run, and to take it out piece by piece.
 */
static __always_inline _Bool was_followed_to(const struct event *e)
{
#ifdef TYPED_ONLY
	return 0;
#else
	return e->untyped;
#endif
}

/*
 * The verifier does not always follow the constant to where it is used. Under lockdown=confidentiality it must find no
 * helper that reads memory at all, and no program is loaded that needs one.
 */
static __always_inline _Bool is_untyped(const struct event *e)
{
	return was_followed_to(e) && may_probe_read;
}

/*
 * Of a struct that the verifier knows, or, `untyped`, has to be read with a helper. Only `p` and its field are to be
 * relocated.
 */
#define FIELD(p, field, untyped) ((untyped) ? BPF_CORE_READ(p, field) : (p)->field)

/* Only `sk` and its field are to be relocated, not `e`. */
#define SK_FIELD(e, field)                                                                                             \
	({                                                                                                             \
		const struct sock *_sk = (e)->sk;                                                                      \
		is_untyped(e) ? BPF_CORE_READ(_sk, field) : _sk->field;                                                \
	})

static __always_inline _Bool was(const struct event *e, __u32 state)
{
	return unlearned(e->old_state) == state;
}

static __always_inline _Bool becomes(const struct event *e, __u32 state)
{
	return unlearned(e->new_state) == state;
}

/* The block that the record's type adds, filled in already; its size is a multiple of 8. NULL: none. */
struct body {
	const void *block;
	__u32 size;
};

static __always_inline struct tf_stage *this_cpu_stage(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&stages, &cpu);
}

static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* The time before the count: who finds it counted finds out when it was. */
static __always_inline void count_loss(struct tf_stage *stage)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (!*(volatile __u64 *)&stage->lost_since)
		*(volatile __u64 *)&stage->lost_since = now;
	*(volatile __u64 *)&stage->lost_until = now;
	count(&stage->ring_full);
}

/*
 * Host order; 0: none chosen yet. It is given back before > CLOSE is traced, and then only inet_sport still has it;
 * that is worth the detour for a socket whose port was not told before.
 */
static __always_inline __u16 local_port(const struct sock *sk)
{
	__u16 port = sk->__sk_common.skc_num;
	if (port)
		return port;
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	return tp ? bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport) : 0;
}

static __always_inline __u16 event_port(const struct event *e)
{
	const struct inet_sock *inet = (const void *)e->sk;

	return is_untyped(e) ? bpf_ntohs(BPF_CORE_READ(inet, inet_sport)) : local_port(e->sk);
}

static __always_inline void read_addresses(__u32 *local, __u32 *remote, const struct event *e)
{
	const struct sock_common *common = &e->sk->__sk_common;

	if (SK_FIELD(e, __sk_common.skc_family) == AF_INET6) {
		if (is_untyped(e)) {
			bpf_core_read(local, 16, &common->skc_v6_rcv_saddr);
			bpf_core_read(remote, 16, &common->skc_v6_daddr);
			return;
		}
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
	local[3] = SK_FIELD(e, __sk_common.skc_rcv_saddr);
	remote[3] = SK_FIELD(e, __sk_common.skc_daddr);
}

static __always_inline void fill_addresses(struct tf_identity *id, const struct event *e)
{
	read_addresses((__u32 *)id->local_addr, (__u32 *)id->remote_addr, e);
}

static __always_inline __u64 cgroup_id(const struct event *e)
{
	const struct sock *sk = e->sk;

	if (is_untyped(e) && bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
	return was_followed_to(e) ? 0 : cgroup_of(sk);
}

/* Is `sk` a request_sock? That has no more than what all sockets have in common. */
static __always_inline _Bool is_request(const struct event *e)
{
	return was(e, TCP_NEW_SYN_RECV);
}

static __always_inline __u32 netns_inode(const struct event *e)
{
	const struct sock *sk = e->sk;

	if (is_untyped(e))
		return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	return netns_of(sk);
}

static __always_inline __u8 source_of_kept(const struct event *e, const struct kept_owner *kept)
{
	_Bool is_listeners = kept->source == TF_OWNER_LISTEN || kept->source == TF_OWNER_SNAPSHOT;

	return is_listeners && !becomes(e, TCP_LISTEN) ? TF_OWNER_INHERITED : kept->source;
}

/*
 * Before an identity is told: what pointers lead to. The owner is copied: from where it came, the verifier then need
 * not remember, and follows what comes next once and not for each origin.
 */
static __always_inline void find_owner(struct event *e)
{
	struct kept_owner *kept;

	e->cgroup = cgroup_id(e);
	e->netns = netns_inode(e);
	if (e->task) {
		/* Not into `e` itself: it lives in registers, as long as nobody asks for its address. */
		struct tf_owner_place place = {};

		owner_of_task(&e->owner, e->task, e->new_state);
		if (e->type == TF_RECORD_ACCEPT)
			e->owner.source = TF_OWNER_ACCEPT;
		find_place(&place, e->cgroup);
		e->owner.place = place;
	} else if (!was_followed_to(e) && (kept = kept_owner(e->sk, e->port, e->netns)) && kept->pid == e->mem.pid) {
		e->owner = *kept;
		e->owner.source = source_of_kept(e, kept);
	}
	e->placed = (e->owner.place.cgroup | e->owner.place.pid) != 0;
}

static __always_inline void fill_owner(struct tf_identity *id, const struct event *e)
{
	id->pid = e->owner.pid;
	id->tid = e->owner.tid;
	id->owner_source = e->owner.source;
	((__u64 *)id->comm)[0] = e->owner.comm[0];
	((__u64 *)id->comm)[1] = e->owner.comm[1];
}

static __always_inline void fill_identity(struct tf_identity *id, const struct event *e)
{
	fill_addresses(id, e);
	id->cgroup = e->cgroup;
	id->netns = e->netns;
	id->uid = SK_FIELD(e, sk_uid.val);
	id->local_port = e->port;
	id->remote_port = bpf_ntohs(SK_FIELD(e, __sk_common.skc_dport));
	id->family = SK_FIELD(e, __sk_common.skc_family);
	id->reserved = 0;
	fill_owner(id, e);
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

/* Which blocks a record has; constants wherever they are used, so that every size is one too. */
struct shape {
	struct body body;
	_Bool metrics;
	_Bool identity;
	_Bool place;
	_Bool life;
};

/* What a socket's life came to ends a record. */
struct life {
	struct tf_bytes bytes;
	struct tf_traffic traffic;
};

static __always_inline __u32 size_of(struct shape shape)
{
	return sizeof(struct tf_header) + shape.body.size + (shape.metrics ? sizeof(struct tf_metrics) : 0) +
	       (shape.identity ? sizeof(struct tf_identity) : 0) + (shape.place ? sizeof(struct tf_owner_place) : 0) +
	       (shape.life ? sizeof(struct life) : 0);
}

/* SYN and FIN are counted as they come: see tcp_snd_una_update() and tcp_rcv_nxt_update() in net/ipv4/tcp_input.c. */
static __always_inline void fill_life(struct life *life, const struct sock *sk)
{
	struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	__u32 min_rtt_us;

	if (!tp) {
		*life = (struct life){};
		return;
	}
	life->bytes.acked = tp->bytes_acked;
	life->bytes.received = tp->bytes_received;
	life->traffic.bytes_retransmitted = tp->bytes_retrans;
	life->traffic.segments_sent = tp->segs_out;
	life->traffic.segments_received = tp->segs_in;
	life->traffic.data_segments_sent = tp->data_segs_out;
	life->traffic.data_segments_received = tp->data_segs_in;
	life->traffic.retransmitted = tp->total_retrans;
	life->traffic.rtt_us = tp->srtt_us >> 3;
	min_rtt_us = tp->rtt_min.s[0].v;
	life->traffic.min_rtt_us = min_rtt_us == ~0U ? 0 : min_rtt_us;
	life->traffic.cwnd = tp->snd_cwnd;
}

/* The last change of a socket that carried something. What a listener carries are its children's. */
static __always_inline _Bool ends_socket(const struct event *e)
{
	return e->type == TF_RECORD_STATE && becomes(e, TCP_CLOSE) && !was(e, TCP_LISTEN);
}

static __always_inline void fill_record(void *rec, const struct event *e, struct shape shape, const struct tcp_sock *tp,
					__u64 now)
{
	struct tf_header *h = rec;

	h->time_ns = now;
	h->cookie = e->cookie;
	h->type = e->type;
	h->flags = e->flags | (shape.metrics ? TF_FLAG_METRICS : 0) | (shape.identity ? TF_FLAG_IDENTITY : 0) |
		   (shape.place ? TF_FLAG_OWNER_PLACE : 0) | (shape.life ? TF_FLAG_BYTES | TF_FLAG_TRAFFIC : 0);
	h->local_port = e->port;
	h->old_state = e->old_state;
	h->new_state = e->new_state;
	if (e->left) {
		h->new_state = e->left;
		h->flags |= TF_FLAG_TIME_WAIT_SOCKET;
	}
	h->error = SK_FIELD(e, sk_err) | e->undone;
	rec += sizeof(*h);
	if (shape.body.size) {
		__builtin_memcpy(rec, shape.body.block, shape.body.size);
		rec += shape.body.size;
	}
	if (shape.metrics) {
		fill_metrics(rec, e->sk, tp, e->new_state);
		rec += sizeof(struct tf_metrics);
	}
	if (shape.identity) {
		fill_identity(rec, e);
		rec += sizeof(struct tf_identity);
	}
	if (shape.place) {
		*(struct tf_owner_place *)rec = e->owner.place;
		rec += sizeof(struct tf_owner_place);
	}
	if (shape.life)
		fill_life(rec, e->sk);
}

static __always_inline __u64 time_of(const struct event *e)
{
	return e->time_ns ? e->time_ns : bpf_ktime_get_boot_ns();
}

/* Into the ring at once: for events that are rare, or that interrupted the stage's own program. */
static __always_inline _Bool send_alone(const struct event *e, struct shape shape, const struct tcp_sock *tp)
{
	__u64 now = time_of(e);
	void *rec = bpf_ringbuf_reserve(&ring, size_of(shape), 0);

	if (!rec)
		return 0;
	fill_record(rec, e, shape, tp, now);
	bpf_ringbuf_submit(rec, 0);
	return 1;
}

/* The longest record that goes into a stage: those with another body do not. */
#define STAGE_RESERVE                                                                                                  \
	(sizeof(struct tf_header) + sizeof(struct tf_syn_queue) + sizeof(struct tf_metrics) +                          \
	 sizeof(struct tf_identity) + sizeof(struct tf_owner_place) + sizeof(struct life))

/* User space reads `used` and then the data: what it covers must be written before. x86 keeps stores in order. */
static __always_inline void publish(struct tf_stage *stage, __u32 used)
{
#ifdef __TARGET_ARCH_x86
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&stage->used = used;
#else
	__sync_lock_test_and_set(&stage->used, used); /* an exchange orders everything around it */
#endif
}

/* Empty the stage into the ring if it might not hold one event more. False: there is no room there. */
static __always_inline _Bool make_room(struct tf_stage *stage)
{
	__u32 used = stage->used;

	if (__builtin_expect(used <= TF_STAGE_DATA - STAGE_RESERVE, 1))
		return 1;
	stage->type = TF_ITEM_BATCH;
	stage->cpu = bpf_get_smp_processor_id();

	__u64 size = TF_STAGE_HEADER + used;
	/* Checked in the register that is passed on: up to 6.1 the verifier forgets that a copy on the stack is the
	 * same. */
	asm volatile("" : "+r"(size));
	if (size > TF_STAGE_HEADER + TF_STAGE_DATA)
		return 0; /* never, but the verifier cannot know */
	if (bpf_ringbuf_output(&ring, stage, size, BPF_RB_NO_WAKEUP))
		return 0;
	/* In this order: in between, a reader finds nothing new, instead of finding everything anew. */
	publish(stage, 0);
	*(volatile __u64 *)&stage->flushed += used;
	return 1;
}

static __always_inline void wake_reader(void)
{
	__u64 nothing = 0;

	reader_asleep = 0;
	bpf_ringbuf_output(&ring, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

/* Into this CPU's stage. Only for on_transition, while it is not interrupted by itself. */
static __always_inline _Bool send_staged(const struct event *e, struct shape shape, const struct tcp_sock *tp)
{
	struct tf_stage *stage = e->stage;
	__u64 now = time_of(e);

	if (!make_room(stage))
		return 0;
	__u32 used = stage->used;
	if (used > TF_STAGE_DATA - STAGE_RESERVE)
		return 0; /* never: make_room saw to it */
	struct tf_header *rec = (void *)&stage->data[used];
	fill_record(rec, e, shape, tp, now);
	used += size_of(shape);
	if (shape.identity && e->placed) {
		rec->flags |= TF_FLAG_OWNER_PLACE;
		*(struct tf_owner_place *)((void *)rec + size_of(shape)) = e->owner.place;
		used += sizeof(struct tf_owner_place);
	}
	if (ends_socket(e)) {
		rec->flags |= TF_FLAG_BYTES | TF_FLAG_TRAFFIC;
		fill_life((void *)&stage->data[used], e->sk);
		used += sizeof(struct life);
	}
	publish(stage, used);
	if (__builtin_expect(reader_asleep, 0))
		wake_reader();
	return 1;
}

/* How a record goes out; a constant wherever it is used. */
enum sending {
	SEND_STAGED,  /* with others: only for on_transition, while it is not interrupted by itself */
	SEND_RESCUED, /* by itself: a change of state that on_transition was not run for */
	SEND_ALONE,   /* by itself: anything else */
};

static __always_inline _Bool send_shape(const struct event *e, struct shape shape, const struct tcp_sock *tp,
					enum sending how)
{
	return how == SEND_STAGED ? send_staged(e, shape, tp) : send_alone(e, shape, tp);
}

/* What goes alone has its size from a constant: each change of state, which has no body, then has its life with it. */
static __always_inline _Bool always_life(struct body body, enum sending how)
{
	return !body.size && how == SEND_RESCUED;
}

/*
 * An owner's place is told where there is one. A record that goes alone has its size from a constant: with the
 * identity, the place is in it in any case, and may say that there is none.
 */
static __always_inline _Bool send_identity(const struct event *e, struct body body, _Bool metrics,
					   const struct tcp_sock *tp, enum sending how)
{
	return send_shape(e, (struct shape){body, metrics, 1, how != SEND_STAGED, always_life(body, how)}, tp, how);
}

static __always_inline _Bool send_news(const struct event *e, struct body body, _Bool metrics,
				       const struct tcp_sock *tp, enum sending how)
{
	if (e->type == TF_RECORD_ACCEPT && e->placed)
		return send_shape(e, (struct shape){body, metrics, 0, 1, 0}, tp, how);
	return send_shape(e, (struct shape){body, metrics, 0, 0, always_life(body, how)}, tp, how);
}

/* As send_event(), where it is known whether the identity was said. */
static __always_inline _Bool send_as(struct event *e, struct body body, const struct tcp_sock *tp, enum sending how,
				     _Bool said)
{
	_Bool sent;

	e->flags |= e->task ? TF_FLAG_OWNED : 0;
	if (!said && !e->port)
		e->port = event_port(e);
	if (!said || e->type == TF_RECORD_ACCEPT)
		find_owner(e);
	if (tp)
		sent = said ? send_news(e, body, 1, tp, how) : send_identity(e, body, 1, tp, how);
	else
		sent = said ? send_news(e, body, 0, NULL, how) : send_identity(e, body, 0, NULL, how);
	if (!sent) {
		count_loss(e->stage);
		if (e->flags & TF_FLAG_OWNED && !said && !was_followed_to(e))
			keep(e->sk, &e->owner);
	}

	if (becomes(e, TCP_CLOSE))
		forget(&e->mem);
	else if (e->type == TF_RECORD_REFUSED)
		e->mem.said = nothing; /* should it be wanted after all, everything is to be told */
	else if (sent)
		e->mem.said = say_epoch;
	return sent;
}

/*
 * Send an event, with the identity if that was not said yet. `tp`: with metrics, or NULL. No body but a
 * tf_syn_queue goes into a stage.
 *
 * An identity that was not sent does not count as said: so a loss heals itself. (A local port missing at SYN_SENT is in
 * every later header.) User space forgets a socket at CLOSE; should anything follow, that begins anew.
 *
 * False: it was not sent, and counted as lost.
 */
static __always_inline _Bool send_event(struct event *e, struct body body, const struct tcp_sock *tp, enum sending how)
{
	/* Of what is rescued, which is rare, it is always said: less for the verifier to follow at each start. */
	return send_as(e, body, tp, how, how != SEND_RESCUED && e->mem.said == (__u8)say_epoch);
}

#endif

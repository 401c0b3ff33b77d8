/*
 * Before the socket: a SYN that came, the SYN-ACK that is sent again, and a handshake of which nothing comes. The
 * kernel keeps a small thing meanwhile (struct request_sock), whose cookie the connection's socket takes over. What the
 * tracepoints do not tell is learned where programs can hang on functions. (docs/decisions/0014-handshakes.md)
 */
#include "kernel_types.h"

#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"
#include "queue.bpf.h"
#include "timers.bpf.h"

#define NS_PER_US     1000ULL
#define US_PER_SECOND 1000000U /* TCP_TIMEOUT_INIT */

struct handshake_record {
	struct tf_header header;
	struct tf_handshake handshake;
	struct tf_identity identity;
	struct tf_owner_place place;
};

/* As reqsk_timer_handler() counts, but for the hurry that it is in when the queue is long. */
static __always_inline __u8 retries_of(const struct tcp_sock *listener)
{
	const struct net *net = ((const struct sock *)listener)->__sk_common.skc_net.net;
	__u8 deferred = listener->inet_conn.icsk_accept_queue.rskq_defer_accept;
	__u8 retries = listener->inet_conn.icsk_syn_retries;

	if (!retries)
		retries = net->ipv4.sysctl_tcp_synack_retries;
	return deferred > retries ? deferred : retries;
}

static __always_inline void fill_handshake(struct tf_handshake *h, const struct tcp_sock *listener,
					   const struct request_sock *req)
{
	const struct tcp_request_sock *treq = (const void *)bpf_skc_to_tcp_request_sock((void *)req);

	if (treq) {
		if (treq->snt_synack)
			h->syn_ack_ns = bpf_ktime_get_boot_ns() - (bpf_ktime_get_ns() - treq->snt_synack * NS_PER_US);
		if (BPF_CORE_READ_BITFIELD(&treq->req, acked))
			h->bits |= TF_HANDSHAKE_ACKED;
	}
	h->timeout_us = US_PER_SECOND;
	if (bpf_core_field_exists(req->timeout))
		h->timeout_us = req->timeout * jiffy_us;
	h->rto_max_ms = rto_max_ms(listener, 0);
	h->timeouts = BPF_CORE_READ_BITFIELD(req, num_timeout);
	h->max_retries = retries_of(listener);
	h->retransmits = req->num_retrans;
}

/*
 * The tuple and the namespace are the handshake's, all else is the listener's. Not by way of find_owner(): with the
 * owner in `e` as well as in the record the stack is too small up to Linux 6.1 (512 bytes, with what is called).
 */
static __always_inline void fill_request_identity(struct tf_identity *id, struct tf_owner_place *place,
						  const struct event *e, const struct sock *listener)
{
	struct kept_owner *owner;

	id->uid = UID_UNKNOWN;
	fill_addresses(id, e);
	id->netns = netns_inode(e);
	id->local_port = e->port;
	id->remote_port = bpf_ntohs(SK_FIELD(e, __sk_common.skc_dport));
	id->family = SK_FIELD(e, __sk_common.skc_family);
	if (e->untyped)
		return;
	id->uid = listener->sk_uid.val;
	id->cgroup = cgroup_id(&(struct event){.sk = listener});
	owner = kept_owner(listener, e->port, id->netns);
	if (!owner)
		return;
	id->pid = owner->pid;
	id->tid = owner->tid;
	id->owner_source = TF_OWNER_INHERITED;
	((__u64 *)id->comm)[0] = owner->comm[0];
	((__u64 *)id->comm)[1] = owner->comm[1];
	*place = owner->place;
}

static __always_inline _Bool send_handshake(const struct event *e, const struct sock *listener,
					    const struct tf_handshake *h)
{
	_Bool said = e->mem.said == (__u8)say_epoch;
	struct handshake_record rec = {.handshake = *h};

	rec.header.time_ns = bpf_ktime_get_boot_ns();
	rec.header.cookie = e->cookie;
	rec.header.type = TF_RECORD_HANDSHAKE;
	rec.header.flags = said ? 0 : TF_FLAG_IDENTITY | TF_FLAG_OWNER_PLACE;
	rec.header.local_port = e->port;
	rec.header.old_state = e->old_state;
	rec.header.new_state = e->new_state;
	if (said)
		return !bpf_ringbuf_output(&ring, &rec, offsetof(struct handshake_record, identity), 0);
	fill_request_identity(&rec.identity, &rec.place, e, listener);
	return !bpf_ringbuf_output(&ring, &rec, sizeof(rec), 0);
}

/* `e`: the request, with its cookie. */
static __always_inline void record_handshake(struct event *e, const struct sock *listener, const struct tf_handshake *h)
{
	e->type = TF_RECORD_HANDSHAKE;
	e->old_state = TCP_NEW_SYN_RECV;
	e->new_state = h->step == TF_HANDSHAKE_ENDED ? TCP_CLOSE : TCP_NEW_SYN_RECV;
	e->port = SK_FIELD(e, __sk_common.skc_num);
	recall(&e->mem, e->cookie);
	if (!e->mem.pid && !e->untyped) {
		struct kept_owner *owner = kept_owner(listener, e->port, netns_inode(e));

		e->mem.pid = owner ? owner->pid : 0;
	}
	if (wanted(e)) {
		if (!send_handshake(e, listener, h))
			count_loss(e->stage);
		else
			e->mem.said = say_epoch;
	}
	if (h->step == TF_HANDSHAKE_ENDED)
		forget(&e->mem);
	remember(&e->mem, e->cookie);
}

static __always_inline void record_typed(const struct tcp_sock *listener, const struct request_sock *req,
					 struct tf_handshake *h)
{
	struct event e = {
		.sk = (const struct sock *)req,
		.stage = this_cpu_stage(),
	};

	if (!e.stage)
		return;
	fill_handshake(h, listener, req);
	e.cookie = bpf_get_socket_cookie((void *)req);
	record_handshake(&e, (const struct sock *)listener, h);
}

/*
 * By the timer, which is not pending then, or because the SYN came again. With TCP Fast Open the socket is there
 * already and is what sends it (tcp_fastopen_synack_timer() in net/ipv4/tcp_timer.c): its request is no handshake of a
 * listener.
 */
SEC("tp_btf/tcp_retransmit_synack")
int on_syn_ack(unsigned long long *ctx)
{
	const struct tcp_sock *listener = (void *)bpf_skc_to_tcp_sock((void *)ctx[0]);
	const struct request_sock *req = (void *)ctx[1];
	struct tf_handshake h = {.step = TF_HANDSHAKE_SYN_ACK};

	if (!listener || ((const struct sock *)listener)->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	if (!req->rsk_timer.entry.pprev)
		h.bits = TF_HANDSHAKE_TIMER;
	record_typed(listener, req, &h);
	look_at_queue(listener, 0, !(h.bits & TF_HANDSHAKE_TIMER));
	return 0;
}

SEC("fentry/inet_csk_reqsk_queue_hash_add")
int BPF_PROG(on_syn, struct sock *sk, struct request_sock *req)
{
	const struct tcp_sock *listener = (void *)bpf_skc_to_tcp_sock(sk);
	struct tf_handshake h = {.step = TF_HANDSHAKE_SYN};

	if (listener)
		record_typed(listener, req, &h);
	return 0;
}

/*
 * Also called when the socket was made, but then the request is in no chain any more. Where the timer drops it, it is
 * not pending.
 */
SEC("fentry/__inet_csk_reqsk_queue_drop")
int BPF_PROG(on_drop, struct sock *sk, struct request_sock *req)
{
	const struct tcp_sock *listener = (void *)bpf_skc_to_tcp_sock(sk);
	struct tf_handshake h = {.step = TF_HANDSHAKE_ENDED};

	if (!listener || !req->__req_common.skc_nulls_node.pprev)
		return 0;
	if (!req->rsk_timer.entry.pprev)
		h.bits |= TF_HANDSHAKE_TIMER;
	if (((const struct sock *)listener)->__sk_common.skc_state != TCP_LISTEN)
		h.bits |= TF_HANDSHAKE_NO_LISTENER;
	record_typed(listener, req, &h);
	return 0;
}

/* A request without a cookie was told nothing of. All else was told with its SYN-ACKs. */
SEC("kprobe/__inet_csk_reqsk_queue_drop")
int BPF_KPROBE(on_drop_kprobe, struct sock *sk, struct request_sock *req)
{
	struct event e = {
		.sk = (const struct sock *)req,
		.stage = this_cpu_stage(),
		.cookie = BPF_CORE_READ(req, __req_common.skc_cookie.counter),
		.untyped = 1,
	};
	struct tf_handshake h = {.step = TF_HANDSHAKE_ENDED};
	__u16 family = BPF_CORE_READ(req, __req_common.skc_family);

	if (!e.stage || !e.cookie || (family != AF_INET && family != AF_INET6) ||
	    !BPF_CORE_READ(req, __req_common.skc_nulls_node.pprev))
		return 0;
	if (!BPF_CORE_READ(req, rsk_timer.entry.pprev))
		h.bits |= TF_HANDSHAKE_TIMER;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		h.bits |= TF_HANDSHAKE_NO_LISTENER;
	h.timeouts = BPF_CORE_READ_BITFIELD_PROBED(req, num_timeout);
	h.retransmits = BPF_CORE_READ(req, num_retrans);
	record_handshake(&e, sk, &h);
	return 0;
}

/* A SYN was answered, or dropped. */
SEC("fexit/tcp_conn_request")
int BPF_PROG(on_request, void *rsk_ops, void *af_ops, struct sock *sk)
{
	const struct tcp_sock *listener = (void *)bpf_skc_to_tcp_sock(sk);

	if (listener)
		look_at_queue(listener, 1, 0);
	return 0;
}

/* A SYN came: what became of those before it? */
SEC("kprobe/tcp_conn_request")
int BPF_KPROBE(on_request_kprobe, void *rsk_ops, void *af_ops, struct sock *sk)
{
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		look_at_untyped_queue(sk, BPF_CORE_READ(sk, sk_ack_backlog));
	return 0;
}

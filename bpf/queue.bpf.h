/*
 * The queues of a listener: connections that wait to be accepted, and handshakes. No tracepoint tells of a SYN for
 * which there was no room, but the listener counts them. So it is looked at whenever something has to do with it, and
 * what was told already is remembered.
 */
#ifndef TCPFLIGHT_QUEUE_BPF_H
#define TCPFLIGHT_QUEUE_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"

#define NS_PER_SECOND 1000000000ULL
/* Not each dropped SYN of a flood is told: so many at once. */
#define TELL_DROPS_NS 10000000ULL
/* tcp_synq_overflow() notes the time of a cookie to a second. */
#define COOKIES_FRESH_US 2000000ULL

struct told_queue {
	__u32 drops;
	__u32 seen;      /* drops at the last look, told or not */
	__u32 with_room; /* see struct tf_queue */
	__u32 reserved;
	__u64 drops_ns;   /* when they were told */
	__u64 cookies_ns; /* when cookies were */
};

/* By the listener's cookie. One that was displaced is told again; user space knows what is news. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct told_queue);
} told_queues __weak SEC(".maps");

static __always_inline __u32 syn_queue_length(const struct event *e)
{
	const struct inet_connection_sock *icsk = (const void *)e->sk;

	return is_untyped(e) ? BPF_CORE_READ(icsk, icsk_accept_queue.qlen.counter)
			     : ((const struct tcp_sock *)e->sk)->inet_conn.icsk_accept_queue.qlen.counter;
}

static __always_inline _Bool sends_cookies(const struct event *e)
{
	const struct tcp_sock *tp = (const void *)e->sk;
	__u32 stamp = is_untyped(e) ? BPF_CORE_READ(tp, rx_opt.ts_recent_stamp) : tp->rx_opt.ts_recent_stamp;
	__u64 age = (__u32)bpf_jiffies64() - stamp;

	return stamp && age * jiffy_us < COOKIES_FRESH_US;
}

/*
 * `e`: the listener, with its cookie. `waiting`: how many connections were waiting for accept(2). The kernel also
 * counts segments that came for a listener and made no sense; so what was dropped is told while a queue is full
 * (`of_syn`: or when it was a SYN that was just looked at), and what is not known as overflow is told apart.
 * `answered`: 1 if a SYN came again and was answered, which will be counted as dropped in a moment (tcp_v4_rcv()), and
 * is no overflow either.
 */
static __always_inline void tell_queue(struct event *e, __u32 waiting, _Bool of_syn, __u32 answered)
{
	struct tf_queue queue = {
		.accept_queue = waiting,
		.limit = SK_FIELD(e, sk_max_ack_backlog),
		.drops = SK_FIELD(e, sk_drops.counter),
	};
	__u64 cookie = e->cookie; /* a copy: with an address, `e` would not be taken apart into constants */
	_Bool crowded, full;

	queue.syn_queue = syn_queue_length(e);
	crowded = queue.syn_queue >= queue.limit;
	if (!queue.drops && !crowded && !answered)
		return;
	if (crowded && sends_cookies(e))
		queue.bits = TF_QUEUE_COOKIES;

	struct told_queue *told = bpf_map_lookup_elem(&told_queues, &cookie);
	struct told_queue now = {};
	__u64 time_ns = bpf_ktime_get_boot_ns();
	_Bool news = 0;

	if (told)
		now = *told;
	/* One that overflowed is full until the next accept, or, most often, until a handshake's next time-out. */
	full = crowded || waiting > queue.limit;
	if (!full)
		now.with_room += queue.drops - now.seen;
	queue.with_room = now.with_room;
	now.with_room += answered;
	now.seen = queue.drops + answered;
	if ((of_syn || full) && queue.drops != now.drops && time_ns - now.drops_ns >= TELL_DROPS_NS) {
		now.drops = queue.drops;
		now.drops_ns = time_ns;
		news = 1;
	}
	if (queue.bits && time_ns - now.cookies_ns >= NS_PER_SECOND) {
		now.cookies_ns = time_ns;
		news = 1;
	}
	if (!news && told) {
		told->seen = now.seen;
		told->with_room = now.with_room;
		return;
	}
	if (!news) {
		if (queue.drops || answered)
			bpf_map_update_elem(&told_queues, &cookie, &now, BPF_ANY);
		return;
	}
	recall(&e->mem, e->cookie);
	if (!wanted(e) || send_event(e, (struct body){&queue, sizeof(queue)}, NULL, SEND_ALONE))
		bpf_map_update_elem(&told_queues, &cookie, &now, BPF_ANY);
	remember(&e->mem, e->cookie);
}

static __always_inline void look_at_queue(const struct tcp_sock *listener, _Bool of_syn, __u32 answered)
{
	const struct sock *sk = (const struct sock *)listener;
	struct event e = {
		.sk = sk,
		.stage = this_cpu_stage(),
		.type = TF_RECORD_QUEUE,
		.old_state = TCP_LISTEN,
		.new_state = TCP_LISTEN,
	};

	if (!e.stage || sk->__sk_common.skc_state != TCP_LISTEN)
		return;
	e.cookie = bpf_get_socket_cookie((void *)sk);
	e.port = sk->__sk_common.skc_num;
	tell_queue(&e, sk->sk_ack_backlog, of_syn, answered);
}

/* One that was found by following pointers. A cookie of 0 was never asked for: nothing was told of it. */
static __always_inline void look_at_untyped_queue(const struct sock *sk, __u32 waiting)
{
	struct event e = {
		.sk = sk,
		.stage = this_cpu_stage(),
		.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter),
		.type = TF_RECORD_QUEUE,
		.old_state = TCP_LISTEN,
		.new_state = TCP_LISTEN,
		.untyped = 1,
	};

	if (!e.stage || !e.cookie)
		return;
	e.port = event_port(&e);
	tell_queue(&e, waiting, 0, 0);
}

#endif

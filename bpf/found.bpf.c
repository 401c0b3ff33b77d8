/*
 * The sockets that are there, one record each: iter/tcp. It lists the reader's network namespace: listeners,
 * connections, sockets in TIME_WAIT and handshakes that are not over (Linux 5.9).
 *
 * Since Linux 5.15 it holds a connection's lock meanwhile, so that no event of that socket is under way: what is read
 * belongs between two of its events, and its time tells between which.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "maps.bpf.h"

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL

/* include/net/inet_connection_sock.h: icsk_pending */
#define ICSK_TIME_RETRANS     1
#define ICSK_TIME_PROBE0      3
#define ICSK_TIME_LOSS_PROBE  5
#define ICSK_TIME_REO_TIMEOUT 6

#define TIMEWAIT_US 60000000U /* TCP_TIMEWAIT_LEN, include/net/tcp.h */

/* sk_shutdown, include/net/sock.h */
#define RCV_SHUTDOWN  1
#define SEND_SHUTDOWN 2

static __always_inline __u32 left_us(unsigned long expires)
{
	long left = expires - bpf_jiffies64();
	return left > 0 ? left * jiffy_us : 0;
}

/* `then` and `now` are the low halves of clocks with ticks of `tick_ns`. */
static __always_inline __u64 ago(__u64 boot_now, __u32 now, __u32 then, __u64 tick_ns)
{
	return boot_now - (__u32)(now - then) * tick_ns;
}

static __always_inline unsigned long retransmit_expires(const struct tcp_sock *tp)
{
	const struct inet_connection_sock___timeout *before = (void *)tp;
	const struct sock___retransmit *after = (void *)tp;

	if (bpf_core_field_exists(before->icsk_timeout))
		return before->icsk_timeout;
	if (bpf_core_field_exists(after->tcp_retransmit_timer))
		return after->tcp_retransmit_timer.expires;
	if (bpf_core_field_exists(tp->inet_conn.icsk_retransmit_timer))
		return tp->inet_conn.icsk_retransmit_timer.expires;
	return 0;
}

static __always_inline const struct timer_list *keepalive_timer(const struct sock *sk, const struct tcp_sock *tp)
{
	const struct inet_connection_sock___keepalive *after = (void *)tp;

	return bpf_core_field_exists(after->icsk_keepalive_timer) ? &after->icsk_keepalive_timer : &sk->sk_timer;
}

/* As inet_sk_diag_fill() in net/ipv4/inet_diag.c does it. */
static __always_inline void fill_timer(struct tf_socket *s, const struct sock *sk, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct timer_list *keepalive = keepalive_timer(sk, tp);

	switch (icsk->icsk_pending) {
	case ICSK_TIME_RETRANS:
	case ICSK_TIME_LOSS_PROBE:
	case ICSK_TIME_REO_TIMEOUT:
		s->timer = TF_TIMER_RETRANSMIT;
		s->retries = icsk->icsk_retransmits;
		s->timer_left_us = left_us(retransmit_expires(tp));
		return;
	case ICSK_TIME_PROBE0:
		s->timer = TF_TIMER_PROBE;
		s->retries = icsk->icsk_probes_out;
		s->timer_left_us = left_us(retransmit_expires(tp));
		return;
	}
	if (keepalive->entry.pprev) {
		s->timer = TF_TIMER_KEEPALIVE;
		s->retries = icsk->icsk_probes_out;
		s->timer_left_us = left_us(keepalive->expires);
	}
}

/*
 * The kernel keeps no birth date. But the stamp of the last data is set when the handshake is over, and stays as long
 * as no data goes that way; and while connecting, TCP keeps the time of the first SYN.
 */
static __always_inline void fill_age(struct tf_socket *s, const struct tcp_sock *tp, int state, __u64 boot_now)
{
	const struct tcp_sock___usec *usec = (void *)tp;

	if (state == TCP_SYN_SENT) {
		__u64 mono_now = bpf_ktime_get_ns();
		__u64 tick_ns = NS_PER_MS;

		if (bpf_core_field_exists(usec->tcp_usec_ts) && BPF_CORE_READ_BITFIELD(usec, tcp_usec_ts))
			tick_ns = NS_PER_US;
		s->since_ns = ago(boot_now, mono_now / tick_ns, tp->retrans_stamp, tick_ns);
		return;
	}
	if (state == TCP_LISTEN || state == TCP_SYN_RECV || state == TCP_CLOSE)
		return;
	__u32 now = bpf_jiffies64();
	if (!tp->data_segs_out)
		s->established_ns = ago(boot_now, now, tp->lsndtime, jiffy_us * NS_PER_US);
	else if (!tp->data_segs_in)
		s->established_ns = ago(boot_now, now, tp->inet_conn.icsk_ack.lrcvtime, jiffy_us * NS_PER_US);
	if (state == TCP_ESTABLISHED)
		s->since_ns = s->established_ns;
}

static __always_inline void fill_socket(struct tf_socket *s, const struct sock *sk, const struct tcp_sock *tp,
					int state, __u64 boot_now)
{
	__s32 unread = tp->rcv_nxt - tp->copied_seq;

	s->inode = sk->sk_socket->file->f_inode->i_ino;
	s->mark = sk->sk_mark;
	s->drops = sk->sk_drops.counter;
	s->bits = (BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_ipv6only) ? TF_SOCKET_IPV6_ONLY : 0) |
		  (sk->sk_shutdown & RCV_SHUTDOWN ? TF_SOCKET_SHUT_READ : 0) |
		  (sk->sk_shutdown & SEND_SHUTDOWN ? TF_SOCKET_SHUT_WRITE : 0);
	if (state == TCP_LISTEN) {
		s->recv_queue = sk->sk_ack_backlog;
		s->send_queue = sk->sk_max_ack_backlog;
	} else {
		s->recv_queue = unread > 0 ? unread : 0;
		s->send_queue = tp->write_seq - tp->snd_una;
	}
	fill_timer(s, sk, tp);
	fill_age(s, tp, state, boot_now);
}

static __always_inline void fill_time_wait(struct tf_socket *s, const struct inet_timewait_sock *tw, __u64 boot_now)
{
	s->mark = tw->tw_mark;
	s->timer = TF_TIMER_TIME_WAIT;
	s->timer_left_us = left_us(tw->tw_timer.expires);
	if (tw->tw_substate == TCP_TIME_WAIT && s->timer_left_us <= TIMEWAIT_US)
		s->since_ns = boot_now - (TIMEWAIT_US - s->timer_left_us) * NS_PER_US;
}

static __always_inline void fill_request(struct tf_socket *s, const struct tcp_request_sock *treq, __u64 boot_now)
{
	const struct request_sock *req = &treq->req.req;

	s->timer = TF_TIMER_RETRANSMIT;
	s->retries = req->num_retrans;
	s->timer_left_us = left_us(req->rsk_timer.expires);
	if (treq->snt_synack)
		s->since_ns = boot_now - (bpf_ktime_get_ns() - treq->snt_synack * NS_PER_US);
}

/* The owner is left to user space, which asks who has the socket open (holders.bpf.c). */
static __always_inline void fill_found_identity(struct tf_identity *id, const struct sock_common *skc, __u32 uid)
{
	const struct sock *sk = (const struct sock *)skc;

	fill_addresses(id, &(struct event){.sk = sk});
	id->netns = netns_of(sk);
	id->uid = uid;
	id->local_port = skc->skc_num;
	id->remote_port = bpf_ntohs(skc->skc_dport);
	id->family = skc->skc_family;
}

struct found {
	struct tf_header header;
	struct tf_socket socket;
	struct tf_identity identity;
	struct tf_owner_place place; /* for user space to fill in, with the owner */
};

struct found_with_metrics {
	struct tf_header header;
	struct tf_socket socket;
	struct tf_metrics metrics;
	struct tf_identity identity;
	struct tf_owner_place place;
};

static __always_inline void write_with_metrics(struct seq_file *seq, const struct found *plain, const struct sock *sk,
					       const struct tcp_sock *tp)
{
	struct found_with_metrics rec = {
		.header = plain->header,
		.socket = plain->socket,
		.identity = plain->identity,
	};

	rec.header.flags |= TF_FLAG_METRICS;
	fill_metrics(&rec.metrics, sk, tp, rec.header.new_state);
	bpf_seq_write(seq, &rec, sizeof(rec));
}

SEC("iter/tcp")
int find_sockets(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct seq_file *seq = ctx->meta->seq;
	struct tcp_timewait_sock *tw;
	struct tcp_request_sock *req;
	struct tcp_sock *tp;
	struct found rec = {};

	if (!skc)
		return 0;

	__u64 now = bpf_ktime_get_boot_ns();
	int state = skc->skc_state;

	/*
	 * It was gone before the kernel came to show it: a handshake that is a connection by now, which may have ended
	 * too, or a TIME_WAIT that is over. What is still there was there at `now`.
	 */
	if (!skc->skc_nulls_node.pprev)
		return 0;
	rec.header.time_ns = now;
	rec.header.cookie = bpf_get_socket_cookie(skc);
	rec.header.type = TF_RECORD_FOUND;
	rec.header.flags = TF_FLAG_IDENTITY | TF_FLAG_OWNER_PLACE;
	rec.header.local_port = skc->skc_num;
	fill_found_identity(&rec.identity, skc, ctx->uid);

	if ((tp = bpf_skc_to_tcp_sock(skc))) {
		const struct sock *sk = (const struct sock *)tp;

		fill_socket(&rec.socket, sk, tp, state, now);
		rec.header.error = sk->sk_err;
		rec.identity.cgroup = cgroup_id(&(struct event){.sk = sk});
	} else if ((tw = bpf_skc_to_tcp_timewait_sock(skc))) {
		rec.header.flags |= TF_FLAG_TIME_WAIT_SOCKET;
		rec.identity.uid = (__u32)-1;
		state = tw->tw_sk.tw_substate;
		fill_time_wait(&rec.socket, &tw->tw_sk, now);
	} else if ((req = bpf_skc_to_tcp_request_sock(skc))) {
		fill_request(&rec.socket, req, now);
	} else {
		return 0;
	}
	rec.header.old_state = rec.header.new_state = state;
	if (was_seen(rec.header.cookie))
		rec.socket.bits |= TF_SOCKET_SEEN;
	if (tp && metrics_everywhere)
		write_with_metrics(seq, &rec, (const struct sock *)tp, tp);
	else
		bpf_seq_write(seq, &rec, sizeof(rec));
	return 0;
}

/*
 * Probes: is the other end still there (keepalive), has it room again (zero window)? No tracepoint tells; where
 * programs can hang on functions, these do. Routine is not news: the first keepalive probe after a silence is told with
 * -v only, as is all that gets an answer.
 */
#include "kernel_types.h"

#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "memory.bpf.h"
#include "owner.bpf.h"
#include "timers.bpf.h"

/* A time stamp of 32 bits (tcp_jiffies32). */
static __always_inline __u32 ms_since(__u32 then)
{
	return jiffies_to_ms((__u32)((__u32)bpf_jiffies64() - then));
}

/* tcp_keepalive_timer() in net/ipv4/tcp_timer.c */
static __always_inline void fill_keepalive(struct tf_probe *p, const struct tcp_sock *tp, const struct net *net,
					   _Bool untyped)
{
	__u32 interval = FIELD(tp, keepalive_intvl, untyped);
	__u8 probes = FIELD(tp, keepalive_probes, untyped);

	p->kind = TF_PROBE_KEEPALIVE;
	p->interval_ms = jiffies_to_ms(interval ? interval : FIELD(net, ipv4.sysctl_tcp_keepalive_intvl, untyped));
	p->max_unanswered = probes ? probes : FIELD(net, ipv4.sysctl_tcp_keepalive_probes, untyped);
}

/* tcp_probe_timer() in the same file */
static __always_inline void fill_window(struct tf_probe *p, const struct sock *sk, const struct tcp_sock *tp,
					const struct net *net, _Bool untyped)
{
	__u32 rto_ms = jiffies_to_ms(FIELD(tp, inet_conn.icsk_rto, untyped));
	__u32 since = 0;

	p->kind = TF_PROBE_WINDOW;
	p->interval_ms = rto_ms < RTO_MIN_MS ? RTO_MIN_MS : rto_ms;
	p->interval_max_ms = rto_max_ms(tp, untyped);
	if (bpf_core_field_exists(tp->inet_conn.icsk_probes_tstamp))
		since = FIELD(tp, inet_conn.icsk_probes_tstamp, untyped);
	p->closed_ms = since ? ms_since(since) : 0;
	p->waiting = FIELD(tp, write_seq, untyped) - FIELD(tp, snd_una, untyped);
	p->backoff = FIELD(tp, inet_conn.icsk_backoff, untyped);
	p->orphan = !!(FIELD(sk, __sk_common.skc_flags, untyped) & 1 << SOCK_DEAD);
	p->max_unanswered = p->orphan ? FIELD(net, ipv4.sysctl_tcp_orphan_retries, untyped)
				      : FIELD(net, ipv4.sysctl_tcp_retries2, untyped);
}

static __always_inline int record_probe(const struct sock *sk, const struct tcp_sock *tp, __u64 cookie, __u8 kind,
					_Bool untyped)
{
	const struct net *net = FIELD(sk, __sk_common.skc_net.net, untyped);
	struct tf_stage *stage = this_cpu_stage();
	struct tf_probe block = {};

	block.unanswered = FIELD(tp, inet_conn.icsk_probes_out, untyped);
	if (!stage || (kind == TF_PROBE_KEEPALIVE && !block.unanswered && !metrics_everywhere))
		return 0;
	block.silent_ms = ms_since(FIELD(tp, rcv_tstamp, untyped));
	block.user_timeout_ms = FIELD(tp, inet_conn.icsk_user_timeout, untyped);
	if (kind == TF_PROBE_KEEPALIVE)
		fill_keepalive(&block, tp, net, untyped);
	else
		fill_window(&block, sk, tp, net, untyped);

	__u8 state = FIELD(sk, __sk_common.skc_state, untyped);
	struct event e = {
		.sk = sk,
		.stage = stage,
		.cookie = cookie,
		.port = FIELD(sk, __sk_common.skc_num, untyped),
		.type = TF_RECORD_PROBE,
		.old_state = state,
		.new_state = state,
		.untyped = untyped,
	};

	recall(&e.mem, cookie);
	if (wanted(&e))
		send_event(&e, (struct body){&block, sizeof(block)}, NULL, SEND_ALONE);
	remember(&e.mem, cookie);
	return 0;
}

static __always_inline int record_typed(const struct tcp_sock *tp, __u8 kind)
{
	return record_probe((const struct sock *)tp, tp, bpf_get_socket_cookie((void *)tp), kind, 0);
}

/* A cookie of 0 was never asked for: nothing was told of that connection, and its owner is not known. */
static __always_inline int record_untyped(const struct sock *sk, __u8 kind)
{
	__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

	return cookie ? record_probe(sk, (const struct tcp_sock *)sk, cookie, kind, 1) : 0;
}

SEC("fentry/tcp_send_probe0")
int BPF_PROG(on_window_probe, const struct sock *sk)
{
	const struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);

	return tp ? record_typed(tp, TF_PROBE_WINDOW) : 0;
}

SEC("kprobe/tcp_send_probe0")
int BPF_KPROBE(on_window_probe_kprobe, const struct sock *sk)
{
	return record_untyped(sk, TF_PROBE_WINDOW);
}

/* Called for windows too, but only with data to send; keepalive probes go out only where there is none. */
SEC("fentry/tcp_write_wakeup")
int BPF_PROG(on_keepalive_probe, const struct sock *sk)
{
	const struct tcp_sock *tp = (void *)bpf_skc_to_tcp_sock((void *)sk);

	return tp && tp->write_seq == tp->snd_una ? record_typed(tp, TF_PROBE_KEEPALIVE) : 0;
}

SEC("kprobe/tcp_write_wakeup")
int BPF_KPROBE(on_keepalive_probe_kprobe, const struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	if (BPF_CORE_READ(tp, write_seq) != BPF_CORE_READ(tp, snd_una))
		return 0;
	return record_untyped(sk, TF_PROBE_KEEPALIVE);
}

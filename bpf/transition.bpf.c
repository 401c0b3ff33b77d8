/* Every change of a TCP socket's state: sock:inet_sock_set_state (Linux 4.16; before, tcp:tcp_set_state). */
#define TYPED_ONLY

#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"
#include "syn_queue.bpf.h"
#include "time_wait.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static __always_inline _Bool begins_child(const struct event *e)
{
	return was(e, TCP_LISTEN) && becomes(e, TCP_SYN_RECV);
}

static __always_inline void begin_life(struct event *e)
{
	struct kept_owner *kept;

	/* Perhaps not its first: connect(2) may follow a refused connect(2). */
	if (was(e, TCP_CLOSE) || begins_child(e))
		forget(&e->mem);
	if (begins_child(e)) {
		kept = kept_owner(e->sk, e->port, netns_inode(e));
		e->mem.pid = kept ? kept->pid : nothing;
	}
}

static __always_inline void tell(struct event *e, enum sending how)
{
	if (!wanted(e))
		return;
	/* At > SYN_SENT, or > LISTEN without bind(2), there was no port yet. The next record brings it. */
	if (!e->port && (was(e, TCP_SYN_SENT) || was(e, TCP_LISTEN)))
		e->port = local_port(e->sk);
	if (may_leave_time_wait(e->old_state, e->new_state))
		e->left = state_left(e->sk, e->old_state, e->cookie);
	if (was(e, TCP_SYN_RECV) && becomes(e, TCP_ESTABLISHED) && tell_syn_queue(e, how))
		return;
	send_event(e, (struct body){}, metrics_everywhere ? (void *)bpf_skc_to_tcp_sock((void *)e->sk) : NULL, how);
}

static __always_inline struct birth *this_cpu_birth(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&births, &zero);
}

/*
 * Up to 6.12 a child is traced at LISTEN > SYN_RECV while it still is the listener's copy: its cookie is the listener's
 * and its remote end is not set (inet_csk_clone_lock() in net/ipv4/inet_connection_sock.c). That event is told with the
 * child's next one, which follows at once on the same CPU, but with the time that it had. A child that lost its place
 * to another one in between goes without, and user space sees that its beginning is missing.
 */
static __always_inline _Bool is_early_birth(const struct sock *sk, int old_state, int new_state)
{
	return unlearned(old_state) == TCP_LISTEN && unlearned(new_state) == TCP_SYN_RECV && !sk->__sk_common.skc_dport;
}

static __always_inline void note_birth(const struct sock *sk)
{
	struct birth *birth = this_cpu_birth();

	births_come_early = 1;
	if (!birth)
		return;
	birth->sk = (__u64)sk;
	birth->time_ns = bpf_ktime_get_boot_ns();
}

/* In a function of its own: most kernels never come here, and those that do not should not carry it through caches. */
static __noinline int tell_birth(struct event *next, enum sending how)
{
	struct birth *birth = this_cpu_birth();

	if (!birth || birth->sk != (__u64)next->sk)
		return 0;
	birth->sk = 0;

	/* Not in a copy: up to 6.1 three calls have 512 bytes of stack together. */
	struct task_struct *task = next->task;
	__u8 old_state = next->old_state;
	__u8 new_state = next->new_state;

	next->task = NULL;
	next->time_ns = birth->time_ns;
	next->old_state = TCP_LISTEN;
	next->new_state = TCP_SYN_RECV;
	begin_life(next);
	/* Not tell(): nothing of what it does for other changes is for this one, and its stack is not to be had. */
	if (wanted(next))
		send_as(next, (struct body){},
			metrics_everywhere ? (void *)bpf_skc_to_tcp_sock((void *)next->sk) : NULL, how, 0);
	next->task = task;
	next->time_ns = 0;
	next->old_state = old_state;
	next->new_state = new_state;
	next->owner = (struct kept_owner){};
	next->placed = 0;
	next->flags = 0;
	next->left = 0;
	return 0;
}

/*
 * SOCK_DESTROY (ss -K) locks the socket too, and whoever asked for it does not own it. tcp_abort() in net/ipv4/tcp.c
 * leaves this error, which nothing else leaves; of a listener it closes it first, as shutdown(2) does, and then owns it
 * who owned it before.
 */
static __always_inline _Bool is_aborted(const struct sock *sk, int old_state, int new_state)
{
	if (unlearned(new_state) != TCP_CLOSE)
		return 0;
	return sk->sk_err == ECONNABORTED || (unlearned(old_state) == TCP_LISTEN && !sk->sk_shutdown);
}

/* Does the socket go on, so that what is remembered of it holds? See begin_life() and is_early_birth(). */
static __always_inline _Bool goes_on(int old_state)
{
	return unlearned(old_state) != TCP_CLOSE && unlearned(old_state) != TCP_LISTEN &&
	       !(unlearned(old_state) == TCP_SYN_RECV && births_come_early);
}

/* Before anything is put together: this is all that a connection costs that nobody asked for. */
static __always_inline _Bool stays_refused(const struct sock *sk, __u64 cookie, int old_state)
{
	struct remembered mem;

	recall(&mem, cookie);
	return mem.verdict == TF_VERDICT_REFUSED && goes_on(old_state) &&
	       (!filter_asks_owner() || !sk->sk_lock.owned || (__u32)bpf_get_current_task_btf()->tgid == mem.pid);
}

/*
 * A connection begins that nobody asked for, whoever owns it: then the owner need not be found. Not a listener, whose
 * children may be wanted.
 */
static __always_inline _Bool begins_refused(const struct sock *sk, __u64 cookie, int old_state, int new_state)
{
	struct event e = {
		.sk = sk,
		.port = sk->__sk_common.skc_num,
		.type = TF_RECORD_STATE,
		.old_state = old_state,
		.new_state = new_state,
	};

	if (filter_asks_owner() || !(begins_child(&e) || (was(&e, TCP_CLOSE) && becomes(&e, TCP_SYN_SENT))))
		return 0;
	if (decide(&e) != TF_VERDICT_REFUSED)
		return 0;
	recall(&e.mem, cookie);
	forget(&e.mem);
	e.mem.verdict = TF_VERDICT_REFUSED;
	remember(&e.mem, cookie);
	return 1;
}

/* The upper bits of header.error: what was still to be done. Read once and early: see unlearned(). */
static __always_inline __u16 undone_at_end(const struct sock *sk, int new_state)
{
	__u32 undone = TF_UNDONE_NOTHING;
	struct tcp_sock *tp;

	if (unlearned(new_state) != TCP_CLOSE || !sk->sk_err)
		return 0;
	tp = (void *)bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return 0;
	if (tp->snd_nxt != tp->snd_una)
		undone = tp->write_seq - tp->snd_una == 1 ? TF_UNDONE_LAST : TF_UNDONE_UNACKED;
	else if (tp->write_seq != tp->snd_nxt)
		undone = TF_UNDONE_UNSENT;
	undone <<= TF_ERROR_UNDONE_SHIFT;
	return tp->inet_conn.icsk_user_timeout ? undone | TF_ERROR_USER_TIMEOUT : undone;
}

static __always_inline void record_transition(struct tf_stage *stage, const struct sock *sk, int old_state,
					      int new_state, enum sending how)
{
	__u64 cookie;

	if (is_early_birth(sk, old_state, new_state)) {
		note_birth(sk);
		return;
	}
	cookie = bpf_get_socket_cookie((void *)sk);
	if (filter_ops && how == SEND_STAGED &&
	    (stays_refused(sk, cookie, old_state) || begins_refused(sk, cookie, old_state, new_state))) {
		(*(volatile __u64 *)&stage->refused)++;
		return;
	}

	struct event e = {
		.sk = sk,
		.task = is_aborted(sk, old_state, new_state) ? NULL : owning_task(sk),
		.stage = stage,
		.cookie = cookie,
		.port = sk->__sk_common.skc_num,
		.type = TF_RECORD_STATE,
		.old_state = old_state,
		.new_state = new_state,
	};

	recall(&e.mem, e.cookie);
	if (was(&e, TCP_SYN_RECV) && births_come_early)
		tell_birth(&e, how);
	e.undone = undone_at_end(sk, new_state);
	begin_life(&e);
	if (e.task) {
		learn_owner(&e.mem, e.task);
		if (becomes(&e, TCP_LISTEN))
			keep_listener(sk, e.task);
	}
	if (was(&e, TCP_LISTEN) && becomes(&e, TCP_CLOSE))
		drop_listener(sk, cookie, local_port(sk));
	tell(&e, how);
	remember(&e.mem, e.cookie);
}

/* Also fires for SCTP and for MPTCP's own sockets (docs/limits.md), and for changes that change nothing. */
static __always_inline _Bool is_news(const struct sock *sk, int old_state, int new_state)
{
	return sk->sk_protocol == IPPROTO_TCP && old_state != new_state;
}

/*
 * The kernel does not run a program that is running on this CPU already (bpf_prog->active, Linux 6.1), and it does
 * happen: an interrupt in the middle of on_transition, and behind it packets that change other sockets' states. Those
 * events go to a second program, whose own guard is free. It knows them by this: on_transition puts a note down of
 * whatever it was run for, and on_nested_transition, which comes next, takes it back, or finds that there is none. The
 * socket's address will do: its lock keeps its events apart. (docs/decisions/0004-nested-events.md)
 */
static __always_inline void put_note(struct tf_stage *stage, const struct sock *sk)
{
	volatile __u64 *notes = stage->notes;
	/* Nobody takes back what is put down before on_nested_transition is attached, and none may stay. */
	__u16 depth = *(volatile __u8 *)&stage->paired ? *(volatile __u16 *)&stage->noted : 0;

	notes[depth % TF_NOTES] = (__u64)sk;
	*(volatile __u16 *)&stage->noted = depth + 1;
}

/* False: there is none. Above it stands the note of an event that interrupted us, if its own on_nested was not run. */
static __always_inline _Bool take_note(struct tf_stage *stage, const struct sock *sk)
{
	volatile __u64 *notes = stage->notes;
	__u16 depth = *(volatile __u16 *)&stage->noted - 1;

	if (__builtin_expect(notes[depth % TF_NOTES] != (__u64)sk, 0)) {
		depth--;
		if (notes[depth % TF_NOTES] != (__u64)sk)
			return 0;
	}
	notes[depth % TF_NOTES] = 0;
	*(volatile __u16 *)&stage->noted = depth;
	return 1;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_transition, const struct sock *sk, int old_state, int new_state)
{
	struct tf_stage *stage = this_cpu_stage();

	/* Busy: this is a kernel without the guard. Without a note the second program sees to it there too. */
	if (!stage || stage->busy)
		return 0;
	put_note(stage, sk);
	if (!is_news(sk, old_state, new_state))
		return 0;
	*(volatile __u16 *)&stage->busy = 1;
	record_transition(stage, sk, old_state, new_state, SEND_STAGED);
	*(volatile __u16 *)&stage->busy = 0;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_nested_transition, const struct sock *sk, int old_state, int new_state)
{
	struct tf_stage *stage = this_cpu_stage();

	if (!stage)
		return 0;
	*(volatile __u8 *)&stage->paired = 1;
	if (__builtin_expect(take_note(stage, sk), 1))
		return 0;
	__sync_fetch_and_add(&stage->rescued, 1);
	if (is_news(sk, old_state, new_state))
		record_transition(stage, sk, old_state, new_state, SEND_RESCUED);
	return 0;
}

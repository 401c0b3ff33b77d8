/*
 * What becomes of the thing that takes a closed socket's place (struct inet_timewait_sock): FIN_WAIT2 goes on to
 * TIME_WAIT, and both end. No tracepoint tells; where programs can hang on functions, these do.
 *
 * It ends in two ways: tw_timer_handler(), when its time is over, and inet_twsk_deschedule_put() for all else. What
 * that was has come by on the same CPU just before, with bottom halves off, and left a note.
 */
#include "kernel_types.h"

#include <linux/ptrace.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "maps.bpf.h"
#include "memory.bpf.h"

/* By cookie: addresses come back. */
struct time_wait_note {
	__u64 cookie;
	__u64 time_ns;
	__u8 reason;   /* enum tf_gone_reason, should it end now */
	__u8 substate; /* before */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct time_wait_note);
} time_wait_notes __weak SEC(".maps");

static __always_inline struct time_wait_note *this_cpu_note(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&time_wait_notes, &zero);
}

static __always_inline void leave_note(__u64 cookie, __u8 substate, __u8 reason)
{
	struct time_wait_note *note = this_cpu_note();

	if (!note)
		return;
	note->cookie = cookie;
	note->time_ns = bpf_ktime_get_boot_ns();
	note->reason = reason;
	note->substate = substate;
}

static __always_inline void fill_header(struct tf_header *h, __u64 cookie, __u8 type, __u8 from, __u8 to)
{
	*h = (struct tf_header){
		.time_ns = bpf_ktime_get_boot_ns(),
		.cookie = cookie,
		.type = type,
		.flags = TF_FLAG_TIME_WAIT_SOCKET,
		.old_state = from,
		.new_state = to,
	};
}

/* A cookie of 0 was never asked for: nothing was told of that connection. Nor was it if the filter has refused it. */
static __always_inline struct tf_stage *stage_if_told(__u64 cookie)
{
	struct tf_stage *stage = this_cpu_stage();
	struct remembered mem;

	if (!cookie || !stage)
		return NULL;
	recall(&mem, cookie);
	if (mem.verdict != TF_VERDICT_REFUSED)
		return stage;
	count(&stage->filtered_out);
	return NULL;
}

/* `gone`: the block of a TF_RECORD_GONE, or NULL. */
static __always_inline int tell(__u64 cookie, __u8 type, __u8 from, __u8 to, const struct tf_gone *gone)
{
	struct tf_stage *stage = stage_if_told(cookie);

	if (!stage)
		return 0;
	struct tf_header *rec = bpf_ringbuf_reserve(&ring, sizeof(*rec) + (gone ? sizeof(*gone) : 0), 0);
	if (!rec) {
		count_loss(stage);
		return 0;
	}
	fill_header(rec, cookie, type, from, to);
	if (gone)
		*(struct tf_gone *)(rec + 1) = *gone;
	/* The reader polls while it is awake: it need not be woken for each of them. */
	bpf_ringbuf_submit(rec, BPF_RB_NO_WAKEUP);
	if (reader_asleep)
		wake_reader();
	return 0;
}

static __always_inline int tell_gone(__u64 cookie, __u8 substate, __u8 reason)
{
	const struct tf_gone gone = {.reason = reason};

	return tell(cookie, TF_RECORD_GONE, substate, TCP_CLOSE, &gone);
}

/* A note is for what follows in the same breath; the slack is for emulated machines. */
#define NOTE_LASTS_NS 10000000ULL

static __always_inline struct time_wait_note *fresh_note(__u64 cookie)
{
	struct time_wait_note *note = this_cpu_note();

	if (!note || note->cookie != cookie || bpf_ktime_get_boot_ns() - note->time_ns > NOTE_LASTS_NS)
		return NULL;
	return note;
}

static __always_inline int note_segment(const struct inet_timewait_sock *tw, const struct tcphdr *th, _Bool untyped)
{
	__u8 substate = FIELD(tw, tw_substate, untyped);
	_Bool syn = untyped ? BPF_CORE_READ_BITFIELD_PROBED(th, syn) : BPF_CORE_READ_BITFIELD(th, syn);

	/* Any other that ends it is a RST or is answered with one, as is a SYN in FIN_WAIT2. */
	leave_note(FIELD(tw, __tw_common.skc_cookie.counter, untyped), substate,
		   syn && substate == TCP_TIME_WAIT ? TF_GONE_SYN : TF_GONE_RESET);
	return 0;
}

SEC("fentry/tcp_timewait_state_process")
int BPF_PROG(on_time_wait_segment, const struct inet_timewait_sock *tw, const struct sk_buff *skb,
	     const struct tcphdr *th)
{
	return note_segment(tw, th, 0);
}

SEC("kprobe/tcp_timewait_state_process")
int BPF_KPROBE(on_time_wait_segment_kprobe, const struct inet_timewait_sock *tw, const struct sk_buff *skb,
	       const struct tcphdr *th)
{
	return note_segment(tw, th, 1);
}

/* May connect(2) take its port? If so it ends at once. */
SEC("fentry/tcp_twsk_unique")
int BPF_PROG(on_time_wait_wanted, const struct sock *sk, const struct sock *tw)
{
	leave_note(tw->__sk_common.skc_cookie.counter, TCP_TIME_WAIT, TF_GONE_CONNECT);
	return 0;
}

SEC("kprobe/tcp_twsk_unique")
int BPF_KPROBE(on_time_wait_wanted_kprobe, const struct sock *sk, const struct sock *tw)
{
	leave_note(BPF_CORE_READ(tw, __sk_common.skc_cookie.counter), TCP_TIME_WAIT, TF_GONE_CONNECT);
	return 0;
}

SEC("fentry/tcp_abort")
int BPF_PROG(on_time_wait_abort, const struct sock *sk)
{
	leave_note(sk->__sk_common.skc_cookie.counter, TCP_TIME_WAIT, TF_GONE_KILLED);
	return 0;
}

SEC("kprobe/tcp_abort")
int BPF_KPROBE(on_time_wait_abort_kprobe, const struct sock *sk)
{
	leave_note(BPF_CORE_READ(sk, __sk_common.skc_cookie.counter), TCP_TIME_WAIT, TF_GONE_KILLED);
	return 0;
}

/* Who else does this leaves no note: inet_twsk_purge(), when a namespace ends. */
static __always_inline int tell_taken(const struct inet_timewait_sock *tw, _Bool untyped)
{
	__u64 cookie = FIELD(tw, __tw_common.skc_cookie.counter, untyped);
	struct time_wait_note *note = fresh_note(cookie);

	return tell_gone(cookie, FIELD(tw, tw_substate, untyped), note ? note->reason : TF_GONE_NETNS);
}

SEC("fentry/inet_twsk_deschedule_put")
int BPF_PROG(on_time_wait_taken, const struct inet_timewait_sock *tw)
{
	return tell_taken(tw, 0);
}

SEC("kprobe/inet_twsk_deschedule_put")
int BPF_KPROBE(on_time_wait_taken_kprobe, const struct inet_timewait_sock *tw)
{
	return tell_taken(tw, 1);
}

static __always_inline int tell_expired(const struct timer_list *timer)
{
	const struct inet_timewait_sock *tw =
		(void *)timer - bpf_core_field_offset(struct inet_timewait_sock, tw_timer);

	if (!may_probe_read)
		return 0;
	return tell_gone(BPF_CORE_READ(tw, __tw_common.skc_cookie.counter), BPF_CORE_READ(tw, tw_substate),
			 TF_GONE_TIMER);
}

SEC("fentry/tw_timer_handler")
int BPF_PROG(on_time_wait_timer, const struct timer_list *timer)
{
	return tell_expired(timer);
}

SEC("kprobe/tw_timer_handler")
int BPF_KPROBE(on_time_wait_timer_kprobe, const struct timer_list *timer)
{
	return tell_expired(timer);
}

/* Set anew by a segment: FIN_WAIT2 has got its FIN, or TIME_WAIT goes on for longer. */
static __always_inline int tell_resumed(const struct inet_timewait_sock *tw, _Bool rearm, _Bool untyped)
{
	__u64 cookie = FIELD(tw, __tw_common.skc_cookie.counter, untyped);
	struct time_wait_note *note = rearm ? fresh_note(cookie) : NULL;

	if (!note || note->substate != TCP_FIN_WAIT2 || FIELD(tw, tw_substate, untyped) != TCP_TIME_WAIT)
		return 0;
	return tell(cookie, TF_RECORD_STATE, TCP_FIN_WAIT2, TCP_TIME_WAIT, NULL);
}

SEC("fentry/__inet_twsk_schedule")
int BPF_PROG(on_time_wait_schedule, const struct inet_timewait_sock *tw, int timeo, _Bool rearm)
{
	return tell_resumed(tw, rearm, 0);
}

SEC("kprobe/__inet_twsk_schedule")
int BPF_KPROBE(on_time_wait_schedule_kprobe, const struct inet_timewait_sock *tw, int timeo, int rearm)
{
	return tell_resumed(tw, rearm & 0xff, 1);
}

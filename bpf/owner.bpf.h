/* Who owns a socket: see docs/decisions/0003-owner.md */
#ifndef TCPFLIGHT_OWNER_BPF_H
#define TCPFLIGHT_OWNER_BPF_H

#include "listeners.bpf.h"
#include "maps.bpf.h"
#include "memory.bpf.h"
#include "place.bpf.h"
#include "tcpflight/looker.h"

/* One that looks at sockets (found.bpf.c), of this tcpflight or another. */
static __always_inline _Bool is_looker(const struct task_struct *task)
{
	static const char name[16] = TF_LOOKER_NAME;

	return *(__u64 *)&task->comm[8] == *(const __u64 *)&name[8] &&
	       *(__u64 *)&task->comm[0] == *(const __u64 *)&name[0];
}

/*
 * A task may be believed only while it holds the socket's lock: otherwise the event came from a packet or a timer, and
 * `current` is whoever was interrupted. Kernel threads that lock sockets (MPTCP's worker does) own none, and who looks
 * at sockets owns none of those it locks.
 */
static __always_inline struct task_struct *owning_task(const struct sock *sk)
{
	if (!sk->sk_lock.owned)
		return NULL;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	return task->flags & PF_KTHREAD || is_looker(task) ? NULL : task;
}

/* Otherwise a refusal is final, and who owns what was refused is not worth finding out. */
static __always_inline _Bool filter_asks_owner(void)
{
	return filter_asks & (1 << TF_ASK_PID | 1 << TF_ASK_UID);
}

/*
 * Believe `task`. A process that is new to the socket is news: the identity is said again, and a refusal is thought
 * over (a connection that was wanted once stays wanted, so that no timeline is cut in the middle). The process that was
 * known already is no news: TF_FLAG_OWNED confirms it, at no cost.
 */
static __always_inline void learn_owner(struct remembered *mem, struct task_struct *task)
{
	__u32 pid = task->tgid;

	if (mem->pid == pid)
		return;
	mem->pid = pid;
	mem->said = 0;
	if (mem->verdict == TF_VERDICT_REFUSED && filter_asks_owner())
		mem->verdict = TF_VERDICT_OPEN;
}

static __always_inline void owner_of_task(struct kept_owner *owner, struct task_struct *task, int new_state)
{
	owner->pid = task->tgid;
	owner->tid = task->pid;
	owner->comm[0] = *(__u64 *)&task->comm[0];
	owner->comm[1] = *(__u64 *)&task->comm[8];
	owner->source = unlearned(new_state) == TCP_SYN_SENT ? TF_OWNER_CONNECT
			: unlearned(new_state) == TCP_LISTEN ? TF_OWNER_LISTEN
							     : TF_OWNER_SYSCALL;
	owner->since = 0;
}

static __always_inline void keep(const struct sock *sk, const struct kept_owner *owner)
{
	struct kept_owner *kept = bpf_sk_storage_get(&owners, (void *)sk, (void *)owner, BPF_SK_STORAGE_GET_F_CREATE);
	if (kept)
		*kept = *owner;
}

static __always_inline void keep_listener(const struct sock *sk, struct task_struct *task)
{
	struct listener listener = {};

	owner_of_task(&listener.owner, task, TCP_LISTEN);
	find_place(&listener.owner.place, cgroup_of(sk));
	struct listener *added = add_listener(sk, &listener);
	if (added)
		added->owner = listener.owner;
	else
		keep(sk, &listener.owner);
}

/* Of a child: the listener's owner, at second hand. NULL: nothing is kept. */
static __always_inline struct kept_owner *kept_owner(const struct sock *sk, __u16 port, __u32 netns)
{
	struct kept_owner *kept = bpf_sk_storage_get(&owners, (void *)sk, NULL, 0);
	struct listener *listener;

	if (kept)
		return kept;
	listener = find_listener(sk, port, netns);
	return listener ? &listener->owner : NULL;
}

#endif

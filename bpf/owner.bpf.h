/* Who owns a socket: see docs/decisions/0003-owner.md */
#ifndef TCPFLIGHT_OWNER_BPF_H
#define TCPFLIGHT_OWNER_BPF_H

#include "maps.bpf.h"

/*
 * A task may be believed only while it holds the socket's lock: otherwise the event came from a packet or a timer, and
 * `current` is whoever was interrupted. Kernel threads that lock sockets (MPTCP's worker does) own none.
 */
static __always_inline struct task_struct *owning_task(const struct sock *sk)
{
	if (!sk->sk_lock.owned)
		return NULL;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	return task->flags & PF_KTHREAD ? NULL : task;
}

static __always_inline enum tf_owner_source owner_source(int new_state)
{
	if (new_state == TCP_SYN_SENT)
		return TF_OWNER_CONNECT;
	if (new_state == TCP_LISTEN)
		return TF_OWNER_LISTEN;
	return TF_OWNER_SYSCALL;
}

static __always_inline struct remembered *recall(const struct sock *sk)
{
	return bpf_sk_storage_get(&sockets, (void *)sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/* A socket begins a life, perhaps not its first: connect(2) may follow a refused connect(2). All is open again. */
static __always_inline void forget(struct remembered *mem)
{
	mem->said = 0;
	mem->verdict = VERDICT_OPEN;
}

/* A child starts with what its listener knew: the owner at second hand, and nothing said or decided yet. */
static __always_inline void inherit(struct remembered *mem, int new_state)
{
	if (new_state != TCP_SYN_RECV)
		return; /* the listener itself, closing */
	forget(mem);
	if (mem->source != TF_OWNER_UNKNOWN)
		mem->source = TF_OWNER_INHERITED;
}

/*
 * Believe `task`. A process that is new to the socket is news: the identity is said again, and a refusal is thought
 * over (a connection that was wanted once stays wanted, so that no timeline is cut in the middle). The process that was
 * known already is no news: TF_FLAG_OWNED confirms it, at no cost.
 */
static __always_inline void learn_owner(struct remembered *mem, struct task_struct *task, enum tf_owner_source source)
{
	__u32 pid = task->tgid;

	if (mem->pid == pid) {
		if (mem->source == TF_OWNER_INHERITED)
			mem->source = source;
		return;
	}
	mem->pid = pid;
	mem->tid = task->pid;
	mem->source = source;
	mem->comm[0] = *(__u64 *)&task->comm[0];
	mem->comm[1] = *(__u64 *)&task->comm[8];
	mem->said = 0;
	if (mem->verdict == VERDICT_REFUSED)
		mem->verdict = VERDICT_OPEN;
}

#endif

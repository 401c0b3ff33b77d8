/*
 * Who has the sockets open that were there before us: iter/task_file lists the open files of all processes, in all
 * namespaces; iter/task their network namespaces.
 */
#include "kernel_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "maps.bpf.h"
#include "owner.bpf.h"

/*
 * A listener's owner stays with it, so that its children inherit it as if listen(2) had been seen. Of several, the
 * process that began first: a server before its workers. What listen(2) itself told stays.
 */
static __always_inline void keep_found_listener(struct sock *sk, struct task_struct *task)
{
	struct listener found;
	struct kept_owner *owner = &found.owner;

	owner_of_task(owner, task, TCP_LISTEN);
	owner->source = TF_OWNER_SNAPSHOT;
	owner->since = task->start_boottime;
	place_of_task(&owner->place, task, cgroup_of(sk));
	struct listener *alone = add_listener(sk, &found);
	struct kept_owner *kept =
		alone ? &alone->owner : bpf_sk_storage_get(&owners, sk, owner, BPF_SK_STORAGE_GET_F_CREATE);
	if (kept && kept->source == TF_OWNER_SNAPSHOT && owner->since < kept->since)
		*kept = *owner;
}

SEC("iter/task_file")
int find_holders(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file)
		return 0;
	struct socket *socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	struct sock *sk = socket->sk;
	if (!sk || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	__u16 family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (sk->__sk_common.skc_state == TCP_LISTEN)
		keep_found_listener(sk, task);

	struct tf_holder holder = {
		.cookie = bpf_get_socket_cookie(sk),
		.since = task->start_boottime,
		.pid = task->tgid,
		.tid = task->pid,
		.fd = ctx->fd,
		.netns = netns_of(sk),
	};
	((__u64 *)holder.comm)[0] = *(__u64 *)&task->comm[0];
	((__u64 *)holder.comm)[1] = *(__u64 *)&task->comm[8];
	place_of_task(&holder.place, task, cgroup_of(sk));
	bpf_seq_write(seq, &holder, sizeof(holder));
	return 0;
}

SEC("iter/task")
int find_inhabitants(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (!task)
		return 0;
	task = untrusted(task, TF_UNTRUSTED_TASK);
	if (task->flags & PF_KTHREAD || !task->nsproxy)
		return 0;
	struct tf_inhabitant inhabitant = {
		.tid = task->pid,
		.netns = task->nsproxy->net_ns->ns.inum,
	};
	bpf_seq_write(ctx->meta->seq, &inhabitant, sizeof(inhabitant));
	return 0;
}

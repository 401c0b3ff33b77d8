/*
 * Who accepted a connection, from the best place that the kernel offers: security_sock_graft, where a new socket gets
 * its file (under its lock, in the accepting task, for io_uring too), and where no program can hang on functions, the
 * exit of the system calls. (docs/decisions/0010-accept.md)
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

/* Every family's accept comes by. Kernel threads that accept (NFS, iSCSI) own nothing. */
static __always_inline _Bool is_accepted(const struct event *e)
{
	__u16 family = SK_FIELD(e, __sk_common.skc_family);

	return e->stage && (family == AF_INET || family == AF_INET6) && SK_FIELD(e, sk_protocol) == IPPROTO_TCP &&
	       !(e->task->flags & PF_KTHREAD);
}

/*
 * The new owner is said in the record's own block. If the record is lost, what is remembered stays: the next system
 * call of this process on the socket is then still news.
 */
static __always_inline void record_accept(struct event *e)
{
	struct tf_accept block = {
		.pid = e->task->tgid,
		.tid = e->task->pid,
	};
	struct remembered before;

	((__u64 *)block.comm)[0] = *(__u64 *)&e->task->comm[0];
	((__u64 *)block.comm)[1] = *(__u64 *)&e->task->comm[8];
	recall(&e->mem, e->cookie);
	before = e->mem;
	if (e->mem.verdict == TF_VERDICT_REFUSED && (e->mem.pid != block.pid || filter_asks_uid))
		e->mem.verdict = TF_VERDICT_OPEN;
	e->mem.pid = block.pid;
	if (wanted(e) && !send_event(e, (struct body){&block, sizeof(block)}, NULL, 0))
		e->mem = before;
	remember(&e->mem, e->cookie);
}

SEC("fentry/security_sock_graft")
int BPF_PROG(on_graft, const struct sock *sk, const struct socket *parent)
{
	__u8 state = sk->__sk_common.skc_state;
	struct event e = {
		.sk = sk,
		.task = (void *)bpf_get_current_task_btf(),
		.stage = this_cpu_stage(),
		.type = TF_RECORD_ACCEPT,
		.old_state = state,
		.new_state = state,
	};

	if (!is_accepted(&e))
		return 0;
	e.cookie = bpf_get_socket_cookie((void *)sk);
	e.port = local_port(sk);
	record_accept(&e);
	return 0;
}

/* A cookie of 0 was never asked for: the socket is older than the tracer, and not found by it either. */
static __always_inline int accept_untyped(const struct sock *sk)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct event e = {
		.sk = sk,
		.task = (void *)bpf_get_current_task_btf(),
		.stage = this_cpu_stage(),
		.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter),
		.type = TF_RECORD_ACCEPT,
		.old_state = state,
		.new_state = state,
		.untyped = 1,
	};

	if (!e.cookie || !is_accepted(&e))
		return 0;
	e.port = event_port(&e);
	record_accept(&e);
	return 0;
}

SEC("kprobe/security_sock_graft")
int BPF_KPROBE(on_graft_kprobe, const struct sock *sk)
{
	return accept_untyped(sk);
}

/* events/syscalls/sys_exit_NAME/format: eight bytes that are not for programs, the number, the result. */
struct syscall_exit {
	__u64 hidden;
	__u64 number;
	__s64 result;
};

static __always_inline struct file *own_file(__u32 descriptor)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct fdtable *table = task->files->fdt;
	struct file *file = NULL;

	if (descriptor < table->max_fds)
		bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor);
	return file;
}

static __always_inline struct sock *own_socket(__u32 descriptor)
{
	struct file *file = own_file(descriptor);
	struct socket *socket = file ? BPF_CORE_READ(file, private_data) : NULL;
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL;
	struct sock *sk = BPF_CORE_READ(socket, sk);
	return sk && BPF_CORE_READ(sk, sk_socket) == socket ? sk : NULL;
}

/*
 * The first argument of the system call that ends. While nobody accepted, its queue may have been full; that nothing
 * told of it but its count.
 */
static __always_inline void look_at_listener(void)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) /* Linux 5.15 */
		return;
	const struct pt_regs___kernel *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	__u32 descriptor;

	if (bpf_core_field_exists(regs->di))
		descriptor = BPF_CORE_READ(regs, di);
	else if (bpf_core_field_exists(regs->orig_x0))
		descriptor = BPF_CORE_READ(regs, orig_x0);
	else
		return;
	struct sock *sk = own_socket(descriptor);

	if (sk && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP &&
	    BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN && BPF_CORE_READ(sk, sk_drops.counter))
		look_at_untyped_queue(sk, BPF_CORE_READ(sk, sk_ack_backlog) + 1);
}

/* Another thread may have closed the descriptor, and opened something else: that is no socket, or not a TCP socket, or
 * it was in a system call of its own.
 */
SEC("tp/syscalls/sys_exit_accept+sys_exit_accept4")
int on_accept_exit(struct syscall_exit *exit)
{
	if (exit->result < 0)
		return 0;
	struct sock *sk = own_socket(exit->result);
	if (!sk)
		return 0;
	look_at_listener();
	return accept_untyped(sk);
}
